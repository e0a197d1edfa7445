"""Who is in which cluster: the composition of each by sensitive feature, and whether chance explains it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import random_table

from glassbench.stats.intervals import mover_difference, percentile, wilson
from glassbench.stats.p_values import holm
from glassbench_audits.clusters.members import Members

DRAWS = 2_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Composition:
    """Rows by cluster and group of one sensitive feature.

    Args:
        feature: The sensitive feature.
        groups: Its values.
        counts: Rows by cluster and group `(clusters, groups)`.
        share, low, high: Share of each group in each cluster, with intervals `(clusters, groups)`.
        whole: Share of each group among all rows `(groups,)`.
        gap, gap_low, gap_high: Share in the cluster minus share in the others, with intervals that hold for all cells together.
        p: Chance of clusters at least as uneven were groups shuffled, corrected for the features examined; NaN for one group.
        balance, balance_low, balance_high: The smallest quotient of two groups' rows in any cluster.
        balance_whole: The same among all rows, the best any clustering can do for all its clusters.
    """

    feature: str
    groups: tuple[str, ...]
    counts: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    gap: np.ndarray
    gap_low: np.ndarray
    gap_high: np.ndarray
    p: float
    balance: float
    balance_low: float
    balance_high: float
    balance_whole: float


def compositions(members: Members, level: float, replicates: int) -> tuple[Composition, ...]:
    """Return the composition by each sensitive feature, over the rows that are in a cluster."""
    held = members.codes >= 0
    groups = members.subject.predictions.groups[held]
    found = []
    for feature in groups.columns:
        codes, names = pd.factorize(groups[feature].astype(str), sort=True)
        generator = members.subject.generator(f"clusters.make_up.{feature}")
        found.append((str(feature), tuple(map(str, names)), table(members.codes[held], codes), generator))
    chances = holm(np.array([chance(counts, generator) for *_, counts, generator in found]))
    return tuple(
        _composition(feature, names, counts, float(p), level, replicates, generator)
        for (feature, names, counts, generator), p in zip(found, chances, strict=True)
    )


def table(clusters: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Count rows by cluster and group, `(clusters, groups)`."""
    shape = int(clusters.max()) + 1, int(groups.max()) + 1
    return np.bincount(clusters * shape[1] + groups, minlength=shape[0] * shape[1]).reshape(shape)


def chance(counts: np.ndarray, generator: np.random.Generator, draws: int = DRAWS) -> float:
    """Return the p-value of clusters and groups having nothing to do with each other, by shuffling the groups.

    The statistic is Pearson's chi-squared. Both margins stay what they are, so that the tables of shuffled groups can be drawn
    without the rows (Patefield 1981). NaN where there is one cluster or group only.

    Args:
        counts: Rows by cluster and group `(clusters, groups)`.
        generator: Source of the draws.
        draws: How many.
    """
    if min(counts.shape) < 2:
        return float("nan")
    margins = counts.sum(axis=1), counts.sum(axis=0)
    expected = np.outer(*margins) / counts.sum()
    null = _distance(random_table(*margins).rvs(draws, random_state=generator), expected)
    beaten = int((null >= _distance(counts, expected) - 1e-9).sum())
    return (1 + beaten) / (1 + draws)


def balance(counts: np.ndarray) -> np.ndarray:
    """Return the smallest quotient of two groups' rows in any cluster, from counts `(..., clusters, groups)`.

    Chierichetti, Kumar, Lattanzi and Vassilvitskii (2017), "Fair Clustering Through Fairlets", for two groups; for more, over
    all pairs of them. 1 where every cluster has as many of each, 0 where one lacks a group.
    """
    largest = counts.max(axis=-1)
    quotient = np.divide(counts.min(axis=-1), largest, out=np.ones(largest.shape), where=largest > 0)
    return np.asarray(quotient.min(axis=-1))


def _composition(
    feature: str,
    groups: tuple[str, ...],
    counts: np.ndarray,
    p: float,
    level: float,
    replicates: int,
    generator: np.random.Generator,
) -> Composition:
    size = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)
    other, rest = counts.sum(axis=0) - counts, counts.sum() - size
    each = 1 - (1 - level) / counts.size
    inside = counts / np.maximum(size, 1), *wilson(counts, size, each)
    outside = other / np.maximum(rest, 1), *wilson(other, rest, each)
    gap_low, gap_high = mover_difference(inside, outside)
    low, high = wilson(counts, size, level)
    drawn = generator.multinomial(counts.sum(), counts.ravel() / counts.sum(), size=replicates)
    value = float(balance(counts))
    ends = percentile(balance(drawn.reshape(replicates, *counts.shape)), level)
    return Composition(
        feature=feature,
        groups=groups,
        counts=counts,
        share=inside[0],
        low=low,
        high=high,
        whole=counts.sum(axis=0) / counts.sum(),
        gap=inside[0] - outside[0],
        gap_low=gap_low,
        gap_high=gap_high,
        p=p,
        balance=value,
        balance_low=min(value, float(ends[0])),
        balance_high=max(value, float(ends[1])),
        balance_whole=float(balance(counts.sum(axis=0, keepdims=True))),
    )


def _distance(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.asarray(((counts - expected) ** 2 / expected).sum(axis=(-2, -1)))

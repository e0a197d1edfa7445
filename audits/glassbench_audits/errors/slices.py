"""Slices found on one half of the rows and tested on the other, both ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.stats.intervals import Limits
from glassbench.stats.p_values import holm
from glassbench_audits.errors.conditions import Condition, conditions
from glassbench_audits.errors.proof import contrast, p_values
from glassbench_audits.errors.search import members, overlapping, search

FEWEST = 10
"""The fewest rows of a slice in the half where it is looked for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Slice:
    """Rows that meet one to three conditions, with their errors in the half that they were not found on.

    Args:
        words: Its conditions, as a person would say them.
        features: Features of the conditions.
        inside: Which rows are in it, bool `(n,)`.
        tested: Rows of the test half that are in it.
        p: The p-value, corrected for every slice that was tested.
        mean, others: Mean error in the slice and outside it, with intervals.
        difference, ratio: Of these two, with intervals.
    """

    words: str
    features: tuple[str, ...]
    inside: np.ndarray
    tested: int
    p: float
    mean: Limits
    others: Limits
    difference: Limits
    ratio: Limits

    @property
    def n(self) -> int:
        """How many rows are in it."""
        return int(self.inside.sum())


def slices(
    features: pd.DataFrame,
    errors: RowErrors,
    generator: np.random.Generator,
    *,
    depth: int = 3,
    smallest: float = 0.02,
    candidates: int = 10,
    level: float = 0.95,
    clusters: np.ndarray | None = None,
    decimals: Mapping[str, int | None] | None = None,
) -> tuple[list[Slice], int]:
    """Return every slice that was tested, the surest first, and how many conditions they were made of.

    Each half of the rows proposes slices that are tested on the other, so neither test saw the search that led to it; the
    p-values of both are corrected together (Holm 1979).

    Args:
        features: What rows can be told apart by `(n, features)`.
        errors: How wrong each decision is.
        generator: Source of the halves and of the permutations.
        depth: The most conditions of a slice.
        smallest: The smallest share of the rows that is a slice.
        candidates: Slices that each half proposes.
        level: Confidence level of the intervals.
        clusters: Which cluster each row is of `(n,)`, where rows hang together; halves are made of whole clusters.
        decimals: Digits after the point with which numbers of features are shown.
    """
    n, size = len(features), errors.size
    first = halve(n, generator, clusters)
    fewest = max(FEWEST, round(smallest * n / 2))
    known, met = conditions(features, 2 * fewest, decimals)
    names, atoms = [one.feature for one in known], sum(one.bins == 1 for one in known)
    tested: list[Slice] = []
    for searched in (first, ~first):
        held = _Half(errors=size[~searched], clusters=None if clusters is None else clusters[~searched], shares=errors.binary)
        proposed = search(size[searched], met[searched], names, atoms=atoms, fewest=fewest, most=candidates, depth=depth)
        rows = [members(met, one.conditions) for one in proposed]
        p = held.p_values([each[~searched] for each in rows], generator)
        for one, each, value in zip(proposed, rows, p, strict=True):
            if 0 < int(each[~searched].sum()) < len(held.errors):
                parts = [known[i] for i in one.conditions]
                tested.append(held.slice(parts, each, each[~searched], float(value), generator, level))
    return _distinct(tested), len(known)


def halve(n: int, generator: np.random.Generator, clusters: np.ndarray | None = None) -> np.ndarray:
    """Return which rows are in the first of two random halves, bool `(n,)`; rows of one cluster stay together."""
    drawn = n if clusters is None else int(clusters.max(initial=-1)) + 1
    first = np.zeros(drawn, dtype=bool)
    first[generator.permutation(drawn)[: drawn // 2]] = True
    return first if clusters is None else first[clusters]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Half:
    """The rows that slices are tested on."""

    errors: np.ndarray
    clusters: np.ndarray | None
    shares: bool

    def p_values(self, inside: Sequence[np.ndarray], generator: np.random.Generator) -> np.ndarray:
        """Return the p-value of each slice."""
        rows = np.stack(inside, axis=1) if inside else np.empty((len(self.errors), 0), dtype=bool)
        return p_values(self.errors, rows, generator, shares=self.shares, clusters=self.clusters)

    def slice(
        self,
        parts: Sequence[Condition],
        rows: np.ndarray,
        inside: np.ndarray,
        p: float,
        generator: np.random.Generator,
        level: float,
    ) -> Slice:
        """Return the slice `inside` this half, with its errors."""
        four = contrast(self.errors, inside, generator, shares=self.shares, level=level, clusters=self.clusters)
        return Slice(
            words=" and ".join(part.words for part in parts),
            features=tuple(part.feature for part in parts),
            inside=rows,
            tested=int(inside.sum()),
            p=p,
            mean=four[0],
            others=four[1],
            difference=four[2],
            ratio=four[3],
        )


def _distinct(tested: Sequence[Slice]) -> list[Slice]:
    """Return the slices with corrected p-values, the surest first, without those that overlap a surer one."""
    corrected = holm(np.array([one.p for one in tested]))
    order = sorted(range(len(tested)), key=lambda i: (corrected[i], -float(tested[i].difference[1])))
    kept: list[int] = []
    for i in order:
        if not any(overlapping(tested[i].inside, tested[j].inside) for j in kept):
            kept.append(i)
    return [replace(tested[i], p=float(corrected[i])) for i in kept]

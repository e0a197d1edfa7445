"""Rates per group from confusion counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from glassbench.stats.clusters import between_groups, effective_rows, freedom, student, weighted_freedom, weighted_rows
from glassbench.stats.estimate import FEWEST_EVENTS, too_few
from glassbench.stats.intervals import Limits, rate_interval, score_interval
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.pooling import pooled
from glassbench_audits.fairness.frames.rates import ClassRate, GroupMetric, rates_of, share, shares

_BLOCK = 4_000_000
"""Cells drawn at a time."""

_OF_ONE_SIZE = "clusters of one size would say as much"

_NORMAL = 100
"""Rows times the variance of one row from which on a share is taken as normal under chance."""


Sums = tuple[np.ndarray, np.ndarray]
"""Numerators and denominators of rates."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WeighedCells:
    """Sums of survey weights by group, truth and decision, each `(groups, truths, classes)`.

    Args:
        first, second, fourth: The sums of weights, of their squares and of their fourth powers.
        clustered: Whether rows hang together in clusters besides.
    """

    first: np.ndarray
    second: np.ndarray
    fourth: np.ndarray
    clustered: bool

    def powers(self, rates: Sequence[ClassRate]) -> tuple[Sums, Sums, Sums]:
        """Return the sums of each power of the weights of the rows that rates count."""
        return _weighed(self.first, rates), _weighed(self.second, rates), _weighed(self.fourth, rates)


class ConfusionFrame(GroupFrame):
    """Rates from confusion counts, with the intervals of shares; resampling draws each group's cells from a multinomial.

    Args:
        groups: The groups.
        counts: Rows by truth and decision `(groups, classes, classes)`, or `(groups, classes + 1, classes)` with the rows whose
            outcome is not known last; where no truth is known, each row under its decision.
        rates: What is asked of the counts.
        replicates: How many resamples.
        generator: Source of the resamples.
        clusters: The same counts per cluster `(clusters, *counts.shape)` where rows hang together, of a survey sums of weights:
            clusters are then resampled, and intervals and chance rest on as many independent rows as would vary so much (Kish
            1965).
        together: Counts of all groups per cluster `(clusters, truths, classes)`, where `clusters` holds blocks of them.
        weighed: The sums of survey weights, of which `clusters` holds the parts; None where rows count alike.
    """

    ratios = True
    by_cluster: Sums | None
    """Numerators and denominators `(clusters, metrics, groups)` where rows hang together, else None."""
    part: np.ndarray
    whole: np.ndarray
    """Numerators and denominators `(metrics, groups)`: numbers of rows, of a survey sums of weights."""

    def __init__(
        self,
        groups: tuple[Group, ...],
        counts: np.ndarray,
        rates: Sequence[ClassRate],
        *,
        replicates: int,
        generator: np.random.Generator,
        clusters: np.ndarray | None = None,
        together: np.ndarray | None = None,
        weighed: WeighedCells | None = None,
    ) -> None:
        self.groups, self.metrics, self.survey = groups, tuple(rate.metric for rate in rates), weighed is not None
        self.rows = counts.sum(axis=(1, 2))
        self.part, self.n = shares(counts, rates)
        self.whole = self.n
        self._size, self._whole_size = self.n.astype(float), self.n.sum(axis=1).astype(float)
        self._freedom, self._whole_freedom = np.full(self.n.shape, np.inf), np.full(len(self.n), np.inf)
        self.by_cluster = None
        if weighed is not None:
            self.part, self.whole = _weighed(weighed.first, rates)
        self.value = share(self.part, self.whole)
        if clusters is None:
            self.draws = resample(counts, rates, replicates, generator)
        else:
            self.draws = resample_clusters(clusters, rates, replicates, generator)
            self._cluster(clusters, together, rates, weighed)
        self.unsupported = _unsupported(self.evidence, self.metrics)
        if clusters is not None and weighed is None:
            self.unsupported = _of_few_clusters(self._freedom + 1, self.unsupported)

    def _cluster(
        self, clusters: np.ndarray, together: np.ndarray | None, rates: Sequence[ClassRate], weighed: WeighedCells | None
    ) -> None:
        """Note on how many independent rows rates rest where rows hang together or weigh differently."""
        sums = shares if weighed is None else _weighed
        self.by_cluster = part, whole = sums(clusters, rates)
        self._size, self._freedom = self._rest_on(part, whole, self.n)
        every = clusters.sum(axis=1) if together is None else together
        part, whole = (numbers[..., 0] for numbers in sums(every[:, None], rates))
        self._whole_size, self._whole_freedom = self._rest_on(part, whole, self.n.sum(axis=1))
        if weighed is not None:
            self._weigh(weighed, rates)

    def _rest_on(self, part: np.ndarray, whole: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return on how many independent rows shares rest, and their degrees of freedom, from sums per cluster."""
        return effective_rows(part, whole, rows if self.survey else None), freedom(whole, survey=self.survey)

    def _weigh(self, weighed: WeighedCells, rates: Sequence[ClassRate]) -> None:
        """Note how many rows of equal weight numbers rest on; of independent rows their sums say too how sure they are."""
        first, second, fourth = weighed.powers(rates)
        self.effective = np.divide(first[1] ** 2, second[1], out=np.zeros(self.n.shape), where=second[1] > 0)
        if weighed.clustered:
            return
        self._size, self._freedom = _of_rows(first, second, fourth, self.n)
        every = [(part.sum(axis=1), whole.sum(axis=1)) for part, whole in (first, second, fourth)]
        self._whole_size, self._whole_freedom = _of_rows(every[0], every[1], every[2], self.n.sum(axis=1))

    def measured(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None) -> Limits:
        """Return the rates with their intervals."""
        chosen = slice(None) if which is None else np.asarray(which)
        return _limits(self.value[chosen], self._size[chosen], z, self._freedom[chosen])

    def measured_overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the rates over all rows."""
        value = share(self.part.sum(axis=1), self.whole.sum(axis=1))
        return _limits(value, self._whole_size, z, self._whole_freedom), self.n.sum(axis=1)

    def overall_unsupported(self) -> tuple[str | None, ...]:
        """Return why rates over all rows carry no interval."""
        if self.unsupported is None:
            return (None,) * len(self.metrics)
        events, alike = self.evidence.sum(axis=1).tolist(), (self._whole_freedom + 1).tolist()
        clusters = [None if self.survey else too_few(n, _OF_ONE_SIZE) for n in alike]
        return tuple(too_few(n, metric.of) or few for n, metric, few in zip(events, self.metrics, clusters, strict=True))

    def partly_pooled(self) -> np.ndarray:
        """Return each group's rate drawn towards that of all groups `(metrics, groups)`."""
        if self.effective is None:
            return pooled(self.part, self.n)
        return pooled(np.nan_to_num(self.value) * self.effective, self.effective)

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw the numerators from one rate shared by all groups, the denominators held fixed; of clusters, whole ones."""
        if self.by_cluster is not None:
            part, by_cluster = self.by_cluster
            moved = [between_groups(part[:, k], by_cluster[:, k], replicates, generator, survey=self.survey) for k in which]
            return np.stack(moved, axis=1)
        whole = self.n[list(which)]
        drawn = generator.binomial(whole, self._shared(which), size=(replicates, *whole.shape))
        return share(drawn, np.broadcast_to(whole, drawn.shape))

    def null_std(self, which: Sequence[int]) -> np.ndarray:
        """Return the binomial standard deviation around one rate shared by all groups, where counts are large."""
        if self.by_cluster is not None:
            return np.full((len(which), self.n.shape[1]), np.nan)
        shared, size = self._shared(which), self._size[list(which)]
        variance = np.broadcast_to(shared * (1 - shared), size.shape)
        large = size * variance >= _NORMAL
        return np.asarray(np.sqrt(np.divide(variance, size, out=np.full(size.shape, np.nan), where=large)))

    def _shared(self, which: Sequence[int]) -> np.ndarray:
        part, whole = self.part[list(which)], self.n[list(which)]
        return np.asarray(np.nan_to_num(share(part.sum(axis=1), whole.sum(axis=1)))[:, None])


def _unsupported(evidence: np.ndarray, metrics: Sequence[GroupMetric]) -> np.ndarray | None:
    """Return why rates rest on too few rows for an interval, objects `(metrics, groups)`; None where each has enough."""
    if not (evidence < FEWEST_EVENTS).any():
        return None
    reasons = [[too_few(n, metric.of) for n in of] for of, metric in zip(evidence.tolist(), metrics, strict=True)]
    return np.array(reasons, dtype=object).reshape(evidence.shape)


def _of_few_clusters(alike: np.ndarray, reasons: np.ndarray | None) -> np.ndarray | None:
    """Add the reason where rates rest on too few clusters of equal size `(metrics, groups)`: one may hold most of the rows."""
    few = alike < FEWEST_EVENTS
    if not few.any():
        return reasons
    found = np.full(alike.shape, None, dtype=object) if reasons is None else reasons
    for place in zip(*np.nonzero(few), strict=True):
        found[place] = found[place] or too_few(float(alike[place]), _OF_ONE_SIZE)
    return found


def _weighed(sums: np.ndarray, rates: Sequence[ClassRate]) -> Sums:
    """Return numerators and denominators of sums of weights, free of what rounding leaves where nothing is."""
    part, whole = shares(sums, rates)
    least = 1e-13 * sums.sum()
    whole = np.where(whole > least, whole, 0.0)
    return np.where(part > least, np.where(whole - part > least, part, whole), 0.0), whole


def _of_rows(first: Sums, second: Sums, fourth: Sums, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return on how many rows of one weight shares rest, and their degrees of freedom, from sums of powers of weights."""
    size = weighted_rows((first[0], second[0]), (first[1], second[1]), rows)
    return size, weighted_freedom(first[1], second[1], fourth[1])


def resample(counts: np.ndarray, rates: Sequence[ClassRate], replicates: int, generator: np.random.Generator) -> np.ndarray:
    """Draw each group's confusion cells anew, its number of rows held fixed, and return the rates.

    Exact: resampling rows within a group moves its counts just so.

    Args:
        counts: Rows by truth and decision `(groups, truths, classes)`.
        rates: What is asked of the counts.
        replicates: How many resamples.
        generator: Source of the resamples.

    Returns:
        Rates `(metrics, groups, replicates)`, NaN where a resample has an empty denominator.
    """
    flat = counts.reshape(len(counts), -1)
    step = max(1, _BLOCK // (replicates * flat.shape[1]))
    blocks = []
    for start in range(0, len(flat), step):
        cells = flat[start : start + step]
        n = cells.sum(axis=1)
        drawn = generator.multinomial(n, cells / n[:, None], size=(replicates, len(cells))).astype(np.float64)
        blocks.append(rates_of(drawn.reshape(replicates, len(cells), *counts.shape[1:]).swapaxes(0, 1), rates))
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def resample_clusters(
    counts: np.ndarray, rates: Sequence[ClassRate], replicates: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw whole clusters anew and return the rates `(metrics, groups, replicates)`, NaN where a denominator is empty.

    Args:
        counts: Rows by cluster, truth and decision `(clusters, groups, classes, classes)`.
        rates: What is asked of the counts.
        replicates: How many resamples.
        generator: Source of the resamples.
    """
    weights = generator.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=replicates)
    drawn = (weights @ counts.reshape(len(counts), -1)).reshape(replicates, *counts.shape[1:])
    return rates_of(drawn.swapaxes(0, 1), rates)


def _limits(rate: np.ndarray, size: np.ndarray, z: float | np.ndarray, freedom: np.ndarray) -> Limits:
    """Return rates with their intervals; of clusters the score interval, by Student's t."""
    independent = np.isinf(freedom)
    if independent.all():
        successes = np.multiply(rate, size, out=np.zeros(rate.shape), where=size > 0)
        return rate, *rate_interval(successes, size, np.asarray(2 * ndtr(z) - 1))
    sized = np.where(size > 0, rate, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return rate, *score_interval(sized, size, student(z, freedom))

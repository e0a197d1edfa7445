"""A frame: what was measured per group, how sure it is, and how it would vary."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from glassbench.stats.intervals import Limits
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import GroupMetric


class GroupFrame(ABC):
    """Metrics over groups, from counts or from rows; what gaps are computed from.

    Args:
        groups: The groups, in order.
        rows: Rows of each group `(groups,)`.
        metrics: What is measured, in order.
        value: The numbers `(metrics, groups)`, NaN where undefined.
        n: What each number rests on, its denominator `(metrics, groups)`.
        draws: Resampled numbers `(metrics, groups, replicates)`, NaN where a resample leaves one undefined.
        ratios: Whether the quotient of two groups' numbers has a meaning.
        cluster_word: What clusters are called, in the plural; where rows are independent, what these are called.
        clusters: How many independent clusters the rows are of; None where rows are independent.
        effective: Of a survey, on how many rows of equal weight each number rests `(metrics, groups)` (Kish 1965); else None.
        unsupported: Why a number carries no interval, None where it does: objects `(metrics, groups)`; None where all do.
        within: The stratum the rows are from, a group of the control features; None for all rows.
        each: What the class that a metric speaks of is: one of several classes, or a label.
    """

    groups: tuple[Group, ...]
    rows: np.ndarray
    metrics: tuple[GroupMetric, ...]
    value: np.ndarray
    n: np.ndarray
    draws: np.ndarray
    ratios: bool
    cluster_word: str = "rows"
    clusters: int | None = None
    effective: np.ndarray | None = None
    unsupported: np.ndarray | None = None
    within: Group | None = None
    each: str = "class"

    @property
    def evidence(self) -> np.ndarray:
        """How many rows speak for each number, of a survey as many of equal weight `(metrics, groups)`."""
        return self.n if self.effective is None else np.asarray(np.minimum(self.n, self.effective))

    @property
    def supported(self) -> np.ndarray:
        """Which numbers rest on enough events to be compared, truth values `(metrics, groups)`."""
        if self.unsupported is None:
            return np.ones(self.value.shape, dtype=bool)
        return np.array(self.unsupported == None, dtype=bool)  # noqa: E711 - element by element

    def overall_unsupported(self) -> tuple[str | None, ...]:
        """Return why the numbers over all rows carry no interval, metric by metric."""
        return (None,) * len(self.metrics)

    @cached_property
    def _kept(self) -> dict[float, Limits]:
        return {}

    @cached_property
    def _overall_kept(self) -> dict[float, tuple[Limits, np.ndarray]]:
        return {}

    def limits(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None = None) -> Limits:
        """Return numbers with the ends of their intervals, each `(metrics, groups)`; those of all metrics at one value are kept.

        Args:
            z: Critical value, or one per metric `(metrics, 1)`.
            which: Positions of the metrics, None for all.
        """
        if which is not None or not isinstance(z, float):
            return self.measured(z, which)
        if z not in self._kept:
            self._kept[z] = self.measured(z, None)
        return self._kept[z]

    def overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows with their intervals, each `(metrics,)`, and what they rest on `(metrics,)`."""
        if z not in self._overall_kept:
            self._overall_kept[z] = self.measured_overall(z)
        return self._overall_kept[z]

    @abstractmethod
    def measured(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None) -> Limits:
        """Return what `limits` returns, measured anew."""

    @abstractmethod
    def measured_overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return what `overall` returns, measured anew."""

    @abstractmethod
    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw metrics as if every group were alike: `(replicates, which, groups)`, NaN where undefined."""

    @abstractmethod
    def null_std(self, which: Sequence[int]) -> np.ndarray:
        """Return each number's standard deviation if every group were alike `(which, groups)`, NaN where it is not close to
        normal."""

    def total(self, metric: int) -> int:
        """Return how many rows, or clusters where the metric counts these, there are over all groups."""
        return int(self.rows.sum())

    def counts_clusters(self, metric: int) -> bool:
        """Whether what a metric rests on, `n`, is a number of clusters and not of rows."""
        return False

    def sizes(self, metric: int, *groups: int) -> str:
        """Say what a metric rests on in some groups: "n 40 and 60", or of rows that hang together "n 33 and 33 episodes"."""
        said = f"n {' and '.join(f'{self.n[metric, g]:,}' for g in groups)}"
        if self.effective is not None:
            said += f", effective n {' and '.join(f'{self.effective[metric, g]:,.0f}' for g in groups)}"
        if self.clusters is None:
            return said
        return (
            f"{said} {self.cluster_word}"
            if self.counts_clusters(metric)
            else f"{said} rows of {self.clusters} {self.cluster_word}"
        )

    @property
    def by(self) -> tuple[str, ...]:
        """The sensitive features the groups are values of."""
        return self.groups[0].by


def critical(level: float) -> float:
    """Return the two-sided critical value of the normal distribution.

    Example:
        >>> round(critical(0.95), 3)
        1.96
    """
    return float(ndtri(0.5 + level / 2))

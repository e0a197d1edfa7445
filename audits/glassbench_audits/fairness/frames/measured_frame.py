"""Numbers per group that are no counts: errors of values, and any metric of a task."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.measure_words import measure_words
from glassbench.contracts.metric import Metric
from glassbench.stats.inference import Inference
from glassbench.stats.intervals import Limits
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import GroupMetric


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """A metric with its inference in each group and, last, over all rows."""

    metric: GroupMetric
    inferences: tuple[Inference, ...]


NORMAL = 200
"""Rows or clusters of a group from which its standard error is taken as known: with fewer, chance is wider than normal."""


_Z = critical(0.95)
"""Where the width of intervals is read off: deviations are as wide as these, since gaps are studentized by them."""


class MeasuredFrame(GroupFrame):
    """Numbers with the limits that their own inference gives them.

    Args:
        groups: The groups.
        rows: Rows, or clusters, of each group `(groups,)`.
        measured: What was measured.
        replicates: How many normal deviations stand for resamples, where the widest of many gaps is looked for.
        generator: Source of these deviations.
        ratios: Whether quotients have a meaning.
    """

    def __init__(
        self,
        groups: tuple[Group, ...],
        rows: np.ndarray,
        measured: Sequence[Measured],
        *,
        replicates: int,
        generator: np.random.Generator,
        ratios: bool = False,
    ) -> None:
        self.groups, self.rows, self.metrics, self.ratios = groups, rows, tuple(m.metric for m in measured), ratios
        self._cells = [m.inferences for m in measured]
        self._all = np.array([[one.value for one in cells] for cells in self._cells])
        self.value = self._all[:, :-1]
        self.n = np.array([[one.n for one in cells[:-1]] for cells in self._cells])
        self._freedom = np.array([[_freedom(one) for one in cells[:-1]] for cells in self._cells])
        self.unsupported = np.array([[one.unsupported for one in cells[:-1]] for cells in self._cells], dtype=object)
        error = np.array([[one.error for one in cells[:-1]] for cells in self._cells])
        self._error = np.where(np.isfinite(self.value), error, np.nan)
        shares = np.array([m.share for m in self.metrics])
        self._null_error = np.where(
            shares[:, None], self._pooled_error(), np.where(self._error > 0, self._error, self._of_all_rows())
        )
        _, low, high = self.limits(_Z)
        wide = np.where(np.isfinite(high - low), (high - low) / (2 * _Z), np.nan_to_num(self._error, posinf=0.0))
        deviations = np.moveaxis(generator.standard_normal((replicates, *error.shape)), 0, -1)
        self.draws = self.value[..., None] + deviations * wide[..., None]

    def measured(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None) -> Limits:
        """Return the numbers with their intervals."""
        chosen = np.arange(len(self.metrics)) if which is None else np.asarray(which)
        every = np.broadcast_to(np.asarray(z, dtype=float).reshape(-1), (len(chosen),))
        ends = [[one.limits(float(c)) for one in self._cells[k][:-1]] for k, c in zip(chosen, every, strict=True)]
        low, high = np.moveaxis(np.array(ends, dtype=float).reshape(len(chosen), len(self.groups), 2), -1, 0)
        return self.value[chosen], low, high

    def measured_overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows."""
        ends = np.array([cells[-1].limits(z) for cells in self._cells]).reshape(-1, 2)
        return (self._all[:, -1], ends[:, 0], ends[:, 1]), np.array([cells[-1].n for cells in self._cells])

    def overall_unsupported(self) -> tuple[str | None, ...]:
        """Return why the numbers over all rows have too few events."""
        return tuple(cells[-1].unsupported for cells in self._cells)

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw deviations by Student's t with each group's standard error around one common number."""
        error = self._known_error(which)
        drawn = generator.standard_t(np.maximum(self._freedom[list(which)], 1), (replicates, *error.shape))
        return np.asarray(drawn * error)

    def null_std(self, which: Sequence[int]) -> np.ndarray:
        """Return the standard errors of groups that are large enough for these to be known."""
        return np.where(self._freedom[list(which)] + 1 >= NORMAL, self._known_error(which), np.nan)

    def _pooled_error(self) -> np.ndarray:
        """Return the standard errors that shares of the groups had if they were all that of all rows.

        A group of which all rows count, or none, has no error of its own, and yet could have had other rows.
        """
        own = self.value * (1 - self.value) / np.maximum(self.n, 1)
        effect = np.divide(self._error**2, own, out=np.ones_like(own), where=own > 0)
        whole = self._all[:, -1:]
        return np.asarray(np.sqrt(np.clip(whole * (1 - whole), 0, None) / np.maximum(self.n, 1) * np.maximum(effect, 1)))

    def _of_all_rows(self) -> np.ndarray:
        """Return the standard errors that groups had if their rows varied as all do: a group whose rows are alike shows none."""
        ends = [cells[-1] for cells in self._cells]
        error = np.array([one.error * np.sqrt(one.n) for one in ends])
        return np.asarray(error[:, None] / np.sqrt(np.maximum(self.n, 1)))

    def _known_error(self, which: Sequence[int]) -> np.ndarray:
        error = self._null_error[list(which)]
        return np.where(np.isfinite(error), error, np.nan)

    def total(self, metric: int) -> int:
        """Return how many rows, or clusters where rows hang together, the numbers over all of them rest on."""
        return self._cells[metric][-1].n

    def counts_clusters(self, metric: int) -> bool:
        """Whether rows hang together: the numbers then rest on clusters."""
        return self.clusters is not None


def _freedom(one: Inference) -> float:
    return one.n - 1.0 if one.freedom is None else one.freedom


def members(codes: np.ndarray, groups: int) -> list[np.ndarray]:
    """Return the row positions of each group."""
    order = np.argsort(codes.astype(np.min_scalar_type(groups)), kind="stable")  # short numbers are sorted by their digits
    ends = np.cumsum(np.bincount(codes, minlength=groups))
    return np.split(order, ends[:-1])


def task_metric_frame(
    frame: pd.DataFrame,
    metrics: Sequence[Metric],
    groups: tuple[Group, ...],
    codes: np.ndarray,
    *,
    overall: Sequence[Inference],
    replicates: int,
    generator: np.random.Generator,
) -> MeasuredFrame:
    """Measure a task's own metrics in every group, each by its own inference (`Metric.infer`).

    Args:
        frame: Predictions, n rows.
        metrics: What to measure.
        groups: The groups.
        codes: Which group each row belongs to `(n,)`.
        overall: The metrics over all rows.
        replicates: How many resamples, for metrics that need them.
        generator: Source of the resamples.
    """
    taken = [frame.iloc[rows].reset_index(drop=True) for rows in members(codes, len(groups))]
    measured = []
    for m, whole in zip(metrics, overall, strict=True):
        parts = [*(m.infer(part, generator, replicates=replicates) for part in taken), whole]
        scaled = not (m.proportion or (m.bounds[0] >= 0 and m.bounds[1] <= 1))
        words, of = measure_words(m.name), "rows that define it"
        metric = GroupMetric(
            m.name, words, of, m.higher_is_better, unit=m.unit, scaled=scaled, share=m.rate, proportion=m.proportion
        )
        measured.append(Measured(metric=metric, inferences=tuple(parts)))
    rows = np.array([Sampling.of(part).n for part in taken])
    return MeasuredFrame(groups, rows, measured, replicates=replicates, generator=generator)

"""Numbers per group that are no counts: errors of values, and any metric of a task."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

from glassbench.stats.intervals import Limits, resampled_weights, score_interval
from glassbench.task import Metric, cluster_codes, row_counts
from glassbench_audits.fairness.groups import Group
from glassbench_audits.fairness.panel import Panel
from glassbench_audits.fairness.rates import Line
from glassbench_audits.fairness.wording import metric_words

UNITS = 1_000
"""The most clusters resampled per group: with more rows, rows are first put into so many blocks at random."""


NORMAL = 200
"""Rows or clusters of a group from which its standard error is taken as known: with fewer, chance is wider than normal."""


class DrawnPanel(Panel):
    """Numbers with standard errors from resampling rows within each group; intervals by Student's t.

    Numbers between 0 and 1 have Wilson's, for as many rows as would vary so much: it stays within.

    Args:
        groups: The groups.
        rows: Rows of each group `(groups,)`.
        lines: What was measured.
        value: The numbers of each group and, last, of all rows `(lines, groups + 1)`.
        draws: The same resampled `(replicates, lines, groups + 1)`.
        bounds: Lowest and highest possible value of each line.
        ratios: Whether quotients have a meaning.
        whole: What the numbers over all rows rest on; by default the sum over groups.
    """

    def __init__(
        self,
        groups: tuple[Group, ...],
        rows: np.ndarray,
        lines: tuple[Line, ...],
        value: np.ndarray,
        draws: np.ndarray,
        *,
        bounds: Sequence[tuple[float, float]],
        ratios: bool = False,
        whole: int | None = None,
    ) -> None:
        self.groups, self.rows, self.lines, self.ratios = groups, rows, lines, ratios
        self.value, self.draws = value[:, :-1], draws[..., :-1]
        self.n = np.broadcast_to(rows, self.value.shape)
        self._all, self._bounds = value, np.array(bounds)
        self._sizes = np.append(rows, rows.sum() if whole is None else whole)
        self._error = standard_error(draws, self._sizes)

    def limits(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None = None) -> Limits:
        """Return the numbers with their intervals; a single row says nothing of its error."""
        value, low, high = self._limits(z, which)
        return value[:, :-1], low[:, :-1], high[:, :-1]

    def overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows."""
        value, low, high = self._limits(z)
        return (value[:, -1], low[:, -1], high[:, -1]), np.full(len(self.lines), self._sizes[-1])

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw deviations by Student's t with each group's standard error around one common number."""
        error = self._known_error(which)
        return np.asarray(generator.standard_t(np.maximum(self._sizes[:-1] - 1, 1), (replicates, *error.shape)) * error)

    def alike(self, which: Sequence[int]) -> np.ndarray:
        """Return the standard errors of groups that are large enough for these to be known."""
        return np.where(self._sizes[:-1] >= NORMAL, self._known_error(which), np.nan)

    def _known_error(self, which: Sequence[int]) -> np.ndarray:
        error = np.where(np.isfinite(self.value), self._error[:, :-1], np.nan)[list(which)]
        return np.where(np.isfinite(error), error, np.nan)

    def total(self, line: int) -> int:
        """Return how many rows, or clusters where rows hang together, the numbers over all of them rest on."""
        return int(self._sizes[-1])

    def counts_clusters(self, line: int) -> bool:
        """Whether rows hang together: resampled numbers then rest on clusters."""
        return self.clusters is not None

    def _limits(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None = None) -> Limits:
        chosen = slice(None) if which is None else list(which)
        value, error, bounds = self._all[chosen], self._error[chosen], self._bounds[chosen]
        t = stdtrit(np.maximum(self._sizes - 1, 1), ndtr(z))
        floor, ceiling = bounds[:, :1], bounds[:, 1:]
        low, high = np.maximum(value - t * error, floor), np.minimum(value + t * error, ceiling)
        share = (floor == 0) & (ceiling == 1)
        scored = score_interval(value, independent(value, error, self._sizes), t)
        return value, np.where(share, scored[0], low), np.where(share, scored[1], high)


def standard_error(draws: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of resampled numbers, corrected for few rows; infinite for a single one.

    Args:
        draws: `(replicates, lines, groups)`.
        rows: Rows of each group `(groups,)`.
    """
    defined = np.isfinite(draws)
    count = defined.sum(axis=0)
    filled = np.where(defined, draws, 0.0)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    variance = (np.where(defined, draws - mean, 0.0) ** 2).sum(axis=0) / np.maximum(count - 1, 1)
    clusters = np.minimum(rows, UNITS)
    spread = np.sqrt(variance * clusters / np.maximum(clusters - 1, 1))
    return np.where((rows > 1) & (count * 2 > len(draws)), spread, np.inf)


def independent(value: np.ndarray, error: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how many independent rows would make shares vary by their standard errors (Kish 1965), all shaped alike.

    One that never varies among resamples, being 0 or 1 everywhere, still is not certain: it rests on its rows.
    """
    varies = error > 0
    spread = np.maximum(np.nan_to_num(value * (1 - value)), 0)
    size = np.divide(spread, error**2, out=np.zeros(value.shape), where=varies)
    return np.where(varies, size, rows)


def members(codes: np.ndarray, groups: int) -> list[np.ndarray]:
    """Return the row positions of each group and, last, of all rows."""
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=groups))
    return [*np.split(order, ends[:-1]), np.arange(len(codes))]


def block_sums(parts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Put rows into at most 1,000 blocks at random and sum each block's parts: `(n, k)` to `(clusters, k)`.

    Sums over all rows stay what they are; resampling blocks varies them as resampling rows does, since the rows of a block are a
    random draw.
    """
    if len(parts) <= UNITS:
        return parts
    starts = np.linspace(0, len(parts), UNITS, endpoint=False).astype(int)
    return np.add.reduceat(parts[generator.permutation(len(parts))], starts, axis=0)


def metric_panel(
    frame: pd.DataFrame,
    metrics: Sequence[Metric],
    groups: tuple[Group, ...],
    codes: np.ndarray,
    *,
    replicates: int,
    generator: np.random.Generator,
) -> DrawnPanel:
    """Measure a task's own metrics in every group; at most 1,000 rows of each are resampled, and the spread narrowed to fit.

    Where rows hang together (the column `cluster`), all clusters of a group are resampled.

    Args:
        frame: Predictions, n rows.
        metrics: What to measure.
        groups: The groups.
        codes: Which group each row belongs to `(n,)`.
        replicates: How many resamples.
        generator: Source of the resamples.
    """
    taken, clusters = members(codes, len(groups)), cluster_codes(frame)
    columns = [_metrics(frame.iloc[rows], metrics, replicates, generator) for rows in taken]
    lines = tuple(Line(m.name, metric_words(m.name), "rows that define it", m.higher_is_better, unit=m.unit) for m in metrics)
    value, draws = (np.stack(parts, axis=-1) for parts in zip(*columns, strict=True))
    held = row_counts(frame)
    sizes = (
        int(held[t].sum()) if held is not None else len(t) if clusters is None else len(np.unique(clusters[t])) for t in taken
    )
    rows = np.array(list(sizes))
    bounds = [m.bounds for m in metrics]
    return DrawnPanel(groups, rows[:-1], lines, value, draws, bounds=bounds, whole=int(rows[-1]))


def _metrics(
    frame: pd.DataFrame, metrics: Sequence[Metric], replicates: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return one group's metrics `(metrics,)` and their resamples `(replicates, metrics)`, spread as all its rows would."""
    frame = frame.reset_index(drop=True)
    counts = row_counts(frame)
    if counts is not None:
        drawn = generator.multinomial(counts.sum(), counts / counts.sum(), size=replicates).astype(float)
        return _under(frame, metrics, counts[None].astype(float))[0], _under(frame, metrics, drawn)
    value = _under(frame, metrics, np.ones((1, len(frame))))[0]
    clusters = cluster_codes(frame)
    if clusters is not None:
        blocks = resampled_weights(len(frame), replicates, generator, clusters)
        return value, np.concatenate([_under(frame, metrics, weights) for weights in blocks])
    part = frame
    if len(frame) > UNITS:
        part = frame.iloc[generator.choice(len(frame), UNITS, replace=False)].reset_index(drop=True)
    drawn = np.concatenate([_under(part, metrics, w) for w in resampled_weights(len(part), replicates, generator)])
    centre = _under(part, metrics, np.ones((1, len(part))))[0]
    return value, value + (drawn - centre) * np.sqrt(len(part) / len(frame))


def _under(frame: pd.DataFrame, metrics: Sequence[Metric], weights: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(m.compute(frame, weights), dtype=float) for m in metrics], axis=-1)

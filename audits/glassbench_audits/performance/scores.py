"""The task's metrics on held-out rows, for the model and for a baseline, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.stats.intervals import around, percentile, resampled_weights, wilson
from glassbench.task import Metric, cluster_codes, row_counts

_CELLS = 4_000_000
"""Weights held in memory at a time while resampling counts."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value and its interval; NaN where undefined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of the model, of the baseline, and the gain of the one over the other (positive is better).

    Args:
        metric: What was measured.
        n: Rows it was measured on, or clusters where rows hang together.
        model, baseline, gain: The estimates; the last two are None where there is no baseline.
    """

    metric: Metric
    n: int
    model: Estimate
    baseline: Estimate | None
    gain: Estimate | None


def score(
    frame: pd.DataFrame,
    baseline: pd.DataFrame | None,
    metrics: Sequence[Metric],
    generator: np.random.Generator,
    *,
    level: float = 0.95,
    replicates: int = 1000,
    rows: int = 10_000,
) -> tuple[Score, ...]:
    """Return every metric with its interval.

    Point values use all rows. Wilson's interval serves shares of rows; everything else is resampled, model and baseline under
    the same resamples, so that the interval of the gain is a paired one. With more than `rows` rows a random part of that size
    is resampled and the interval narrowed by the square root of the share (Politis and Romano 1994).

    Where rows stand for several (the column `count`), their counts are resampled, all of them. Where rows hang together (the
    column `unit`), whole clusters are resampled and counted, and no closed form serves.

    Args:
        frame: Predictions, `n` rows as in `predictions.parquet`.
        baseline: The same rows as decided by a baseline, or None.
        metrics: What to measure.
        generator: Source of the resamples.
        level: Confidence level.
        replicates: How many resamples.
        rows: The most rows to resample.
    """
    frames = [frame] if baseline is None else [frame, baseline]
    counts, clusters = row_counts(frame), cluster_codes(frame)
    if counts is not None:
        return _score_counts(frames, metrics, counts, generator, level=level, replicates=replicates)
    if clusters is not None:
        return _score_units(frames, metrics, clusters, generator, level=level, replicates=replicates)
    n = len(frame)
    points = _compute(frames, metrics, np.ones((1, n)))[0]
    part = np.arange(n) if n <= rows else np.sort(generator.choice(n, rows, replace=False))
    drawn = _replicates([f.iloc[part].reset_index(drop=True) for f in frames], metrics, generator, replicates)
    centre = points if n <= rows else _compute([f.iloc[part] for f in frames], metrics, np.ones((1, len(part))))[0]
    shrunk = points + (drawn - centre) * np.sqrt(len(part) / n)
    return tuple(_score(metric, n, points[i], shrunk[:, i], level) for i, metric in enumerate(metrics))


def _score_counts(
    frames: Sequence[pd.DataFrame],
    metrics: Sequence[Metric],
    counts: np.ndarray,
    generator: np.random.Generator,
    *,
    level: float,
    replicates: int,
) -> tuple[Score, ...]:
    """Score rows that stand for several: resampling rows moves their counts as a multinomial does, so nothing is approximated."""
    points = _compute(frames, metrics, counts[None].astype(float))[0]
    n, block = int(counts.sum()), max(1, _CELLS // len(counts))
    sizes = [min(block, replicates - start) for start in range(0, replicates, block)]
    blocks = (generator.multinomial(n, counts / n, size=size).astype(float) for size in sizes)
    drawn = np.concatenate([_compute(frames, metrics, weights) for weights in blocks])
    return tuple(_score(metric, n, points[i], drawn[:, i], level) for i, metric in enumerate(metrics))


def _score_units(
    frames: Sequence[pd.DataFrame],
    metrics: Sequence[Metric],
    clusters: np.ndarray,
    generator: np.random.Generator,
    *,
    level: float,
    replicates: int,
) -> tuple[Score, ...]:
    points = _compute(frames, metrics, np.ones((1, len(clusters))))[0]
    blocks = resampled_weights(len(clusters), replicates, generator, clusters)
    drawn = np.concatenate([_compute(frames, metrics, weights) for weights in blocks])
    n = int(clusters.max()) + 1
    return tuple(_score(metric, n, points[i], drawn[:, i], level, hang_together=True) for i, metric in enumerate(metrics))


def _score(metric: Metric, n: int, points: np.ndarray, drawn: np.ndarray, level: float, *, hang_together: bool = False) -> Score:
    sizes = [independent(float(points[j]), drawn[:, j], n) if hang_together else float(n) for j in range(len(points))]
    both = [_estimate(metric, sizes[j], float(points[j]), drawn[:, j], level) for j in range(len(points))]
    if len(both) == 1:
        return Score(metric=metric, n=n, model=both[0], baseline=None, gain=None)
    sign = 1.0 if metric.higher_is_better else -1.0
    value = sign * float(points[0] - points[1])
    low, high = around(value, *percentile(sign * (drawn[:, 0] - drawn[:, 1]), level))
    gain = Estimate(value=value, low=float(low), high=float(high))
    return Score(metric=metric, n=n, model=both[0], baseline=both[1], gain=gain)


def independent(value: float, drawn: np.ndarray, clusters: int) -> float:
    """Return how many independent rows would make a share vary as much as its resamples `(b,)` do (Kish 1965).

    Where it does not vary at all, the number of clusters.
    """
    variance = float(np.nanvar(drawn)) if np.isfinite(drawn).any() else 0.0
    return value * (1 - value) / variance if variance > 0 and 0 < value < 1 else float(clusters)


def _estimate(metric: Metric, n: float, value: float, drawn: np.ndarray, level: float) -> Estimate:
    if metric.rate and np.isfinite(value):
        low, high = wilson(np.array(value * n), np.array(n), level)
    else:
        low, high = around(value, *percentile(drawn, level))
    return Estimate(value=value, low=float(low), high=float(high))


def _replicates(
    frames: Sequence[pd.DataFrame], metrics: Sequence[Metric], generator: np.random.Generator, replicates: int
) -> np.ndarray:
    blocks = resampled_weights(len(frames[0]), replicates, generator)
    return np.concatenate([_compute(frames, metrics, weights) for weights in blocks])


def _compute(frames: Sequence[pd.DataFrame], metrics: Sequence[Metric], weights: np.ndarray) -> np.ndarray:
    """Return values `(b, metrics, frames)`."""
    values = [[np.asarray(m.compute(f, weights), dtype=float) for f in frames] for m in metrics]
    return np.moveaxis(np.array(values), 2, 0)

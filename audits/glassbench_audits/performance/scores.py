"""The task's metrics on held-out rows, for the model and for a baseline, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import Inference, difference
from glassbench.stats.resampling import resampled
from glassbench.stats.sampling import Sampling
from glassbench.task import Metric


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
    generator: Callable[[str], np.random.Generator],
    *,
    level: float = 0.95,
    replicates: int = 1000,
) -> tuple[Score, ...]:
    """Return every metric with its interval, by the metric's own inference (`Metric.infer`).

    The gain over the baseline is measured on the same rows, so its interval is a paired one.

    Args:
        frame: Predictions, `n` rows as in `predictions.parquet`.
        baseline: The same rows as decided by a baseline, or None.
        metrics: What to measure.
        generator: Gives the source of resamples for a purpose; `metric.<name>` serves the same number in every audit.
        level: Confidence level.
        replicates: How many resamples, for metrics that need them.
    """
    sampling = Sampling.of(frame)
    found = []
    for metric in metrics:
        model = metric.infer(frame, generator(f"metric.{metric.name}"), replicates=replicates)
        other = gain = None
        if baseline is not None:
            purpose = f"metric.{metric.name}.baseline"
            other = metric.infer(baseline, generator(purpose), replicates=replicates)
            gain = _gain(metric, frame, baseline, model, other, generator(f"{purpose}.gain"), replicates)
        found.append(
            Score(
                metric=metric,
                n=sampling.n,
                model=model.estimate(level),
                baseline=None if other is None else other.estimate(level),
                gain=None if gain is None else gain.estimate(level),
            )
        )
    return tuple(found)


def _gain(
    metric: Metric,
    frame: pd.DataFrame,
    baseline: pd.DataFrame,
    model: Inference,
    other: Inference,
    generator: np.random.Generator,
    replicates: int,
) -> Inference:
    """Return how much better the model is than the baseline on the same rows."""
    sampling = Sampling.of(frame)
    better, worse = (model, other) if metric.higher_is_better else (other, model)
    paired = difference(better, worse, sampling)
    if paired is not None:
        return paired
    sign = 1.0 if metric.higher_is_better else -1.0

    def statistic(weights: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
        frames = [f if rows is None else f.iloc[rows].reset_index(drop=True) for f in (frame, baseline)]
        ours, theirs = (np.asarray(metric.compute(f, weights), dtype=float) for f in frames)
        return np.asarray(sign * (ours - theirs))

    return resampled(statistic, sampling, generator, replicates=replicates)

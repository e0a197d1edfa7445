"""The task's metrics on held-out rows, for the model and for a baseline, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import Inference, difference
from glassbench.stats.resampling import resampled
from glassbench.stats.sampling import Sampling
from glassbench_audits.performance.baseline import Baseline


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
    baseline: Baseline | None,
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
        baseline: The baseline of the same rows, or None.
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
        if baseline is not None and (baseline.metrics is None or metric.name in baseline.metrics):
            purpose = f"metric.{metric.name}.baseline"
            other = metric.infer(baseline.frame, generator(purpose), replicates=replicates)
            gain = _gain(metric, (frame, baseline.frame), sampling, model, other, generator(f"{purpose}.gain"), replicates)
        found.append(
            Score(
                metric=metric,
                n=sampling.n,
                model=model.estimate(level),
                baseline=None if other is None or baseline is None else _of_baseline(other, baseline, level),
                gain=None if gain is None else gain.estimate(level),
            )
        )
    return tuple(found)


def _of_baseline(found: Inference, baseline: Baseline, level: float) -> Estimate:
    """Return a baseline's number with its interval.

    One answer to every row has the same number in some metrics whatever rows are drawn: a balanced accuracy of 1 over the number
    of classes, an area of 0.5. No row of either class then moves it, and its interval has no width.
    """
    estimate = found.estimate(level)
    exact = baseline.constant and found.error <= 1e-12 and baseline.frame["y_true"].nunique() > 1
    return replace(estimate, low=estimate.value, high=estimate.value, unsupported=None) if exact else estimate


def _gain(
    metric: Metric,
    pair: tuple[pd.DataFrame, pd.DataFrame],
    sampling: Sampling,
    model: Inference,
    other: Inference,
    generator: np.random.Generator,
    replicates: int,
) -> Inference:
    """Return how much better the model is than the baseline on the same rows."""
    better, worse = (model, other) if metric.higher_is_better else (other, model)
    paired = difference(better, worse, sampling)
    if paired is not None:
        return paired
    sign = 1.0 if metric.higher_is_better else -1.0

    def statistic(weights: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
        frames = [f if rows is None else f.iloc[rows].reset_index(drop=True) for f in pair]
        ours, theirs = (np.asarray(metric.compute(f, weights), dtype=float) for f in frames)
        return np.asarray(sign * (ours - theirs))

    return resampled(statistic, sampling, generator, replicates=replicates)

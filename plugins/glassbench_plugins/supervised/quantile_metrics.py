"""Metrics of predicted quantiles and intervals, weighted, with their intervals."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.quantiles import quantiles_of
from glassbench.stats.inference import Inference, mean, share
from glassbench.stats.sampling import Sampling
from glassbench.stats.scoring import interval_score, pinball_loss
from glassbench_plugins.supervised.rates import divide

PerRow = Callable[[pd.DataFrame], np.ndarray]


def quantile_metrics(coverage: float, unit: str | None, *, judge_width: bool = True) -> tuple[Metric, ...]:
    """Return the mean pinball loss first, then coverage, width and score of the intervals.

    Args:
        coverage: The share of rows whose interval is said to hold the truth.
        unit: Unit of the values.
        judge_width: Whether a gap of the width between groups carries a verdict; where each group has an offset of its own,
            widths are meant to differ.
    """

    def scored(frame: pd.DataFrame) -> np.ndarray:
        return interval_score(_numbers(frame, "y_true"), _numbers(frame, "low"), _numbers(frame, "high"), coverage)

    return (
        _mean_of("pinball_loss", pinball_per_row, unit),
        Metric(
            name="coverage",
            compute=lambda frame, weights: _weighted(covered(frame), weights),
            inference=lambda frame, sampling: share(covered(frame), sampling),
            rate=True,
            judged=True,
        ),
        _mean_of("mean_width", width, unit, compares=False, judged=judge_width),
        _mean_of("interval_score", scored, unit),
    )


def pinball_per_row(frame: pd.DataFrame) -> np.ndarray:
    """Return the mean pinball loss over all levels of each row `(n,)`."""
    truth = _numbers(frame, "y_true")
    losses = [pinball_loss(truth, predicted, level) for level, predicted in quantiles_of(frame).items()]
    return np.asarray(np.mean(losses, axis=0))


def covered(frame: pd.DataFrame) -> np.ndarray:
    """Return whether each interval holds the truth, bool `(n,)`."""
    truth = _numbers(frame, "y_true")
    return np.asarray((_numbers(frame, "low") <= truth) & (truth <= _numbers(frame, "high")))


def width(frame: pd.DataFrame) -> np.ndarray:
    """Return how wide each interval is `(n,)`."""
    return np.asarray(_numbers(frame, "high") - _numbers(frame, "low"))


def _mean_of(name: str, each: PerRow, unit: str | None, *, compares: bool = True, judged: bool = False) -> Metric:
    def infer(frame: pd.DataFrame, sampling: Sampling) -> Inference:
        return mean(each(frame), sampling, lowest=0.0)

    return Metric(
        name=name,
        compute=lambda frame, weights: _weighted(each(frame), weights),
        inference=infer,
        higher_is_better=False,
        unit=unit,
        lowest=0.0,
        compares=compares,
        judged=judged,
    )


def _weighted(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return divide(weights @ values.astype(float), weights.sum(axis=1))


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy(dtype=np.float64)

"""Weighted metrics of forecasts."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric

SQUARED, ABSOLUTE = "squared_error", "absolute_error"
CHANNEL_SQUARED, CHANNEL_ABSOLUTE = "channel_squared_error", "channel_absolute_error"

Compute = Callable[[pd.DataFrame, np.ndarray], np.ndarray]


def mean_of(column: str) -> Compute:
    """Return the metric that is the mean of a column over windows, `(b,)` under weights `(b, n)`; NaN without weight."""

    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=1)
        sums = weights @ frame[column].to_numpy(dtype=np.float64)
        return np.where(total > 0, sums / np.where(total > 0, total, 1), np.nan)

    return compute


def root_mean_of(column: str) -> Compute:
    """Return the metric that is the root of `mean_of`."""
    mean = mean_of(column)

    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        root: np.ndarray = np.sqrt(mean(frame, weights))
        return root

    return compute


def forecast_metrics(unit: str | None) -> tuple[Metric, ...]:
    """Return the metrics of forecasts, first the mean absolute error, which groups are compared by too.

    The first two are means over steps and channels, on the scale on which each channel of the training stretch has a standard
    deviation of 1, as the literature reports them. The others speak of the target channel in its own unit.

    Args:
        unit: Unit of the target channel.
    """
    return (
        Metric(name="mean_absolute_error", compute=mean_of(ABSOLUTE), higher_is_better=False, lowest=0.0, judged=True),
        Metric(name="mean_squared_error", compute=mean_of(SQUARED), higher_is_better=False, lowest=0.0),
        Metric(
            name="channel_mean_absolute_error", compute=mean_of(CHANNEL_ABSOLUTE), higher_is_better=False, unit=unit, lowest=0.0
        ),
        Metric(
            name="channel_root_mean_squared_error",
            compute=root_mean_of(CHANNEL_SQUARED),
            higher_is_better=False,
            unit=unit,
            lowest=0.0,
        ),
    )

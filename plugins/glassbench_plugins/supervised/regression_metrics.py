"""Weighted metrics of predicted values."""

import numpy as np
import pandas as pd

from glassbench_plugins.supervised.rates import divide


def mean_absolute_error(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean distance between prediction and truth, in the target's unit.

    Args:
        frame: Columns `y_true` and `y_pred`, n rows.
        weights: `(b, n)`.

    Returns:
        `(b,)`, NaN where the weights sum to 0.
    """
    return divide(weights @ np.abs(_errors(frame)), weights.sum(axis=1))


def root_mean_squared_error(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the root of the mean squared error, in the target's unit, `(b,)`."""
    root: np.ndarray = np.sqrt(divide(weights @ _errors(frame) ** 2, weights.sum(axis=1)))
    return root


def r2(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of the truth's variance that predictions explain, `(b,)`; NaN where the truth does not vary."""
    truth = frame["y_true"].to_numpy(dtype=np.float64)
    mean = divide(weights @ truth, weights.sum(axis=1))
    spread = (weights * (truth - mean[:, None]) ** 2).sum(axis=1)
    return 1 - divide(weights @ _errors(frame) ** 2, spread)


def _errors(frame: pd.DataFrame) -> np.ndarray:
    errors: np.ndarray = frame["y_pred"].to_numpy(dtype=np.float64) - frame["y_true"].to_numpy(dtype=np.float64)
    return errors

"""Scores of predicted quantiles and intervals, per row; each is least, on average, for the true quantiles."""

import numpy as np


def pinball_loss(truth: np.ndarray, predicted: np.ndarray, level: float) -> np.ndarray:
    """Return the pinball loss of each row `(n,)`, in the unit of the values (Koenker and Bassett 1978).

    Args:
        truth: What was true `(n,)`.
        predicted: A quantile of it `(n,)`.
        level: Which quantile, between 0 and 1.

    Example:
        >>> pinball_loss(np.array([10.0, 10.0]), np.array([8.0, 12.0]), 0.9).round(6).tolist()
        [1.8, 0.2]
    """
    off = truth - predicted
    return np.asarray(np.maximum(level * off, (level - 1) * off))


def interval_score(truth: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float) -> np.ndarray:
    """Return the interval score of each row `(n,)`, in the unit of the values (Gneiting and Raftery 2007).

    The width of the interval, and where it misses the truth, by how much, times 2 over the share of misses that is allowed.

    Args:
        truth: What was true `(n,)`.
        low, high: Ends of the interval `(n,)`.
        coverage: The share of rows whose interval is said to hold the truth.

    Example:
        >>> interval_score(np.array([5.0, 12.0]), np.array([0.0, 0.0]), np.array([10.0, 10.0]), 0.9).round(6).tolist()
        [10.0, 50.0]
    """
    beyond = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return np.asarray(high - low + 2 / (1 - coverage) * beyond)

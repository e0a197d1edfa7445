"""Conformal prediction: how far predictions must reach to hold the truth of new rows with a stated chance."""

import math

import numpy as np


def conformal_limit(scores: np.ndarray, coverage: float, weight: np.ndarray | None = None) -> float:
    """Return the least score that a new row stays within with at least the stated chance (Vovk et al. 2005).

    It is the `ceil((n + 1) coverage)`-th smallest of n scores; infinite where there are too few of them (`fewest_rows`). With
    weights it is the weighted quantile, the new row having the mean weight (Tibshirani, Foygel Barber, Candès and Ramdas 2019).

    Args:
        scores: How far the truth of each row lies from its prediction `(n,)`, exchangeable with new rows.
        coverage: The chance.
        weight: What each row counts `(n,)`, in any unit; None where rows count alike.

    Example:
        >>> conformal_limit(np.arange(1.0, 20.0), 0.9), conformal_limit(np.arange(8.0), 0.9)
        (18.0, inf)
    """
    if weight is not None:
        order = np.argsort(scores, kind="stable")
        reached = np.cumsum(weight[order]) / weight.mean() >= (len(scores) + 1) * coverage - 1e-9
        return float(scores[order[reached.argmax()]]) if reached.any() else math.inf
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
    return float(np.partition(scores, rank - 1)[rank - 1]) if rank <= len(scores) else math.inf


def fewest_rows(coverage: float) -> int:
    """Return how many rows a finite limit needs.

    Example:
        >>> fewest_rows(0.9), fewest_rows(0.95), fewest_rows(0.5)
        (9, 19, 1)
    """
    return max(1, math.ceil(coverage / (1 - coverage) - 1e-9))

"""Intervals of cross-validated numbers, whose folds share training rows."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from glassbench.stats.estimate import Estimate


@dataclass(frozen=True)
class Folds:
    """How often numbers were measured in cross-validation.

    Args:
        of: Folds of one division of the rows.
        repeats: Divisions.
    """

    of: int
    repeats: int = 1

    def variance_of_mean(self, variance: float, count: int) -> float:
        """Return the variance of the mean of numbers of folds (Nadeau and Bengio 2003, Bouckaert and Frank 2004).

        Folds share training rows, so their numbers are not independent: the variance between them counts 1/n plus the ratio of
        test to training rows, 1/(k - 1).

        Args:
            variance: Variance between the numbers.
            count: How many there are; folds times repeats, unless some are missing.

        Example:
            >>> Folds(5).variance_of_mean(1.0, 5)
            0.45
        """
        return variance * (1 / count + 1 / (self.of - 1))


def fold_interval(values: np.ndarray, folds: Folds, level: float = 0.95) -> tuple[float, float] | None:
    """Return the corrected interval of the mean of numbers of folds `(n,)`, with Student's quantile; None for fewer than two."""
    if len(values) < 2:
        return None
    error = math.sqrt(folds.variance_of_mean(float(np.var(values, ddof=1)), len(values)))
    arm = float(stats.t.ppf(0.5 + level / 2, len(values) - 1)) * error
    return float(values.mean()) - arm, float(values.mean()) + arm


def nested(
    inner: np.ndarray, outer: np.ndarray, higher: bool, allowed: np.ndarray | None = None, level: float = 0.95
) -> tuple[Estimate, np.ndarray]:
    """Return what a candidate comes to that is chosen for each fold without its rows, and which one it was.

    Of each fold the candidate is taken whose number on inner folds of the other rows is best, and its number on that fold. No
    model that the choice rests on learnt from rows of the fold (Varma and Simon 2006, Bias in error estimation when using
    cross-validation for model selection).

    Args:
        inner: What each candidate comes to on inner folds of the rows outside a fold `(candidates, repeats, folds)`.
        outer: What it comes to on the fold `(candidates, repeats, folds)`.
        higher: Whether higher is better.
        allowed: Which candidates may be chosen for a fold, likewise; at least one for each. None for all.
        level: Confidence level of the corrected interval (Nadeau and Bengio 2003).

    Returns:
        The estimate, and the candidates chosen `(repeats, folds)`.

    Example:
        >>> inner, outer = np.array([[[1.0, 3.0]], [[2.0, 2.0]]]), np.array([[[0.1, 0.3]], [[0.2, 0.4]]])
        >>> found, chosen = nested(inner, outer, True)
        >>> chosen.tolist(), round(found.value, 2)
        ([[1, 0]], 0.25)
    """
    signed = inner if higher else -inner
    best = (signed if allowed is None else np.where(allowed, signed, -np.inf)).argmax(axis=0)
    judged = np.take_along_axis(outer, best[None], axis=0)[0].ravel()
    count, repeats, folds = outer.shape
    low, high = fold_interval(judged, Folds(folds, repeats), level) or (math.nan, math.nan)
    return Estimate.of(float(judged.mean()), low, high, level=level, n=count), best


def chosen_on_other_folds(values: np.ndarray, higher: bool, level: float = 0.95) -> Estimate:
    """Return what a candidate comes to that is chosen on some folds and judged on another.

    Of each fold the candidate is taken whose mean over the other folds of the same division is best, and its number on that fold.
    The mean of these is not flattered by the choice (Tibshirani and Tibshirani 2009; Varma and Simon 2006 train anew for each
    choice, which costs as many more runs as there are folds). The models that were chosen by did learn from rows of the fold.

    Args:
        values: Numbers `(candidates, repeats, folds)`.
        higher: Whether higher is better.
        level: Confidence level of the corrected interval.

    Example:
        >>> round(chosen_on_other_folds(np.array([[[0.4, 0.7, 0.9]], [[0.6, 0.6, 0.6]]]), True).value, 3)
        0.567
    """
    count, repeats, folds = values.shape
    signed = values if higher else -values
    others = (signed.sum(axis=2, keepdims=True) - signed) / max(1, folds - 1)
    best = others.argmax(axis=0)
    judged = np.take_along_axis(values, best[None], axis=0)[0].ravel()
    ends = fold_interval(judged, Folds(folds, repeats), level)
    low, high = ends or (math.nan, math.nan)
    return Estimate.of(float(judged.mean()), low, high, level=level, n=count)

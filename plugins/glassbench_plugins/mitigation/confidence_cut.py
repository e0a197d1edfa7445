"""The lowest score with which a row is decided, chosen by coverage or by the error that stays."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

_COVERAGES = tuple(step / 20 for step in range(20, 0, -1))
"""Shares of rows that are decided, among which one is chosen by its error."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which rows are decided.

    Args:
        score: The lowest score of a row that is decided.
        bound: What the error among decided rows surely does not exceed; None where no error was asked for.
        met: Whether that is at most what was asked for.
    """

    score: float
    bound: float | None = None
    met: bool = True


def of_coverage(score: np.ndarray, held: np.ndarray, coverage: float) -> Cut:
    """Return the highest cut that decides at least a share of the rows; rows of one score are decided together.

    Args:
        score: The score of each row's predicted class `(n,)`.
        held: What each row counts `(n,)`.
        coverage: The share.

    Example:
        >>> of_coverage(np.array([0.5, 0.9, 0.7, 0.6]), np.ones(4), 0.75).score
        0.6
    """
    order = np.argsort(-score, kind="stable")
    covered = np.cumsum(held[order]) / held.sum()
    place = min(int(np.searchsorted(covered, coverage - 1e-12)), len(order) - 1)
    return Cut(score=float(score[order[place]]))


def of_error(
    score: np.ndarray, wrong: np.ndarray, held: np.ndarray, error: float, confidence: float, *, counted: bool = False
) -> Cut:
    """Return the lowest cut whose error among decided rows is surely at most that asked for.

    Cuts at twenty coverages, from all rows to one in twenty, are each held against an upper bound (Clopper and Pearson) at a
    level corrected for their number (Bonferroni), so that whichever is chosen holds. Where none is met, it is the cut with the
    smallest bound.

    Args:
        score: The score of each row's predicted class `(n,)`.
        wrong: Whether that class is wrong `(n,)`.
        held: What each row counts `(n,)`: whole numbers of equal rows, or survey weights.
        error: The largest error among decided rows.
        confidence: How sure it must be.
        counted: Whether `held` counts equal rows.
    """
    level = 1 - (1 - confidence) / len(_COVERAGES)
    found = []
    for coverage in _COVERAGES:
        cut = of_coverage(score, held, coverage).score
        bound = upper_bound(wrong[score >= cut], held[score >= cut], level, counted=counted)
        found.append(Cut(score=cut, bound=bound, met=bound <= error))
    return next((cut for cut in found if cut.met), min(found, key=lambda cut: cut.bound or 0.0))


def upper_bound(wrong: np.ndarray, held: np.ndarray, level: float, *, counted: bool = False) -> float:
    """Return the one-sided upper limit of a share of rows (Clopper and Pearson); of survey weights by Kish's effective size.

    Args:
        wrong: Which rows are wrong `(n,)`.
        held: What each counts `(n,)`.
        level: The confidence level.
        counted: Whether `held` counts equal rows.

    Example:
        >>> round(upper_bound(np.zeros(59, dtype=bool), np.ones(59), 0.95), 3)
        0.05
    """
    size = held.sum() if counted else held.sum() ** 2 / np.square(held).sum()
    hits = size * float(np.average(wrong, weights=held))
    return 1.0 if hits >= size else float(beta.ppf(level, hits + 1, size - hits))


def least_rows(error: float, confidence: float) -> int:
    """Return how few validation rows can show an error if none were wrong.

    Example:
        >>> least_rows(0.05, 0.95)
        117
    """
    return math.ceil(math.log((1 - confidence) / len(_COVERAGES)) / math.log1p(-error))

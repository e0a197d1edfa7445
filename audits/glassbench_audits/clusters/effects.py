"""How far a feature sets a cluster apart, on one scale for numbers and categories."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from glassbench.stats.intervals import mover_difference, wilson


@dataclass(frozen=True)
class Effect:
    """How a feature differs between a cluster and all other rows.

    Args:
        value: From -1 to 1: of a number the chance that a member's is higher minus the chance that it is lower (Cliff's
            delta), of a category the difference of its shares.
        low, high: Ends of the interval.
        category: The category that differs most, or None for a number.
        inside, outside: Median, or share of the category, among members and among the others.
    """

    value: float
    low: float
    high: float
    category: str | None
    inside: float
    outside: float


def effect(values: pd.Series, member: np.ndarray, level: float) -> Effect | None:
    """Return how a feature differs between members and others, or None where either has no value of it.

    Args:
        values: Numbers or text `(n,)`; rows without a value are left out.
        member: Who is in the cluster, bool `(n,)`.
        level: Confidence level of the interval.
    """
    known = values.notna().to_numpy()
    values, member = values[known], member[known]
    if not member.any() or member.all():
        return None
    if pd.api.types.is_numeric_dtype(values):
        return _of_numbers(values.to_numpy(dtype=np.float64), member, level)
    return _of_categories(values.astype(str).to_numpy(), member, level)


def dominance_interval(chance: float, inside: int, outside: int, level: float) -> tuple[float, float]:
    """Return the interval of the chance that one group's number is above the other's, ties one half.

    The score interval of Newcombe (2006, method 5), with the variance of Hanley and McNeil; it has a width even where the
    groups do not overlap.

    Example:
        >>> low, high = dominance_interval(0.5, 50, 50, 0.95)
        >>> round(low, 2), round(high, 2)
        (0.39, 0.61)
    """
    z = float(ndtri(0.5 + level / 2))
    between = (inside + outside) / 2 - 1

    def excess(x: float) -> float:
        variance = x * (1 - x) * (1 + between * ((1 - x) / (2 - x) + x / (1 + x))) / (inside * outside)
        return float(abs(chance - x) - z * np.sqrt(variance))

    return _root(excess, chance, 0.0), _root(excess, chance, 1.0)


def _of_numbers(values: np.ndarray, member: np.ndarray, level: float) -> Effect:
    inside, outside = int(member.sum()), int((~member).sum())
    ranks = rankdata(values)
    chance = float((ranks[member].sum() - inside * (inside + 1) / 2) / (inside * outside))
    low, high = dominance_interval(chance, inside, outside, level)
    medians = float(np.median(values[member])), float(np.median(values[~member]))
    return Effect(2 * chance - 1, 2 * low - 1, 2 * high - 1, None, *medians)


def _of_categories(values: np.ndarray, member: np.ndarray, level: float) -> Effect:
    codes, names = pd.factorize(values, sort=True)
    counts = [np.bincount(codes[side], minlength=len(names)) for side in (member, ~member)]
    (a, low_a, high_a), (b, low_b, high_b) = ((c / c.sum(), *wilson(c, np.full(len(c), c.sum()), level)) for c in counts)
    low, high = mover_difference((a, low_a, high_a), (b, low_b, high_b))
    k = int(np.abs(a - b).argmax())
    return Effect(float(a[k] - b[k]), float(low[k]), float(high[k]), str(names[k]), float(a[k]), float(b[k]))


def _root(excess: Callable[[float], float], inner: float, outer: float) -> float:
    """Bisect between a point inside the interval and one outside it."""
    for _ in range(60):
        middle = (inner + outer) / 2
        if excess(middle) > 0:
            outer = middle
        else:
            inner = middle
    return (inner + outer) / 2

"""The global picture: how much each unit moves decisions, how sure that is, and in which direction."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from glassbench.intervals import bootstrap


@dataclass(frozen=True, eq=False, kw_only=True)
class Importance:
    """Mean absolute attribution per unit, each array `(units,)`.

    Args:
        mean: The point value.
        low, high: Ends of the bootstrap interval over rows.
        share: Share of the sum over units.
        direction: Rank correlation between a unit's value and its attribution, -1 to 1; NaN where a unit has no order
            or rows explain different things.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    direction: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """Units from the most to the least important."""
        return np.argsort(-self.mean, kind="stable")


def importance(
    attributions: np.ndarray,
    direction: np.ndarray,
    generator: np.random.Generator,
    *,
    replicates: int,
    level: float,
) -> Importance:
    """Return the global importance of attributions `(n, units)`, with bootstrap intervals over rows."""
    size = np.abs(attributions)
    n = len(size)
    low, high = bootstrap(lambda weights: weights @ size / n, n, generator, replicates=replicates, level=level)
    mean = size.mean(axis=0)
    total = mean.sum()
    share = mean / total if total > 0 else np.zeros_like(mean)
    return Importance(mean=mean, low=low, high=high, share=share, direction=direction)


def rank_correlation(a: np.ndarray, b: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return Spearman's rank correlation of `a` and `b` along `axis`; NaN where one of them does not vary."""
    ranks = [rankdata(values, axis=axis) for values in (a, b)]
    x, y = (r - r.mean(axis=axis, keepdims=True) for r in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: np.ndarray = (x * y).sum(axis=axis) / np.sqrt((x * x).sum(axis=axis) * (y * y).sum(axis=axis))
    return result


def directions(values: np.ndarray, attributions: np.ndarray, sides: np.ndarray | None) -> np.ndarray:
    """Return in which direction each unit pushes `(units,)`: 1 when higher values push up, -1 when down.

    Attributions speak of the output that each row's decision took. Rows that took the other one of two are therefore
    read with the opposite sign, each side is ranked on its own, and the sides are averaged by their rows.

    Args:
        values: Value of each unit, `(n, units)`, NaN where it has none.
        attributions: Attributions `(n, units)`.
        sides: 1 for rows explained on the side the direction speaks of, -1 for the other `(n,)`; None where no single
            side exists.
    """
    if sides is None:
        return np.full(attributions.shape[1], np.nan)
    total, weight = np.zeros(attributions.shape[1]), np.zeros(attributions.shape[1])
    for side in (1, -1):
        chosen = sides == side
        if chosen.sum() < 3:
            continue
        correlation = side * rank_correlation(values[chosen], attributions[chosen])
        known = np.isfinite(correlation)
        total[known] += chosen.sum() * correlation[known]
        weight[known] += chosen.sum()
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)

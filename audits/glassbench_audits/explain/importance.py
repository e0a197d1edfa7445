"""The global picture: how much each unit moves decisions, how sure that is, and in which direction."""

from dataclasses import dataclass

import numpy as np

from glassbench.stats.intervals import bootstrap


@dataclass(frozen=True, eq=False, kw_only=True)
class Importance:
    """Mean absolute attribution per unit, each array `(units,)`.

    Args:
        mean: The point value.
        low, high: Ends of the bootstrap interval over rows.
        share: Share of the sum over units.
        direction: Rank correlation between a unit's value and its attribution, -1 to 1; NaN where a unit has no order
            or rows explain different things.
        leading: For a category the value that pushes most and whether up, else None.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    direction: np.ndarray
    leading: tuple[tuple[str, bool] | None, ...]

    @property
    def order(self) -> np.ndarray:
        """Units from the most to the least important."""
        return np.argsort(-self.mean, kind="stable")

    @property
    def leaders(self) -> np.ndarray:
        """The most important unit, and those after it whose interval overlaps its own: which of them matters more is open."""
        first, *others = self.order
        return np.array([first, *(unit for unit in others if self.high[unit] >= self.low[first])], dtype=int)


def importance(
    attributions: np.ndarray,
    direction: np.ndarray,
    leading: tuple[tuple[str, bool] | None, ...],
    generator: np.random.Generator,
    *,
    replicates: int,
    level: float,
    units: np.ndarray | None = None,
) -> Importance:
    """Return the global importance of attributions `(n, units)`, with bootstrap intervals over rows.

    Where rows hang together, `units` says which independent unit each is of `(n,)`, and units are resampled.
    """
    size = np.abs(attributions)
    n = len(size)
    codes = None if units is None else np.unique(units, return_inverse=True)[1]

    def weighted(weights: np.ndarray) -> np.ndarray:
        mean: np.ndarray = weights @ size / weights.sum(axis=1, keepdims=True)
        return mean

    low, high = bootstrap(weighted, n, generator, replicates=replicates, level=level, clusters=codes)
    mean = size.mean(axis=0)
    total = mean.sum()
    share = mean / total if total > 0 else np.zeros_like(mean)
    return Importance(mean=mean, low=low, high=high, share=share, direction=direction, leading=leading)

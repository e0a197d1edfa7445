"""The global picture: how much each unit moves decisions, how sure that is, and in which direction."""

from dataclasses import dataclass

import numpy as np

from glassbench.stats.intervals import bootstrap
from glassbench_audits.attribution.directions import Direction


@dataclass(frozen=True, eq=False, kw_only=True)
class Importance:
    """Mean absolute attribution per feature group, each array `(groups,)`.

    Args:
        mean: The point value.
        low, high: Ends of the bootstrap interval over rows.
        share: Share of the sum over feature groups.
        directions: Which way each unit pushes; nowhere where it is not known or rows explain different things.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    directions: tuple[Direction, ...]

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
    directions: tuple[Direction, ...],
    generator: np.random.Generator,
    *,
    replicates: int,
    level: float,
    clusters: np.ndarray | None = None,
) -> Importance:
    """Return the global importance of attributions `(n, groups)`, with bootstrap intervals over rows.

    Where rows hang together, `clusters` says which independent cluster each is of `(n,)`, and clusters are resampled.
    """
    size = np.abs(attributions)
    n = len(size)
    codes = None if clusters is None else np.unique(clusters, return_inverse=True)[1]

    def weighted(weights: np.ndarray) -> np.ndarray:
        mean: np.ndarray = weights @ size / weights.sum(axis=1, keepdims=True)
        return mean

    low, high = bootstrap(weighted, n, generator, replicates=replicates, level=level, clusters=codes)
    mean = size.mean(axis=0)
    total = mean.sum()
    share = mean / total if total > 0 else np.zeros_like(mean)
    return Importance(mean=mean, low=low, high=high, share=share, directions=directions)

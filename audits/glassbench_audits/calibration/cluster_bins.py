"""The calibration error of rows that hang together in clusters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from glassbench.stats.clusters import by_group

_CELLS = 4_000_000
"""Weights drawn at a time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterBins:
    """Deviations of what came true from what was stated, summed by cluster and bin.

    Args:
        gap: Sum of the deviations `(clusters, bins)`.
        n: Rows `(clusters, bins)`.
    """

    gap: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, deviation: np.ndarray, member: np.ndarray, clusters: np.ndarray) -> Self:
        """Sum deviations `(n,)` by cluster and bin `(n,)`."""
        bins = int(member.max()) + 1
        return cls(gap=by_group(deviation, member, bins, clusters), n=by_group(np.ones(len(member)), member, bins, clusters))

    def error(self, weights: np.ndarray | None = None, signs: np.ndarray | None = None) -> np.ndarray:
        """Return the mean squared calibration error under cluster weights, or signs, `(b, clusters)`.

        A bin's squared gap is expected to be its variance between clusters even where nothing is wrong; that part is taken off.
        """
        times = np.ones((1 if signs is None else len(signs), len(self.n))) if weights is None else weights
        signed = times if signs is None else signs
        n, gap = times @ self.n, signed @ self.gap
        seen = times @ (self.n > 0)
        mean = np.divide(gap, n, out=np.zeros_like(gap), where=n > 0)
        squares = times @ self.gap**2 - 2 * mean * (signed @ (self.gap * self.n)) + mean**2 * (times @ self.n**2)
        correction = np.divide(seen, seen - 1, out=np.zeros_like(seen), where=seen > 1)
        variance = np.divide(squares * correction, n**2, out=np.zeros_like(n), where=n > 0)
        counted = np.where(seen > 1, n, 0.0)
        total = np.maximum(counted.sum(axis=1), 1)
        return np.asarray((counted * (mean**2 - variance)).sum(axis=1) / total)

    def resampled(self, replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Return the error under resampled clusters `(replicates,)`."""
        chance = np.full(len(self.n), 1 / len(self.n))
        return self._drawn(replicates, lambda size: self.error(1.0 * generator.multinomial(len(self.n), chance, size=size)))

    def flipped(self, replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Return the error where each cluster's deviations change sign at random `(replicates,)`."""
        return self._drawn(
            replicates, lambda size: self.error(signs=2.0 * generator.integers(0, 2, size=(size, len(self.n))) - 1)
        )

    def _drawn(self, replicates: int, draw: Callable[[int], np.ndarray]) -> np.ndarray:
        step = max(1, _CELLS // len(self.n))
        return np.concatenate([draw(min(step, replicates - start)) for start in range(0, replicates, step)])

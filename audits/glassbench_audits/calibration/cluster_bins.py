"""The calibration error of rows that hang together in clusters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from glassbench.stats.clusters import by_group

_CELLS = 4_000_000
"""Weights drawn at a time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterBins:
    """Deviations of what came true from what was stated, summed by cluster and bin.

    Args:
        gap: Sum of the deviations `(clusters, bins)`.
        n: Rows `(clusters, bins)`, of a survey their weight.
        weight: What each row counts `(n,)`.
    """

    gap: np.ndarray
    n: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, deviation: np.ndarray, member: np.ndarray, clusters: np.ndarray, weight: np.ndarray | None = None) -> Self:
        """Sum deviations `(n,)`, times the weights of rows where they have any, by cluster and bin `(n,)`."""
        bins, one = int(member.max()) + 1, np.ones(len(member)) if weight is None else weight
        return cls(gap=by_group(deviation * one, member, bins, clusters), n=by_group(one, member, bins, clusters), weight=one)

    @property
    def plain(self) -> float:
        """The mean squared calibration error, chance included."""
        gap, n = self.gap.sum(axis=0), self.n.sum(axis=0)
        counted = np.where((self.n > 0).sum(axis=0) > 1, n, 0.0)
        return float(counted @ (gap / n) ** 2 / counted.sum()) if counted.any() else 0.0

    def error(self, weights: np.ndarray | None = None, signs: np.ndarray | None = None) -> np.ndarray:
        """Return the mean squared calibration error under cluster weights, or signs, `(b, clusters)`.

        A bin's squared gap is expected to be its variance between clusters even where nothing is wrong; that part is taken off.
        """
        times = np.ones((1 if signs is None else len(signs), len(self.n))) if weights is None else weights
        signed = times if signs is None else signs
        squares = times @ self.gap**2, signed @ (self.gap * self.n), times @ self.n**2
        return _freed(signed @ self.gap, times @ self.n, times @ (self.n > 0), *squares)

    def resampled(self, replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Return the error under resampled clusters `(replicates,)`."""
        chance = np.full(len(self.n), 1 / len(self.n))
        return self._drawn(replicates, lambda size: self.error(1.0 * generator.multinomial(len(self.n), chance, size=size)))

    def flipped(self, replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Return the error where each cluster's deviations change sign at random `(replicates,)`."""
        return self._drawn(
            replicates, lambda size: self.error(signs=2.0 * generator.integers(0, 2, size=(size, len(self.n))) - 1)
        )

    def stated_true(
        self,
        stated: np.ndarray,
        came: np.ndarray,
        member: np.ndarray,
        clusters: np.ndarray,
        replicates: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Return the error where every stated probability is true and rows of a cluster come true together `(replicates,)`.

        Each row follows a draw of its whole cluster so often that rows of one cluster are as correlated as those seen. Unlike
        signs that change, such truths are as lopsided as rare events are.

        Args:
            stated: Probabilities `(n,)`.
            came: Whether each came true, 0 or 1 `(n,)`.
            member: The bin of each row `(n,)`.
            clusters: Which cluster each row is of, numbered from 0 `(n,)`.
            replicates: How many.
            generator: Source of the draws.
        """
        follows, bins = within_correlation(stated, came, clusters) ** 0.5, self.n.shape[1]
        cells = csr_array((self.weight, (clusters * bins + member, np.arange(len(stated)))), shape=(self.n.size, len(stated)))
        times, step = (self.n > 0).sum(axis=0), max(1, _CELLS // max(len(stated), self.n.size))
        found = []
        for start in range(0, replicates, step):
            size = min(step, replicates - start)
            common = generator.random((size, len(self.n)))[:, clusters]
            own = generator.random((size, len(stated)))
            drawn = np.where(generator.random((size, len(stated))) < follows, common, own) < stated
            gap = (cells @ (drawn - stated).T).T.reshape(size, *self.n.shape)
            squares = (gap**2).sum(axis=1), (gap * self.n).sum(axis=1), (self.n**2).sum(axis=0)
            found.append(_freed(gap.sum(axis=1), self.n.sum(axis=0), times, *squares))
        return np.concatenate(found)

    def _drawn(self, replicates: int, draw: Callable[[int], np.ndarray]) -> np.ndarray:
        step = max(1, _CELLS // len(self.n))
        return np.concatenate([draw(min(step, replicates - start)) for start in range(0, replicates, step)])


def within_correlation(stated: np.ndarray, came: np.ndarray, clusters: np.ndarray) -> float:
    """Return how correlated the deviations of two rows of one cluster are, 0 to 1, by moments over all pairs.

    Args:
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        clusters: Which cluster each row is of, numbered from 0 `(n,)`.
    """
    deviation = (came - stated) / np.sqrt(np.maximum(stated * (1 - stated), 1e-6))
    sums, squares, sizes = (np.bincount(clusters, values) for values in (deviation, deviation**2, np.ones(len(stated))))
    pairs, size = float((sizes * (sizes - 1)).sum()), float(squares.sum() / len(stated))
    return float(np.clip((sums**2 - squares).sum() / pairs / size, 0, 1)) if pairs > 0 and size > 0 else 0.0


def _freed(
    gap: np.ndarray, n: np.ndarray, seen: np.ndarray, squares: np.ndarray, products: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """Return the mean squared gap over bins, freed of what the variance between clusters puts there `(b,)`.

    Args:
        gap, n, seen: Sum of the deviations, rows and clusters of each bin `(b, bins)`.
        squares, products, sizes: Sums over clusters of squared deviations, deviations times rows, and squared rows `(b, bins)`.
    """
    n, seen = np.broadcast_to(n, gap.shape).astype(float), np.broadcast_to(seen, gap.shape).astype(float)
    mean = np.divide(gap, n, out=np.zeros(gap.shape), where=n > 0)
    between = squares - 2 * mean * products + mean**2 * sizes
    correction = np.divide(seen, seen - 1, out=np.zeros(gap.shape), where=seen > 1)
    variance = np.divide(between * correction, n**2, out=np.zeros(gap.shape), where=n > 0)
    counted = np.where(seen > 1, n, 0.0)
    return np.asarray((counted * (mean**2 - variance)).sum(axis=1) / np.maximum(counted.sum(axis=1), 1))

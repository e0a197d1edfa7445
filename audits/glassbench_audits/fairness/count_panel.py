"""Rates per group from confusion counts."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from glassbench.stats.intervals import Limits, wilson
from glassbench_audits.fairness.groups import Group
from glassbench_audits.fairness.panel import Panel
from glassbench_audits.fairness.rates import Line, share, shares

_BLOCK = 4_000_000
"""Cells drawn at a time."""

_NORMAL = 100
"""Rows times the variance of one row from which on a share is taken as normal under chance."""


class CountPanel(Panel):
    """Rates from confusion counts, with Wilson's intervals; resampling draws each group's cells from a multinomial.

    Args:
        groups: The groups.
        counts: Rows by truth and decision `(groups, classes, classes)`.
        lines: What the counts yield, as `rates.lines` says for the same focus.
        focus: Positions of the classes whose rates are asked for.
        truth: Whether the truth is known; if not, counts hold each row under its decision.
        replicates: How many resamples.
        generator: Source of the resamples.
        clusters: The same counts per cluster `(clusters, groups, classes, classes)` where rows hang together: clusters are
            then resampled, and intervals and chance rest on as many independent rows as would vary so much (Kish 1965).
    """

    ratios = True

    def __init__(
        self,
        groups: tuple[Group, ...],
        counts: np.ndarray,
        lines: tuple[Line, ...],
        focus: Sequence[int],
        *,
        truth: bool,
        replicates: int,
        generator: np.random.Generator,
        clusters: np.ndarray | None = None,
    ) -> None:
        self.groups, self.lines = groups, lines
        self._kept: dict[float, Limits] = {}
        self.rows = counts.sum(axis=(1, 2))
        self.part, self.n = shares(counts, focus, truth=truth)
        self.value = share(self.part, self.n)
        self._size, self._whole_size = self.n.astype(float), self.n.sum(axis=1).astype(float)
        if clusters is None:
            self.draws = resample(counts, focus, replicates, generator, truth=truth)
            return
        self.draws = resample_units(clusters, focus, replicates, generator, truth=truth)
        together = clusters.sum(axis=1, keepdims=True)
        whole = resample_units(together, focus, replicates, generator, truth=truth)
        overall = share(self.part.sum(axis=1), self.n.sum(axis=1))[:, None]
        seen = [(shares(part, focus, truth=truth)[1] > 0).sum(axis=0) for part in (clusters, together)]
        self._size = effective_size(self.value, self.n, self.draws, seen[0])
        self._whole_size = effective_size(overall, self.n.sum(axis=1)[:, None], whole, seen[1])[:, 0]

    def limits(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None = None) -> Limits:
        """Return the rates with Wilson's intervals; those of all lines at one critical value are kept."""
        if which is not None:
            return _wilson(self.value[np.asarray(which)], self._size[np.asarray(which)], z)
        if not isinstance(z, float):
            return _wilson(self.value, self._size, z)
        if z not in self._kept:
            self._kept[z] = _wilson(self.value, self._size, z)
        return self._kept[z]

    def overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the rates over all rows."""
        part, whole = self.part.sum(axis=1), self.n.sum(axis=1)
        return _wilson(share(part, whole), self._whole_size, z), whole

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw the numerators from one rate shared by all groups, the denominators held fixed."""
        whole = np.maximum(np.round(self._size[list(which)]).astype(np.int64), self.n[list(which)] > 0)
        drawn = generator.binomial(whole, self._shared(which), size=(replicates, *whole.shape))
        return share(drawn, np.broadcast_to(whole, drawn.shape))

    def alike(self, which: Sequence[int]) -> np.ndarray:
        """Return the binomial standard deviation around one rate shared by all groups, where counts are large."""
        shared, size = self._shared(which), self._size[list(which)]
        variance = np.broadcast_to(shared * (1 - shared), size.shape)
        large = size * variance >= _NORMAL
        return np.asarray(np.sqrt(np.divide(variance, size, out=np.full(size.shape, np.nan), where=large)))

    def _shared(self, which: Sequence[int]) -> np.ndarray:
        part, whole = self.part[list(which)], self.n[list(which)]
        return np.asarray(np.nan_to_num(share(part.sum(axis=1), whole.sum(axis=1)))[:, None])


def resample(
    counts: np.ndarray, focus: Sequence[int], replicates: int, generator: np.random.Generator, *, truth: bool = True
) -> np.ndarray:
    """Draw each group's confusion cells anew, its number of rows held fixed, and return the rates.

    Exact: resampling rows within a group moves its counts just so.

    Args:
        counts: Rows by truth and decision `(groups, classes, classes)`.
        focus: Positions of the classes whose rates are asked for.
        replicates: How many resamples.
        generator: Source of the resamples.
        truth: Whether the truth is known.

    Returns:
        Rates `(replicates, lines, groups)`, NaN where a resample has an empty denominator.
    """
    flat = counts.reshape(len(counts), -1)
    step = max(1, _BLOCK // (replicates * flat.shape[1]))
    blocks = []
    for start in range(0, len(flat), step):
        cells = flat[start : start + step]
        n = cells.sum(axis=1)
        drawn = generator.multinomial(n, cells / n[:, None], size=(replicates, len(cells)))
        part, whole = shares(drawn.reshape(replicates, len(cells), *counts.shape[1:]), focus, truth=truth)
        blocks.append(share(part, whole))
    return np.concatenate(blocks, axis=-1)


def resample_units(
    counts: np.ndarray, focus: Sequence[int], replicates: int, generator: np.random.Generator, *, truth: bool = True
) -> np.ndarray:
    """Draw whole clusters anew and return the rates `(replicates, lines, groups)`, NaN where a resample has an empty denominator.

    Args:
        counts: Rows by cluster, truth and decision `(clusters, groups, classes, classes)`.
        focus: Positions of the classes whose rates are asked for.
        replicates: How many resamples.
        generator: Source of the resamples.
        truth: Whether the truth is known.
    """
    weights = generator.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=replicates)
    drawn = (weights @ counts.reshape(len(counts), -1)).reshape(replicates, *counts.shape[1:])
    part, whole = shares(drawn, focus, truth=truth)
    return share(part, whole)


def effective_size(value: np.ndarray, n: np.ndarray, draws: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return how many independent rows would make a rate vary as much as its resamples do, shaped like the rate.

    At most n; the number of clusters where every row of every cluster says the same.

    Args:
        value: The rates `(lines, groups)`.
        n: Their denominators.
        draws: Their resamples `(replicates, lines, groups)`.
        clusters: How many clusters have rows in each denominator.
    """
    defined = np.isfinite(draws)
    count = np.maximum(defined.sum(axis=0), 1)
    centre = np.where(defined, draws, 0).sum(axis=0) / count
    variance = np.where(defined, (draws - centre) ** 2, 0).sum(axis=0) / count
    spread = np.nan_to_num(value * (1 - value))
    varies = (variance > 0) & (spread > 0)
    size = np.where(varies, spread / np.where(varies, variance, 1), clusters)
    return np.asarray(np.minimum(size, n), dtype=float)


def _wilson(rate: np.ndarray, size: np.ndarray, z: float | np.ndarray) -> Limits:
    successes = np.multiply(rate, size, out=np.zeros(rate.shape), where=size > 0)
    return rate, *wilson(successes, size, np.asarray(2 * ndtr(z) - 1))

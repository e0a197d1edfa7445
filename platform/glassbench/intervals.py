"""Intervals for what is measured on a sample of rows."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import ndtri

_CELLS = 4_000_000
"""Weights held in memory at a time while resampling rows."""


def wilson(successes: np.ndarray, n: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of Wilson (1927) for `successes` out of `n`, NaN where n is 0.

    Args:
        successes: Counts, any shape.
        n: Denominators, same shape.
        level: Confidence level.

    Example:
        >>> low, high = wilson(np.array([7.0]), np.array([10.0]))
        >>> bool(abs(low[0] - 0.3968) < 1e-4 and abs(high[0] - 0.8922) < 1e-4)
        True
    """
    successes, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    z2 = float(ndtri(0.5 + level / 2)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = successes / n
        centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
        return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def resampled_weights(n: int, replicates: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield bootstrap weights in blocks `(b, n)`: how often each row was drawn in n draws with replacement."""
    block = max(1, min(replicates, _CELLS // max(n, 1)))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        draws = generator.integers(0, n, size=(size, n)) + (np.arange(size) * n)[:, None]
        yield np.bincount(draws.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    n: int,
    generator: np.random.Generator,
    *,
    replicates: int = 1000,
    level: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of a weighted statistic under resampling of n rows.

    Args:
        statistic: From weights `(b, n)` to values `(b, ...)`.
        n: Rows.
        generator: Source of the resamples.
        replicates: How many resamples.
        level: Confidence level.

    Returns:
        Low and high ends, each shaped like one value; NaN where more than half of the resamples are undefined.
    """
    values = np.concatenate([statistic(weights) for weights in resampled_weights(n, replicates, generator)])
    return percentile(values, level)


def percentile(replicates: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the central interval of replicates `(b, ...)`, ignoring undefined ones; NaN where fewer than half are defined."""
    replicates = np.asarray(replicates, dtype=float)
    defined = np.isfinite(replicates).mean(axis=0) >= 0.5
    safe = np.where(np.isfinite(replicates) | ~defined, replicates, np.nan)
    safe = np.where(defined, safe, 0.0)
    low, high = np.nanquantile(safe, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)

"""Intervals for what is measured on a sample of rows."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

CELLS = 4_000_000
"""Weights held in memory at a time while resampling rows."""

_BEYOND = 0.25
"""Share of the observed outcome that counts as beyond it: 0 gives Clopper and Pearson's interval, 0.5 about Jeffreys'."""


def wilson(successes: np.ndarray, n: np.ndarray, level: float | np.ndarray = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of Wilson (1927) for `successes` out of `n`, NaN where n is 0.

    Args:
        successes: Counts, any shape.
        n: Denominators, same shape.
        level: Confidence level, or several that broadcast.

    Example:
        >>> low, high = wilson(np.array([7.0]), np.array([10.0]))
        >>> bool(abs(low[0] - 0.3968) < 1e-4 and abs(high[0] - 0.8922) < 1e-4)
        True
    """
    successes, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return score_interval(successes / n, n, ndtri(0.5 + np.asarray(level) / 2))


def student_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the ends of Student's interval of the mean of independent values `(n,)`; infinite of fewer than two.

    For means over repetitions, such as refits or random draws; numbers of rows take `glassbench.stats.inference`, which also
    corrects for skewness.

    Example:
        >>> [round(end, 2) for end in student_interval(np.array([1.0, 2.0, 3.0]))]
        [-0.48, 4.48]
    """
    n = len(values)
    if n < 2:
        return -np.inf, np.inf
    mean, half = float(values.mean()), float(stdtrit(n - 1, 0.5 + level / 2) * values.std(ddof=1) / np.sqrt(n))
    return mean - half, mean + half


def rate_interval(successes: np.ndarray, n: np.ndarray, level: float | np.ndarray = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of the share of `successes` in `n`, NaN where n is 0.

    Halfway between Clopper and Pearson's (1934) exact interval, which misses too rarely, and Jeffreys', whose misses on one side
    rise to 4.8 %: quantiles of beta distributions that count a quarter of the observed outcome as beyond. From five events on
    either side up it holds the truth in 94 to 98 % and misses in at most 3.5 % on either side (docs/explanation/calibration.md);
    Wilson's misses in up to 4.7 % from below.

    Args:
        successes: Counts, whole or not, any shape.
        n: Denominators, same shape.
        level: Confidence level, or several that broadcast.

    Example:
        >>> low, high = rate_interval(np.array([0.0, 7.0]), np.array([10.0, 10.0]))
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 0.371], [0.266, 0.921])
    """
    k, n, tail = np.asarray(successes, dtype=float), np.asarray(n, dtype=float), (1 - np.asarray(level)) / 2
    none, all_ = k <= 1e-9 * n, k >= n * (1 - 1e-9)
    low = betaincinv(np.where(none, 1, k + _BEYOND), np.maximum(n - k + 1 - _BEYOND, 0.5), tail)
    high = betaincinv(k + 1 - _BEYOND, np.where(all_, 1, n - k + _BEYOND), 1 - tail)
    empty = n <= 0
    return np.where(empty, np.nan, np.where(none, 0.0, low)), np.where(empty, np.nan, np.where(all_, 1.0, high))


def score_interval(share: np.ndarray, n: np.ndarray, z: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval around shares that vary as those of `n` independent rows do: never beyond 0 and 1.

    It serves whatever lies between 0 and 1, once n is how many rows would vary as much (Newcombe 2006, "Confidence intervals for
    an effect size measure based on the Mann-Whitney statistic", does so for areas under the ROC curve). A share of exactly 0 has
    0 for its low end, one of exactly 1 has 1 for its high end; where n is 0 the interval is all from 0 to 1.

    Args:
        share: Shares, any shape; NaN yields NaN.
        n: How many rows each rests on, whole or not, same shape.
        z: Critical values that broadcast.

    Example:
        >>> low, high = score_interval(np.array([0.0, 1.0]), np.array([10.0, 10.0]), 1.96)
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 0.722], [0.278, 1.0])
    """
    share, n, z2 = np.asarray(share, dtype=float), np.asarray(n, dtype=float), np.square(z)
    centre = (n * share + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (n * np.maximum(share * (1 - share), 0) + z2 / 4)) / (n + z2)
    return np.where(share <= 0, 0.0, np.clip(centre - half, 0, 1)), np.where(share >= 1, 1.0, np.clip(centre + half, 0, 1))


def around(value: float | np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of an interval, moved so far that its value lies in it: resamples of a biased statistic may all miss it.

    Example:
        >>> low, high = around(0.0, np.array(-0.3), np.array(-0.1))
        >>> float(low), float(high)
        (-0.3, 0.0)
    """
    return np.where(value < low, value, low), np.where(value > high, value, high)


def resampled_weights(
    n: int, replicates: int, generator: np.random.Generator, clusters: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield bootstrap weights in blocks `(b, n)`: how often each row was drawn in n draws with replacement.

    Args:
        n: Rows.
        replicates: How many resamples.
        generator: Source of the resamples.
        clusters: Which cluster each row is of, `(n,)` numbered from 0, where rows hang together (steps of an episode,
            visits of a patient): clusters are drawn instead, and rows get the weight of theirs. None where rows are independent.
    """
    drawn = n if clusters is None else int(clusters.max(initial=-1)) + 1
    block = max(1, min(replicates, CELLS // max(n, 1)))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        draws = generator.integers(0, drawn, size=(size, drawn)) + (np.arange(size) * drawn)[:, None]
        weights = np.bincount(draws.ravel(), minlength=size * drawn).reshape(size, drawn).astype(np.float64)
        yield weights if clusters is None else weights[:, clusters]


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    n: int,
    generator: np.random.Generator,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    clusters: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of a weighted statistic under resampling of n rows.

    Args:
        statistic: From weights `(b, n)` to values `(b, ...)`.
        n: Rows.
        generator: Source of the resamples.
        replicates: How many resamples.
        level: Confidence level.
        clusters: Which cluster each row is of, where rows hang together; see `resampled_weights`.

    Returns:
        Low and high ends, each shaped like one value, with the statistic of the rows themselves between them; NaN where more
        than half of the resamples are undefined.
    """
    values = np.concatenate([statistic(weights) for weights in resampled_weights(n, replicates, generator, clusters)])
    return around(statistic(np.ones((1, n)))[0], *percentile(values, level))


def percentile(replicates: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the central interval of replicates `(b, ...)`, ignoring undefined ones; NaN where fewer than half are defined."""
    replicates = np.asarray(replicates, dtype=float)
    defined = np.isfinite(replicates).mean(axis=0) >= 0.5
    safe = np.where(np.isfinite(replicates) | ~defined, replicates, np.nan)
    safe = np.where(defined, safe, 0.0)
    low, high = np.nanquantile(safe, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


Limits = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Estimates with the low and the high end of their intervals, one shape."""


def mover_difference(a: Limits, b: Limits) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of `a - b` from the intervals of two independent estimates.

    The method of variance estimates recovery; with Wilson's intervals it is Newcombe's (1998) interval for the difference of two
    proportions.

    Args:
        a, b: Estimates and the ends of their intervals, shapes that broadcast.

    Example:
        >>> a = (np.array([0.8]), *wilson(np.array([56.0]), np.array([70.0])))
        >>> b = (np.array([0.6]), *wilson(np.array([48.0]), np.array([80.0])))
        >>> low, high = mover_difference(a, b)
        >>> round(float(low[0]), 3), round(float(high[0]), 3)
        (0.052, 0.334)
    """
    (p, p_low, p_high), (q, q_low, q_high) = a, b
    return (
        p - q - np.sqrt((p - p_low) ** 2 + (q_high - q) ** 2),
        p - q + np.sqrt((p_high - p) ** 2 + (q - q_low) ** 2),
    )


def mover_ratio(a: Limits, b: Limits) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of `a / b` from the intervals of two independent non-negative estimates (Donner and Zou 2012).

    Args:
        a, b: Estimates and the ends of their intervals, shapes that broadcast.

    Returns:
        Low ends, at least 0, and high ends, infinite where nothing bounds the ratio from above.
    """
    (p, p_low, p_high), (q, q_low, q_high) = a, b
    product = p * q
    below, above = q_high * (2 * q - q_high), q_low * (2 * q - q_low)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = (product - np.sqrt(np.maximum(product**2 - p_low * (2 * p - p_low) * below, 0))) / below
        limit = p_low * (2 * p - p_low) / (2 * product)
        low = np.where(np.abs(below) < 1e-12, limit, low)
        high = (product + np.sqrt(np.maximum(product**2 - p_high * (2 * p - p_high) * above, 0))) / above
    return np.maximum(np.nan_to_num(low, nan=0.0), 0), np.where(above > 0, high, np.inf)

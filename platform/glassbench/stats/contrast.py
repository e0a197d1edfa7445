"""How far a number of one sample lies above that of another, paired on the same rows or of independent rows."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import add

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from glassbench.stats.estimate import Estimate

_HALVINGS = 60
"""How often the search for an end of an interval halves its range."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrast:
    """A difference of two numbers with its test and its limits at any level.

    Args:
        value: The second number minus the first.
        p: Two-sided p-value of no difference.
        limits: From a confidence level to the ends of the interval.
        n: Independent rows or clusters it rests on.
    """

    value: float
    p: float
    limits: Callable[[float], tuple[float, float]]
    n: int | None = None

    def estimate(self, level: float) -> Estimate:
        """Return the difference with its interval at one level."""
        low, high = self.limits(level)
        return Estimate.of(self.value, low, high, level=level, n=self.n)


def critical(level: float, df: float = math.inf) -> float:
    """Return the two-sided critical value of Student's t, with infinite degrees of freedom of the normal distribution."""
    return float(ndtri(0.5 + level / 2) if math.isinf(df) else stdtrit(max(df, 1.0), 0.5 + level / 2))


def upper_tail(z: float, df: float = math.inf) -> float:
    """Return the probability beyond z of Student's t, with infinite degrees of freedom of the normal distribution."""
    return float(ndtr(-z) if math.isinf(df) else stdtr(max(df, 1.0), -z))


def upper_quantile(share: float, df: float = math.inf) -> float:
    """Return the z beyond which a share of Student's t lies: what `upper_tail` gives back."""
    return float(-ndtri(share) if math.isinf(df) else -stdtrit(max(df, 1.0), share))


def paired_share(value: float, error: float, n: float, df: float = math.inf) -> Contrast:
    """Return the difference of two shares of the same rows, by the score test of paired proportions.

    Of no difference the test is McNemar's (1947) without a correction for continuity: its variance is that of the rows which are
    right in one sample alone. An end of the interval is the difference that the score test just does not reject (Tango 1998),
    with the share of such rows held at what was seen, or at the difference itself where that is more. So rows that are alike
    throughout still leave a difference possible: of 100 rows one of up to 3.7 points.

    Args:
        value: The difference.
        error: Its standard error.
        n: Independent rows, or clusters, that the shares rest on.
        df: Degrees of freedom of the standard error; infinite for independent rows that count alike.

    Example:
        >>> found = paired_share(0.0, 0.0, 100)
        >>> [round(end, 3) for end in found.limits(0.95)], found.p
        ([-0.037, 0.037], 1.0)
    """
    squares = n * n * error * error + n * value * value

    def variance(delta: float) -> float:
        return max(max(squares, n * abs(delta)) - n * delta * delta, 0.0) / (n * n)

    def within(delta: float, z: float) -> bool:
        return abs(value - delta) <= z * math.sqrt(variance(delta)) + 1e-15

    def limits(level: float) -> tuple[float, float]:
        z = critical(level, df)
        return _end(lambda d: within(d, z), value, -1.0), _end(lambda d: within(d, z), value, 1.0)

    spread = math.sqrt(squares) / n
    p = 1.0 if spread == 0 else min(1.0, 2 * upper_tail(abs(value) / spread, df))
    return Contrast(value=value, p=p, limits=limits, n=round(n))


def paired_mean(value: float, error: float, n: float, df: float) -> Contrast:
    """Return the difference of two numbers of the same rows that are no shares, by Student's t.

    Args:
        value: The difference.
        error: Its standard error.
        n: Independent rows or clusters.
        df: Degrees of freedom of the standard error.
    """

    def limits(level: float) -> tuple[float, float]:
        if error == 0 and value != 0:
            return math.nan, math.nan
        half = critical(level, df) * error
        return value - half, value + half

    p = 2 * upper_tail(abs(value) / error, df) if error > 0 else 1.0 if value == 0 else math.nan
    return Contrast(value=value, p=p, limits=limits, n=round(n))


def independent(first: Estimate, second: Estimate, *, biased: bool = False) -> Contrast | None:
    """Return the difference of two independent estimates from their intervals; None where one has none.

    The method of variance estimates recovery (Zou and Donner 2008); of two shares it is Newcombe's (1998) interval with theirs.
    At another level than theirs the ends move as those of a normal variable do.

    Args:
        first, second: Estimates with their intervals.
        biased: Whether estimates may be overstated, as the widest of several gaps is: widths are then added in full.

    Example:
        >>> found = independent(Estimate(value=0.6, low=0.49, high=0.70), Estimate(value=0.8, low=0.69, high=0.88))
        >>> round(found.value, 3), [round(end, 3) for end in found.limits(0.95)], round(found.p, 3)
        (0.2, [0.051, 0.336], 0.008)
    """
    ends = (first.value, first.low, first.high, second.value, second.low, second.high)
    if any(end is None for end in ends):
        return None
    a, a_low, a_high, b, b_low, b_high = (float(end) for end in ends if end is not None)
    z = critical(first.level), critical(second.level)
    combined: Callable[[float, float], float] = add if biased else math.hypot
    below = combined((b - b_low) / z[1], (a_high - a) / z[0])
    above = combined((b_high - b) / z[1], (a - a_low) / z[0])
    value = b - a

    def limits(level: float) -> tuple[float, float]:
        wanted = critical(level)
        return value - wanted * below, value + wanted * above

    facing = below if value > 0 else above
    p = 1.0 if value == 0 else 2 * upper_tail(abs(value) / facing) if facing > 0 else math.nan
    return Contrast(value=value, p=p, limits=limits, n=min((n for n in (first.n, second.n) if n is not None), default=None))


def _end(accepted: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return the last number accepted on the way from one inside an interval to one outside it."""
    if accepted(outside):
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
    return inside


def standard_error(draws: np.ndarray, units: int) -> float:
    """Return the standard error that resampled values `(b,)` show, NaN where fewer than half are defined.

    Args:
        draws: The number in each resample, NaN where undefined.
        units: Independent rows or clusters that were resampled.
    """
    known = draws[np.isfinite(draws)]
    if len(known) * 2 < len(draws):
        return math.nan
    return float(known.std() * math.sqrt(units / max(units - 1, 1)))

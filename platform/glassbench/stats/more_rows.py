"""How many more rows would settle what an interval leaves open."""

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

_EVEN, _LIKELY = 0.5, 0.8
"""In which share of cases the two numbers of rows settle it."""

_MOST_TIMES, _LEAST_TIMES = 100, 0.1
"""Beyond so many times the rows, asking for more is no advice; with fewer than a tenth more, nothing new is seen."""


@dataclass(frozen=True)
class MoreRows:
    """How many more rows like these would settle whether a number meets a threshold.

    Args:
        even: Settle it in 5 of 10 cases.
        likely: Settle it in 8 of 10 cases.
    """

    even: int
    likely: int

    def words(self, noun: str = "rows") -> str:
        """Say it.

        Args:
            noun: What rows, or the clusters they hang together in, are called, in the plural.

        Example:
            >>> MoreRows(1200, 9100).words("patients")
            'about 1,200 more patients would settle it in 5 of 10 cases, 9,100 in 8 of 10'
        """
        return f"about {self.even:,} more {noun} would settle it in 5 of 10 cases, {self.likely:,} in 8 of 10"


def more_rows(value: float, low: float, high: float, rows: int, threshold: float, level: float = 0.95) -> MoreRows | None:
    """Return how many more rows an interval around a threshold needs until it leaves the threshold out, on either side.

    The value moves with more rows, and is itself uncertain: where the truth is as likely on one side of the value as on the
    other, the value of n + N rows is normal around that of n rows, with N / (n + N) of its variance (predictive power,
    Spiegelhalter, Freedman and Blackburn 1986). Rows that would suffice if the value stayed settle it in about half of the cases,
    and rarely where the truth is nearer to the threshold than the value. None where even a hundred times the rows would not
    settle it in 8 of 10 cases, where the interval has no width around the value, or where it leaves the threshold out. Numbers
    have two digits.

    Args:
        value: The value.
        low, high: The ends of its interval.
        rows: Rows, or clusters where rows hang together, that it rests on: n.
        threshold: What it is held against.
        level: Confidence level of the interval.

    Example:
        >>> more_rows(0.3, 0.1, 0.5, 100, threshold=0.2), more_rows(0.3, 0.199, 0.5, 1000, threshold=0.2)
        (MoreRows(even=290, likely=2300), MoreRows(even=100, likely=1300))
    """
    half = value - low if value > threshold else high - value
    distance = abs(value - threshold)
    if not (math.isfinite(half) and half > 0 and distance < half):
        return None
    z = float(ndtri(0.5 + level / 2))
    times = [_times(z * distance / half, z, share) for share in (_EVEN, _LIKELY)]
    even, likely = (None if t is None else _two_digits(max(t, _LEAST_TIMES) * rows) for t in times)
    return None if even is None or likely is None else MoreRows(even, likely)


def settled(distance: float, z: float, times: float) -> float:
    """Return how often an interval leaves a threshold out that it holds now, after `times` as many rows more.

    Args:
        distance: From the value to the threshold now, in standard errors.
        z: Half the interval now, in standard errors.
        times: New rows for each one there is.
    """
    new = times / (1 + times)
    moves, half = new**0.5, z * (1 - new) ** 0.5
    return float(ndtr((distance - half) / moves) + ndtr((-distance - half) / moves))


def _times(distance: float, z: float, share: float) -> float | None:
    """Return how many times the rows more settle it in a share of cases; the share rises with the rows."""
    if settled(distance, z, _MOST_TIMES) < share:
        return None
    if settled(distance, z, _LEAST_TIMES) >= share:
        return _LEAST_TIMES
    return float(brentq(lambda times: settled(distance, z, times) - share, _LEAST_TIMES, _MOST_TIMES, xtol=1e-6))


def _two_digits(count: float) -> int:
    """Round up to two digits: the estimate supports no more."""
    scale = 10 ** max(0, math.floor(math.log10(max(count, 1))) - 1)
    return int(math.ceil(round(count / scale, 6)) * scale)

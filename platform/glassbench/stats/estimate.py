"""An estimate: a number measured on a sample, with its interval or the reason why there is none."""

import math
from dataclasses import dataclass

FEWEST_EVENTS = 5
"""Occurrences of a number's rarer outcome below which it carries no interval, and no verdict is based on it."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number measured on a sample.

    Args:
        value: The point value; None exactly where `undefined` says why.
        low, high: Ends of the interval, or None where there is none.
        level: Confidence level of the interval.
        n: Independent rows or clusters it rests on; for a rate, its denominator.
        undefined: Why there is no value, or None.
        unsupported: Why the value carries no interval and no verdict may be based on it ("3 positive rows, 5 are needed"), or
            None.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    n: int | None = None
    undefined: str | None = None
    unsupported: str | None = None

    @classmethod
    def of(
        cls,
        value: float,
        low: float,
        high: float,
        *,
        level: float = 0.95,
        n: int | None = None,
        undefined: str = "it is not defined on these rows",
        unsupported: str | None = None,
    ) -> "Estimate":
        """Build an estimate from floats of which some may be no numbers: those become a missing value or a missing end.

        Example:
            >>> Estimate.of(0.5, math.nan, 0.9, n=8).low is None, Estimate.of(math.nan, 0.0, 1.0).undefined
            (True, 'it is not defined on these rows')
        """
        if not math.isfinite(value):
            return cls(value=None, level=level, n=n, undefined=undefined)
        return cls(
            value=float(value),
            low=float(low) if unsupported is None and math.isfinite(low) else None,
            high=float(high) if unsupported is None and math.isfinite(high) else None,
            level=level,
            n=n,
            unsupported=unsupported,
        )


def too_few(events: float, of: str, fewest: int = FEWEST_EVENTS) -> str | None:
    """Return why so few events support no interval, or None where there are enough.

    Args:
        events: How often the rarer outcome occurred; effective counts need not be whole.
        of: What is counted, in the plural ("rows of the class “yes”").
        fewest: How many are needed.

    Example:
        >>> too_few(3, "rows of the class “yes”"), too_few(5, "errors")
        ('3 rows of the class “yes”, at least 5 are needed', None)
    """
    return None if events >= fewest - 1e-9 else f"{events:.3g} {of}, at least {fewest} are needed"

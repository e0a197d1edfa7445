"""Shares in percent, written one way everywhere."""

from typing import SupportsFloat


def in_percent(share: SupportsFloat | None, decimals: int = 0) -> str:
    """Return a share from 0 to 1 in percent, or a dash where there is none.

    Example:
        >>> in_percent(0.95), in_percent(0.075, 1), in_percent(None)
        ('95 %', '7.5 %', '–')
    """
    return "\u2013" if share is None else f"{100 * float(share):.{decimals}f} %"


def bare_percent(share: float) -> str:
    """Return a share in percent without the sign: whole numbers, below 10 with one decimal unless that is 0.

    Example:
        >>> [bare_percent(share) for share in (0.41, 0.075, 0.05, 0.0)]
        ['41', '7.5', '5', '0']
    """
    scaled = 100 * share
    return f"{scaled:.1f}" if 0 < abs(scaled) < 9.95 and round(scaled, 1) != round(scaled) else f"{scaled:z.0f}"


def percent_interval(value: float, low: float | None, high: float | None, unit: str = "%") -> str:
    """Return a share with its interval in percent, or a difference of shares in points.

    Example:
        >>> percent_interval(0.41, 0.22, 0.64), percent_interval(0.22, 0.03, 0.4, "points"), percent_interval(0.41, None, None)
        ('41 % [22, 64]', '22 points [3, 40]', '41 %')
    """
    ends = "" if low is None or high is None else f" [{bare_percent(low)}, {bare_percent(high)}]"
    return f"{bare_percent(value)} {unit}{ends}"

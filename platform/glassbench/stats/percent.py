"""Shares in percent, written one way everywhere."""

from typing import SupportsFloat


def in_percent(share: SupportsFloat | None, decimals: int = 0) -> str:
    """Return a share from 0 to 1 in percent, or a dash where there is none.

    Example:
        >>> in_percent(0.95), in_percent(0.075, 1), in_percent(None)
        ('95 %', '7.5 %', '–')
    """
    return "\u2013" if share is None else f"{100 * float(share):.{decimals}f} %"

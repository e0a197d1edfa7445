"""Shares in percent, written one way everywhere."""


def in_percent(share: float, decimals: int = 0) -> str:
    """Return a share from 0 to 1 in percent.

    Example:
        >>> in_percent(0.95), in_percent(0.075, 1)
        ('95 %', '7.5 %')
    """
    return f"{100 * float(share):.{decimals}f} %"

"""The order in which groups are shown: numbers and bands by their bounds, other names by the alphabet, "missing" last."""

import math
import re
from collections.abc import Iterable

from glassbench.data import MISSING

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_BANDS = (
    re.compile(rf"(?:under|below|up to|<=|<)\s*{_NUMBER}"),
    re.compile(rf"{_NUMBER}\s*(?:to under|to|-|\u2013)\s*{_NUMBER}"),
    re.compile(rf"(?:over|above|>=|>)\s*{_NUMBER}"),
    re.compile(rf"{_NUMBER}\s*(?:and over|and older|and above|or more|or older|\+)"),
    re.compile(_NUMBER),
)


def in_group_order(names: Iterable[str]) -> list[str]:
    """Return the different names of groups in the order in which they are shown.

    Example:
        >>> in_group_order(["55 and over", "missing", "under 7.5", "7.5 to under 55"])
        ['under 7.5', '7.5 to under 55', '55 and over', 'missing']
    """
    distinct = set(names)
    present = sorted(distinct - {MISSING})
    bounds = {name: _bounds(name) for name in present}
    keys = {name: key for name, key in bounds.items() if key is not None}
    ordered = sorted(present, key=lambda name: (keys[name], name)) if len(keys) == len(present) else present
    return [*ordered, *([MISSING] if MISSING in distinct else [])]


def _bounds(name: str) -> tuple[float, float] | None:
    text = name.strip().lower()
    under, between, over, upwards, alone = (band.fullmatch(text) for band in _BANDS)
    if under:
        return (-math.inf, float(under[1]))
    if between:
        return (float(between[1]), float(between[2]))
    if over or upwards:
        return (float((over or upwards)[1]), math.inf)  # type: ignore[index]
    return (float(alone[1]), float(alone[1])) if alone else None

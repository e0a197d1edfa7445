"""The order in which groups are shown: numbers and bands by their bounds, then other names, "missing" last."""

import math
import re
from collections.abc import Iterable

from glassbench.contracts.schema import MISSING

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_UNIT = r"(?:\s*[^\W\d]+\.?(?:/[^\W\d]+)?|\s*[%€$£])?"
"""A unit behind a number: years, EUR, kg/m2."""
_MEASURE = rf"[€$£]?\s*{_NUMBER}{_UNIT}"
_UNDER = re.compile(rf"(?:under|below|up to|until|less than|at most|younger than|to|<=|<|≤)\s*{_MEASURE}")
_BETWEEN = re.compile(rf"(?:from\s+)?[\[(]?{_MEASURE}\s*(?:to under|to|and|-|\u2013|,|;)\s*{_MEASURE}[\])]?")
_OVER = re.compile(rf"(?:over|above|greater than|more than|at least|older than|from|>=|>|≥)\s*{_MEASURE}")
_UPWARDS = re.compile(rf"{_MEASURE}\s*(?:(?:years|yrs)\s+)?(?:and|or)\s+(?:over|older|above|more)|{_MEASURE}\s*\+{_UNIT}")
_ALONE = re.compile(_MEASURE)
_NAMED = re.compile(r"[^()]+\((.+)\)")
"""A band with a name before it: low (under 0.97)."""
_MARK = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MOST = 0.5
"""Share of the names from which groups are numbers or bands, and other names follow them."""


def in_group_order(names: Iterable[str]) -> list[str]:
    """Return the different names of groups in the order in which they are shown.

    Example:
        >>> in_group_order(["55 and over", "missing", "under 7.5", "7.5 to under 55"])
        ['under 7.5', '7.5 to under 55', '55 and over', 'missing']
        >>> in_group_order(["Less than 25", "Greater than 45", "25 - 45", "not asked"])
        ['Less than 25', '25 - 45', 'Greater than 45', 'not asked']
        >>> in_group_order(["high (1.07 and over)", "low (under 0.97)", "middle (0.97 to under 1.07)"])
        ['low (under 0.97)', 'middle (0.97 to under 1.07)', 'high (1.07 and over)']
    """
    distinct = set(names)
    present = sorted(distinct - {MISSING})
    bounds = {name: _bounds(name) for name in present}
    keys = {name: key for name, key in bounds.items() if key is not None}
    banded = sorted(keys, key=lambda name: (keys[name], name)) if len(keys) > _MOST * len(present) else []
    known = set(banded)
    others = [name for name in present if name not in known]
    return [*banded, *others, *([MISSING] if MISSING in distinct else [])]


def _bounds(name: str) -> tuple[float, float] | None:
    """Return where a band begins and ends, equal for a number; None for another name."""
    text = _MARK.sub("", name.strip().lower())
    if found := _UNDER.fullmatch(text):
        return (-math.inf, float(found[1]))
    if found := _OVER.fullmatch(text):
        return (float(found[1]), math.inf)
    if found := _UPWARDS.fullmatch(text):
        return (float(found[1] or found[2]), math.inf)
    if found := _BETWEEN.fullmatch(text):
        return (float(found[1]), float(found[2]))
    if found := _NAMED.fullmatch(text):
        return _bounds(found[1])
    found = _ALONE.fullmatch(text)
    return (float(found[1]), float(found[1])) if found else None

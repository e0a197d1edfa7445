"""Texts cut to the room that two pages have, by a rule that the pages state."""

import unicodedata
from collections.abc import Sequence

from glassbench.printable import one_line

_CUT = " …"
_NARROW = frozenset("abcdefghijklmnopqrstuvwxyz0123456789 .,;:'!|()[]-/\"")
_WIDEST, _WIDE, _OTHER = 2.1, 1.9, 1.35


def width(text: str) -> float:
    """Return about how many lower-case letters wide a text is printed.

    Example:
        >>> width("abc"), round(width("WWW"), 1), width("日本")
        (3.0, 5.7, 4.2)
    """
    return sum(map(_of, text))


def _of(character: str) -> float:
    if character in _NARROW:
        return 1.0
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDEST
    return _WIDE if character in "MWmw@%—" else _OTHER


def brief(text: str, most: float) -> str:
    """Return a text on one line, cut after a whole word where it is wider than `most` letters; a cut ends in "…".

    Combining marks are left out, because they can be stacked over the lines above.

    Args:
        text: Any text.
        most: Width in lower-case letters.

    Example:
        >>> brief("a long and winding text", 14), brief("short", 12)
        ('a long and …', 'short')
    """
    line = "".join(character for character in one_line(text) if not unicodedata.category(character).startswith(("M", "Cf")))
    if width(line) <= most:
        return line
    room, kept = most - width(_CUT), ""
    for character in line:
        room -= _of(character)
        if room < 0:
            break
        kept += character
    whole, _, rest = kept.rpartition(" ")
    return (whole if whole and len(rest) < len(kept) / 3 else kept).rstrip(" ,;:.") + _CUT


def brief_list(texts: Sequence[str], count: int, most: float) -> tuple[str, ...]:
    """Return the first `count` texts, each cut to `most` letters, and a line that counts the others."""
    shown = tuple(brief(text, most) for text in texts[:count])
    rest = len(texts) - len(shown)
    return (*shown, f"{rest} more in the full report") if rest else shown

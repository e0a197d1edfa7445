"""Text that can be shown anywhere: no character that ends, hides, reorders or escapes what stands around it."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from operator import is_
from typing import Any

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SEPARATORS = r"\u2028\u2029"
_DIRECTIONS = r"\u202a-\u202e\u2066-\u2069"
_SURROGATES = r"\ud800-\udfff"
_NONCHARACTERS = r"\ufdd0-\ufdef\ufffe\uffff" + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 17))
_FIELDS: dict[type, tuple[str, ...] | None] = {}
_TEXTLESS = frozenset({int, float, bool, type(None)})
_UNPRINTABLE = re.compile(f"[{_CONTROLS}{_SEPARATORS}{_DIRECTIONS}{_SURROGATES}{_NONCHARACTERS}]")


def printable(text: str) -> str:
    r"""Return text with each character that cannot be shown written as its escape, so that different names stay different.

    These are control characters other than tab and newline, line and paragraph separators, marks that change the direction of
    text, lone surrogates and code points that are no characters. XML, terminals and chart renderers refuse or obey them.

    Example:
        >>> printable("a\x00b\u202e")
        'a\\x00b\\u202e'
    """
    return _UNPRINTABLE.sub(_escape, text)


def one_line(text: str) -> str:
    """Return printable text on one line, runs of white space as one space each."""
    return " ".join(printable(text).split())


def quoted(value: object, most: int = 200) -> str:
    """Return a value as a message quotes it: printable, on one line, at most `most` characters of it.

    Example:
        >>> quoted("x" * 300, most=5)
        'xxxxx... (300 characters)'
    """
    text = str(value)
    return one_line(text) if len(text) <= most else f"{one_line(text[:most])}... ({len(text):,} characters)"


def printable_parts(value: Any) -> Any:
    """Return a value with every text in it printable: texts, and those in mappings, tuples, lists and dataclasses.

    What holds nothing to change is returned itself. Evidence holds tens of thousands of parts, most of them numbers.
    """
    kind = type(value)
    if kind in _TEXTLESS:
        return value
    if isinstance(value, str):
        return value if value.isprintable() else printable(value)
    if isinstance(value, tuple | list):
        parts = [part if type(part) in _TEXTLESS else printable_parts(part) for part in value]
        return value if all(map(is_, parts, value)) else kind(parts)
    names = _names(kind)
    if names is not None:
        changed = {name: part for name in names if (part := printable_parts(held := getattr(value, name))) is not held}
        return replace(value, **changed) if changed else value
    if kind is dict or isinstance(value, Mapping):
        shown = {printable_parts(key): printable_parts(held) for key, held in value.items()}
        same = all(map(is_, shown, value)) and all(map(is_, shown.values(), value.values()))
        return value if same and len(shown) == len(value) else shown
    return value


def _names(kind: type) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields, or None where a type is none."""
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None
    return _FIELDS[kind]


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

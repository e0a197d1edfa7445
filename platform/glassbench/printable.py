"""Text that can be shown anywhere: no character that ends, hides, reorders or escapes what stands around it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import chain
from operator import attrgetter, is_
from types import UnionType
from typing import Any, get_args

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SEPARATORS = r"\u2028\u2029"
_DIRECTIONS = r"\u202a-\u202e\u2066-\u2069"
_SURROGATES = r"\ud800-\udfff"
_NONCHARACTERS = r"\ufdd0-\ufdef\ufffe\uffff" + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 17))
_FIELDS: dict[type, Callable[[Any], tuple[Any, ...]] | None] = {}
_TEXTLESS = frozenset({int, float, bool, type(None)})
_UNPRINTABLE = re.compile(f"[{_CONTROLS}{_SEPARATORS}{_DIRECTIONS}{_SURROGATES}{_NONCHARACTERS}]")

_IRREGULAR = {"person": "people", "child": "children", "series": "series", "index": "indices", "vertex": "vertices"}
_ES = ("s", "x", "z", "ch", "sh")


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

    What holds nothing to change is returned itself. Evidence holds tens of thousands of parts, most of them numbers, and the same
    texts many times: each is looked at once, and the parts are rebuilt only where one must change.
    """
    return value if all(text.isprintable() or printable(text) == text for text in _texts(value)) else _rewritten(value)


def _texts(value: Any) -> set[str]:
    """Return the different texts in a value: level by level, all parts of one type at once."""
    found: set[str] = set()
    level = [value]
    while level:
        below: list[Any] = []
        kinds = set(map(type, level))
        if str in kinds:
            found.update([part for part in level if type(part) is str])
            level = [part for part in level if type(part) is not str]
        for kind in kinds - {str}:
            alike = [part for part in level if type(part) is kind]
            if issubclass(kind, str):
                found.update(map(str, alike))
            else:
                below += [part for part in _parts(kind, alike) if type(part) not in _TEXTLESS]
        level = below
    return found


def _parts(kind: type, alike: list[Any]) -> Iterable[Any]:
    """Return what values of one type hold, of all of them together; nothing where they are no containers."""
    if issubclass(kind, tuple | list):
        return chain.from_iterable(alike)
    if issubclass(kind, Mapping):
        return chain(chain.from_iterable(alike), chain.from_iterable(value.values() for value in alike))
    fields_of = _fields(kind)
    return () if fields_of is None else chain.from_iterable(map(fields_of, alike))


def _rewritten(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple | list):
        parts = [_rewritten(part) for part in value]
        return value if all(map(is_, parts, value)) else type(value)(parts)
    if _fields(type(value)) is not None:
        names = [field.name for field in fields(value)]
        changed = {name: part for name in names if (part := _rewritten(held := getattr(value, name))) is not held}
        return replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        return {_rewritten(key): _rewritten(held) for key, held in value.items()}
    return value


def _fields(kind: type) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return what reads the fields of a dataclass that may hold text as a tuple, or None where a type is none or has none."""
    if kind not in _FIELDS:
        names = [field.name for field in fields(kind) if not _numbers_alone(field.type)] if is_dataclass(kind) else []
        # Asked for one name alone, attrgetter returns no tuple.
        _FIELDS[kind] = attrgetter(*names, names[0]) if names else None
    return _FIELDS[kind]


def _numbers_alone(declared: Any) -> bool:
    """Whether a field is declared to hold numbers, truth values or nothing: `float | None`."""
    return declared in _TEXTLESS or (isinstance(declared, UnionType) and set(get_args(declared)) <= _TEXTLESS)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def continued(sentence: str) -> str:
    """Return a sentence as it goes on behind other words: its first letter small, unless its first word is an abbreviation.

    Example:
        >>> continued("Decisions are right"), continued("ROC AUC is higher"), continued("“fast” is missed")
        ('decisions are right', 'ROC AUC is higher', '“fast” is missed')
    """
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def plural(unit: str, count: int | None = None) -> str:
    """Return a unit in the plural unless there is exactly one.

    Example:
        >>> plural("patient"), plural("class", 2), plural("story", 1), plural("story")
        ('patients', 'classes', 'story', 'stories')
    """
    if count == 1:
        return unit
    if unit in _IRREGULAR:
        return _IRREGULAR[unit]
    if unit.endswith("y") and unit[-2:-1] not in "aeiou":
        return f"{unit[:-1]}ies"
    return f"{unit}es" if unit.endswith(_ES) else f"{unit}s"

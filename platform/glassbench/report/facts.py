"""Settings and facts of any shape as names and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glassbench.report.numbers import number

_MOST_NUMBERS = 6
"""Measured numbers of a setting that are written out; more stand in the file alone."""


@dataclass(frozen=True)
class Fact:
    """A name and what it is, in words."""

    name: str
    words: str


def facts(content: Mapping[str, object]) -> tuple[Fact, ...]:
    """Return a mapping as facts, nested ones with dotted names.

    Example:
        >>> facts({"seed": 7, "stopping": {"patience": 5}, "hidden": [64, 64]})
        (Fact(name='seed', words='7'), Fact(name='stopping.patience', words='5'), Fact(name='hidden', words='64, 64'))
    """
    found: list[Fact] = []
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            found += [Fact(f"{name}.{inner.name}", inner.words) for inner in facts(value)]
        else:
            found.append(Fact(str(name).replace("_", " "), _words(value)))
    return tuple(found)


def _words(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) else number(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) > _MOST_NUMBERS and all(isinstance(entry, float) for entry in value):
            return f"{len(value)} numbers"
        return ", ".join(_words(entry) for entry in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_words(entry)}" for name, entry in value.items()) or "none"
    return str(value)

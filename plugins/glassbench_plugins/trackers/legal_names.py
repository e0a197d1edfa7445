"""Names that the server of a tracker accepts, each for one thing alone."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from glassbench import AuditResult, Measure

_BYTES = 200
"""Servers accept 250 characters, file systems 255 bytes; a checksum may follow."""

V = TypeVar("V")

_ILLEGAL = re.compile(r"[^\w.\- :]")


class LegalNames:
    """Gives each thing a name of letters, digits, spaces and `_ - . :`, which MLflow and W&B accept.

    A name that is legal stays as it is. Two things whose names become one, or differ in capital letters alone, are told apart by
    a checksum behind the later one. What was given is kept in a file, so a resumed run goes on under the same names.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owners: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def named(self, things: Iterable[tuple[str, Any, V]]) -> dict[str, V]:
        """Return things by the names they get.

        Args:
            things: What each is called, what tells it from things that are called the same (JSON values; None for nothing more),
                and the thing.
        """
        before = len(self._owners)
        found = {self._name(text, identity): thing for text, identity, thing in things}
        if len(self._owners) > before:
            self._path.write_text(json.dumps(self._owners), encoding="utf-8")
        return found

    def _name(self, text: str, identity: Any) -> str:
        owner = hashlib.sha256(json.dumps([text, identity], sort_keys=True).encode()).hexdigest()
        plain = _legal(text)
        name = plain if self._owners.get(_folded(plain), owner) == owner else f"{plain}-{owner[:8]}"
        self._owners[_folded(name)] = owner
        return name


def _legal(text: str) -> str:
    short = _ILLEGAL.sub("_", text).encode("utf-8", "replace")[:_BYTES].decode("utf-8", "ignore").strip()
    return short if short.strip(".") else f"_{short}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def numbers(result: AuditResult) -> Iterator[tuple[str, Any, float]]:
    """Yield what each number of a result is called, what tells it apart, and the number; what is undefined is left out.

    The ends of an interval are called `name.low` and `name.high`, the measure of a group `measure feature:value`, and a gap
    between groups `measure by feature`.
    """
    for measure in result.measures:
        text, identity = _named(measure)
        for end, number in (("", measure.value), (".low", measure.low), (".high", measure.high)):
            if measure.value is not None and number is not None:
                yield f"{text}{end}", [*identity, end], float(number)


def _named(measure: Measure) -> tuple[str, list[Any]]:
    parts = [measure.name]
    if measure.group:
        parts += [f"{feature}:{value}" for feature, value in measure.group.items()]
    elif measure.by:
        parts += ["by", *measure.by]
    return " ".join(parts), [measure.name, list(measure.by or ()), list((measure.group or {}).items())]


def flat(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the settings of an experiment as dotted names and texts; lists are JSON.

    Example:
        >>> list(flat({"model": {"use": "mlp", "hidden": [8]}, "seed": 0}))
        [('model.use', 'mlp'), ('model.hidden', '[8]'), ('seed', '0')]
    """
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

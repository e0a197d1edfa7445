"""Raw cells of a table as a model's inputs, and counts of cells that the training rows did not have."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glassbench.toolkit.cells.numerals import MARKS_IN_NUMBERS, Notation

Row = Mapping[str, Any]
MISSING = "missing"
NAN = math.nan
_SHOWN = 5
_WHOLE = re.compile(r"(-?)(\d+)\.0*")
_WORDS = {
    "missing": "cells are missing",
    "unseen": "cells hold a category that the model has no input for",
    "outside": "values lie outside the range of the training rows",
}


class RowsError(ValueError):
    """Rows cannot be scored; the message says why."""


@dataclass(kw_only=True)
class Unusual:
    """Cells of one column that the training rows do not prepare the model for.

    Args:
        column: The column.
        kind: `missing` cells, categories `unseen` in training, or values `outside` the training range.
        rows: How many rows were looked at.
        usual: What the training rows held.
        count: How many cells.
        examples: A few of the cells; none where they are missing.
    """

    column: str
    kind: str
    rows: int
    usual: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for a person."""
        shown = f", such as {', '.join(self.examples[:3])}" if self.examples else ""
        return f"{self.column}: {self.count:,} of {self.rows:,} {_WORDS[self.kind]}{shown} (training rows: {self.usual})"


Note = Callable[[str, str], None]
"""Takes the kind of an unusual cell and the cell as text."""


class Texts:
    """Cells of one column as text: blanks and marks of missing values taken off, spellings and labels applied.

    Args:
        name: The column, as the model knows it.
        cells: How raw cells read.
        labels: What values and columns are called.
    """

    def __init__(self, name: str, cells: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
        self.missing = frozenset(cells["missing"])
        self.strip_end: str | None = cells["strip_end"] or None
        reading = cells.get("columns", {}).get(name, {})
        self.strange: str = reading.get("strange", "refuse")
        self.spellings: Mapping[str, str] = reading.get("spellings", {})
        self.notation = Notation(**reading["notation"]) if "notation" in reading else None
        self.raw_name = next((raw for raw, title in labels["titles"].items() if title == name), name)
        self.called: Mapping[str, str] = labels["values"].get(self.raw_name, {})
        alike: dict[str, list[str]] = {}
        for label in self.called:
            alike.setdefault(_plain(label), []).append(label)
        self._missing_numbers = {value for mark in self.missing if (value := _float(mark)) == value}
        self._alike = {plain: same[0] for plain, same in alike.items() if len(same) == 1}

    def stripped(self, value: Any) -> str:
        """Return a cell as text, whole numbers without a fraction."""
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        text = str(value).strip()
        return text.rstrip(self.strip_end).strip() if self.strip_end else text

    def labelled(self, value: Any) -> Any:
        """Return what a cell of the file's own column is called."""
        if not self.called or absent(value):
            return value
        text = self.stripped(value)
        if text in self.missing:
            return None
        return self.called.get(text if text in self.called else self._alike.get(_plain(text), text), text)

    def read(self, value: Any) -> str | None:
        """Return the text of a cell, None where it is missing."""
        if absent(value):
            return None
        text = self.stripped(value)
        if text in self.missing or (self.notation is not None and self._no_number(text)):
            return None
        return self.spellings.get(text, text)

    def number(self, text: str) -> float:
        """Return the number that a text stands for, NaN where it stands for none."""
        if self.notation is None or self.notation == Notation():
            if text.isascii() and "_" not in text:
                try:
                    return float(text)
                except ValueError:
                    pass
            if self.notation is None:
                return NAN
        return self.notation.value(text)

    def value(self, cell: Any) -> float:
        """Return the number of a cell, NaN where it is missing.

        Raises:
            ValueError: It is no number, or infinite.
        """
        if isinstance(cell, int | float | np.number) and not isinstance(cell, bool):
            number = float(cell)
            number = NAN if number in self._missing_numbers else number
        else:
            text = self.read(cell)
            number = NAN if text is None else self.number(text)
            if text is not None and number != number and self.strange != "missing":
                raise ValueError(text)
        if math.isinf(number):
            if self.strange != "missing":
                raise ValueError(str(cell))
            return NAN
        return number

    def _no_number(self, text: str) -> bool:
        return text.lower() in MARKS_IN_NUMBERS or (self.strange == "missing" and not math.isfinite(self.number(text)))


class NumberColumn:
    """A column of numbers: standardised, the training median in place of what is missing.

    Args:
        spec: What was measured on the training rows.
        texts: How its cells read.
    """

    def __init__(self, spec: Mapping[str, Any], texts: Texts) -> None:
        self.name: str = spec["name"]
        self.texts = texts
        self._median, self._mean, self._std = float(spec["median"]), float(spec["mean"]), float(spec["std"])
        self._low, self._high = float(spec["low"]), float(spec["high"])
        self._indicator = bool(spec["indicator"])
        present, gap = (self._median - self._mean) / self._std, [1.0] if self._indicator else []
        self._absent = [present, *gap]
        self.usual = {
            "missing": "some missing too" if self._indicator else "none missing",
            "outside": f"{self._low:.6g} to {self._high:.6g}",
        }

    def encoded(self, value: Any, note: Note) -> list[float]:
        """Return the inputs that carry a cell.

        Raises:
            ValueError: It is no number, or infinite.
        """
        number = self.texts.value(value)
        if number != number:
            note("missing", "")
            return self._absent
        if number < self._low or number > self._high:
            note("outside", f"{number:.6g}")
        standard = (number - self._mean) / self._std
        return [standard, 0.0] if self._indicator else [standard]


class CategoryColumn:
    """A column of categories: one input each, all of them 0 for a category that the training rows did not have.

    Args:
        spec: The categories.
        texts: How its cells read.
    """

    def __init__(self, spec: Mapping[str, Any], texts: Texts) -> None:
        self.name: str = spec["name"]
        self.texts = texts
        names: list[str] = spec["categories"]
        self._inputs = {name: [float(other == name) for other in names] for name in names}
        self._none = [0.0] * len(names)
        shown = ", ".join(names[:_SHOWN]) + (f", ... and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        self.usual = {"missing": "some missing too" if MISSING in names else "none missing", "unseen": shown}

    def encoded(self, value: Any, note: Note) -> list[float]:
        """Return the inputs that carry a cell."""
        text = self.texts.read(value)
        if text is None:
            note("missing", "")
            return self._inputs.get(MISSING, self._none)
        known = self._inputs.get(text)
        if known is None:
            note("unseen", text)
            return self._none
        return known


class Table:
    """From raw rows to a model's inputs.

    Args:
        spec: The preprocessing of the kind `table`.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        kinds: Mapping[str, type[NumberColumn] | type[CategoryColumn]] = {"number": NumberColumn, "category": CategoryColumn}
        self.columns: list[NumberColumn | CategoryColumn] = [
            kinds[column["kind"]](column, Texts(column["name"], spec["cells"], spec["labels"])) for column in spec["columns"]
        ]

    def encode(self, rows: Sequence[Row]) -> tuple[np.ndarray, list[Unusual]]:
        """Return the inputs of rows, float32 `(n, inputs)`, and what they hold that the training rows did not.

        Raises:
            RowsError: A column is missing, or cells of a column of numbers are none.
        """
        given = set(rows[0]) if len(rows) == 1 else set().union(*rows)
        found: dict[tuple[str, str], Unusual] = {}
        wrong: dict[str, list[str]] = {}
        encoded: list[list[float]] = [[] for _ in rows]
        for column, key in zip(self.columns, self._keys(given), strict=True):

            def note(kind: str, text: str, column: NumberColumn | CategoryColumn = column) -> None:
                _count(found, column, kind, text, len(rows))

            own, labels = key == column.texts.raw_name, bool(column.texts.called)
            for row, inputs in zip(rows, encoded, strict=True):
                value = row.get(key)
                try:
                    inputs += column.encoded(column.texts.labelled(value) if own and labels else value, note)
                except ValueError as error:
                    wrong.setdefault(column.name, []).append(str(error))
        if wrong:
            raise RowsError("; ".join(f"column '{name}' holds numbers, but {_said(cells)}" for name, cells in wrong.items()))
        return np.array(encoded, dtype=np.float32), list(found.values())

    def _keys(self, given: set[str]) -> list[str]:
        """Return under which name rows hold each column."""
        keys = [c.name if c.name in given else c.texts.raw_name for c in self.columns]
        lacking = [column.name for column, key in zip(self.columns, keys, strict=True) if key not in given]
        if lacking:
            raise RowsError(f"the rows lack columns the model needs: {', '.join(lacking[:20])}")
        return keys


def absent(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, float | np.floating) and value != value)


def _count(found: dict[tuple[str, str], Unusual], column: NumberColumn | CategoryColumn, kind: str, text: str, rows: int) -> None:
    key = (column.name, kind)
    if key not in found:
        found[key] = Unusual(column=column.name, kind=kind, rows=rows, usual=column.usual[kind])
    found[key].count += 1
    if text and len(found[key].examples) < _SHOWN and text not in found[key].examples:
        found[key].examples.append(text)


def _said(cells: Sequence[str]) -> str:
    return f"{len(cells)} cells are none or infinite, such as {', '.join(repr(cell[:40]) for cell in cells[:3])}"


def _plain(name: str) -> str:
    text = name.strip()
    whole = _WHOLE.fullmatch(text)
    return text if whole is None else f"{whole[1]}{whole[2]}"


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return NAN

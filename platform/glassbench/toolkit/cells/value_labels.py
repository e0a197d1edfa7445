"""Names that people read in place of codes: `sex: {1: man, 2: woman}` for values, a text for a column."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeVar

import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.contracts.spelled_names import as_known
from glassbench.errors import DataError, shorten
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band

Setting = TypeVar("Setting")
LabelSettings = dict[str, str | dict[str, str]]
_WHERE = "dataset.labels"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What columns and values are called.

    Args:
        values: Name of each value by column.
        titles: Name of each column.
        missing: Texts that mean a value is missing.
        strip_end: Characters taken off the end of every text.
    """

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = MARKS
    strip_end: str = ""

    @classmethod
    def of(cls, settings: LabelSettings | None, *, missing: tuple[str, ...], strip_end: str = "") -> Self:
        """Return the labels of a setting: a text names a column, a mapping its values."""
        given = settings or {}
        values = {name: dict(label) for name, label in given.items() if not isinstance(label, str)}
        titles = {name: label for name, label in given.items() if isinstance(label, str)}
        return cls(values=values, titles=titles, missing=missing, strip_end=strip_end)

    def apply(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return rows with their labels; values and columns that have their label already, or none, stay as they are."""
        named = {name: self._named(raw[name], label) for name, label in self.values.items() if name in raw.columns}
        titles = {name: title for name, title in self.titles.items() if title not in raw.columns}
        return raw.assign(**named).rename(columns=titles)

    def check(self, raw: pd.DataFrame) -> list[Treatment]:
        """Record what is labelled, and which values have no label.

        Raises:
            DataError: A label is for a column or a value that the table does not have, or two columns get the same title.
        """
        require_columns(raw.columns, [*self.values, *self.titles], _WHERE)
        for name, title in self.titles.items():
            others = [*(str(column) for column in raw.columns if column not in self.titles), *self.titles.values()]
            if others.count(title) > 1 or title in raw.columns:
                raise DataError(f"two columns would be called '{title}'", where=f"{_WHERE}.{name}", fix="choose another title")
        return [self._checked(name, set(self._texts(raw[name]).dropna())) for name in self.values]

    def title(self, name: str | None) -> str | None:
        """Return what a column is called, by its name in the file."""
        return None if name is None else self.titles.get(name, name)

    def named(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return what several columns are called, by their names in the file."""
        return tuple(self.titles.get(name, name) for name in names)

    def keyed(self, settings: Mapping[str, Setting] | None) -> dict[str, Setting]:
        """Return settings of columns, such as their units, under what the columns are called."""
        return {self.titles.get(name, name): setting for name, setting in (settings or {}).items()}

    def label(self, column: str | None, value: Any) -> Any:
        """Return what a value of a column is called, or several of them."""
        if isinstance(value, tuple):
            return tuple(self.label(column, one) for one in value)
        label = self.values.get(column or "", {})
        return label.get(as_known(value, label), value) if isinstance(value, str) else value

    def feature(self, feature: str | Band) -> str | Band:
        """Return a sensitive feature with its column's title."""
        if isinstance(feature, str):
            return self.titles.get(feature, feature)
        renamed: Band = {**feature, "column": self.titles.get(feature["column"], feature["column"])}
        return renamed

    def to_json(self) -> dict[str, Any]:
        """Return everything `from_json` needs, as plain JSON values."""
        return {**asdict(self), "missing": list(self.missing)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild labels from `to_json`."""
        return cls(**{**content, "missing": tuple(content["missing"])})

    def _texts(self, column: pd.Series) -> pd.Series:
        return Cells(missing=self.missing, strip_end=self.strip_end).texts(column)

    def _named(self, column: pd.Series, label: Mapping[str, str]) -> pd.Series:
        texts = self._texts(column)
        called = {text: label.get(as_known(text, label), text) for text in texts.dropna().unique()}
        return texts.map(called, na_action="ignore")

    def _checked(self, name: str, present: set[str]) -> Treatment:
        label = self.values[name]
        known = {value: as_known(value, present) for value in label}
        unknown = [value for value, found in known.items() if found not in present]
        if unknown:
            raise DataError(
                f"a label is for a value that '{name}' does not have",
                where=f"{_WHERE}.{name}",
                got=shorten(unknown, 5),
                available=sorted(present)[:20],
            )
        without = sorted(present - set(known.values()))
        rest = f"; without a label: {shorten(without, 5)}" if without else ""
        words = ", ".join(f"{value} as {text}" for value, text in list(label.items())[:5])
        return Treatment(action="converted", column=name, sentence=f"values are shown by their labels ({words}){rest}")

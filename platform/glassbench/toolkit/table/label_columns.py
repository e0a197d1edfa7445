"""Several labels per row: a yes or no in a column each, or their names in one column."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Treatment
from glassbench.contracts.positive_class import positive_class_by_name
from glassbench.contracts.schema import Target
from glassbench.errors import DataError, shorten, suggest
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.splits import Part, Positions

_WHERE = "dataset.target"
_FEWEST = 10
"""Rows that must have a name in a column of names for it to be a label, and a combination to be a stratum of its own."""


@dataclass(frozen=True, kw_only=True)
class LabelColumns:
    """Where the labels of a table's rows stand.

    Args:
        columns: A column per label that says yes or no; or one column of names, with a separator.
        separator: What stands between the names of one cell; None where each column is a label.
        positive: The value that means yes; None where the values tell.
        name: What the labels are called together.
        labels: The labels in order, once the table was read.
        values: What means no and yes in each column, in small letters, once the table was read.
    """

    columns: tuple[str, ...]
    separator: str | None = None
    positive: str | None = None
    name: str = "labels"
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse columns that are named twice, and several columns of names."""
        if twice := [name for name, times in Counter(self.columns).items() if times > 1]:
            raise DataError(f"the label '{twice[0]}' is named twice", got=", ".join(self.columns), where=_WHERE)
        if self.separator is not None and (len(self.columns) != 1 or not self.separator):
            raise DataError(
                "label_separator cuts the names of one column",
                got=f"{len(self.columns)} columns, separator {self.separator!r}",
                where="dataset.label_separator",
                fix="name one target, or leave label_separator out",
            )

    def fitted(self, frame: pd.DataFrame, cells: Cells) -> tuple["LabelColumns", tuple[Treatment, ...]]:
        """Return the same with labels and values as a table has them, and what was left out.

        Args:
            frame: All rows.
            cells: How cells read.

        Raises:
            DataError: A column holds other than two values, or nothing tells which of them means yes.
        """
        if self.separator is None:
            values = tuple(self._two_values(frame[name], cells) for name in self.columns)
            return replace(self, labels=self.columns, values=values), ()
        counts = Counter(name for names in self._names(frame, cells).dropna() for name in set(names))
        kept = tuple(sorted(name for name, times in counts.items() if times >= _FEWEST))
        if not kept:
            got = f"{len(counts)} names, the commonest in {max(counts.values(), default=0)} rows"
            raise DataError(f"no label of '{self.columns[0]}' has {_FEWEST} rows", got=got, where=_WHERE)
        return replace(self, labels=kept, name=self.columns[0]), tuple(self._said(frame, cells, counts, kept))

    def read(self, frame: pd.DataFrame, cells: Cells) -> np.ndarray:
        """Return which labels each row has: 1, 0, or NaN where that is not known, float64 `(n, labels)`.

        Raises:
            DataError: A cell holds a value that means neither yes nor no.
        """
        if self.separator is not None:
            rows = [
                [np.nan] * len(self.labels) if names is None else [float(name in names) for name in self.labels]
                for names in self._names(frame, cells)
            ]
            return np.array(rows).reshape(len(frame), len(self.labels))
        pairs = zip(self.columns, self.values, strict=True)
        return np.stack([_yes_or_no(frame[name], values, cells) for name, values in pairs], axis=1)

    def encoded(self, raw: pd.DataFrame, cells: Cells) -> Tensor | None:
        """Return which labels raw rows have, float32 `(n, labels)`; None where a column is missing, or no label is known.

        Raises:
            DataError: A cell holds a value that means neither yes nor no.
        """
        if not set(self.columns) <= set(raw.columns):
            return None
        given = self.read(raw, cells)
        return torch.from_numpy(given.astype(np.float32)) if np.isfinite(given).any() else None

    def target(self, favourable: Sequence[str] | None) -> Target:
        """Return the target these labels are.

        Args:
            favourable: Labels that are good for a person to be given, or `not <label>` where going without is; None if unknown.

        Raises:
            DataError: A favourable outcome is no label.
        """
        known = [*self.labels, *(f"not {name}" for name in self.labels)]
        for name in favourable or ():
            if name not in known:
                raise DataError(
                    f"there is no label '{name}'",
                    where="dataset.favourable",
                    got=name,
                    available=known,
                    fix=suggest(name, known),
                )
            if f"not {name}" in (favourable or ()):
                fix = "name one of them"
                raise DataError(f"both '{name}' and 'not {name}' are named as favourable", where="dataset.favourable", fix=fix)
        return Target(name=self.name, kind="labels", classes=self.labels, favourable=tuple(favourable) if favourable else None)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "columns": list(self.columns),
            "separator": self.separator,
            "positive": self.positive,
            "name": self.name,
            "labels": list(self.labels),
            "values": [list(pair) for pair in self.values],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild them from `to_json`."""
        values = tuple((str(no), str(yes)) for no, yes in content["values"])
        return cls(
            columns=tuple(content["columns"]),
            separator=content["separator"],
            positive=content["positive"],
            name=content["name"],
            labels=tuple(content["labels"]),
            values=values,
        )

    def _two_values(self, column: pd.Series, cells: Cells) -> tuple[str, str]:
        counts = Counter(_plain(text) for text in cells.texts(column).dropna())
        found = sorted(counts)
        if len(found) != 2:
            raise DataError(
                f"the label '{column.name}' must hold two values, yes and no",
                where=_WHERE,
                got=f"{len(found)} values: {shorten(found, 5)}" if found else "no value",
                fix="leave the column out of target; for names in one column set label_separator",
            )
        yes = positive_class_by_name(found) if self.positive is None else _plain(self.positive)
        if yes not in found:
            raise DataError(
                f"which value of '{column.name}' means that a row has the label?",
                where="dataset.positive",
                got=", ".join(found) if self.positive is None else f"'{self.positive}', but the column holds {', '.join(found)}",
                fix=f"set dataset.positive to one of them, such as '{found[-1]}'",
            )
        return next(value for value in found if value != yes), yes

    def _names(self, frame: pd.DataFrame, cells: Cells) -> pd.Series:
        """Return the names in each cell; an empty list where it is empty, absent where it says that nothing is known."""
        column = frame[self.columns[0]]
        empty = (column.isna() | (column.astype("string").str.strip() == "")).fillna(value=True).to_numpy(dtype=bool)
        found: list[list[str] | None] = []
        for text, nothing in zip(cells.texts(column), empty, strict=True):
            pieces = [] if nothing or not isinstance(text, str) else text.split(str(self.separator))
            names = [name for piece in pieces if (name := piece.strip())]
            found.append(names if nothing or isinstance(text, str) else None)
        return pd.Series(found, index=column.index, dtype=object)

    def _said(self, frame: pd.DataFrame, cells: Cells, counts: Mapping[str, int], kept: Sequence[str]) -> list[Treatment]:
        column, said = self.columns[0], []
        rare = sorted(set(counts) - set(kept))
        if rare:
            sentence = f"{len(rare)} labels that fewer than {_FEWEST} rows have are left out: {shorten(rare, 10)}"
            said.append(Treatment(action="left out", column=column, sentence=sentence, count=len(rare), examples=tuple(rare[:5])))
        empty = sum(names == [] for names in self._names(frame, cells))
        if empty:
            sentence = f"{empty} empty cells: these rows have none of the labels"
            said.append(Treatment(action="converted", column=column, sentence=sentence, count=empty))
        return said


@dataclass(frozen=True, eq=False, kw_only=True)
class RowLabels:
    """The labels of a table's rows.

    Args:
        columns: Where they stand.
        given: Which labels each row has: 1, 0, or NaN where that is not known, float64 `(n, labels)`.
        treatments: What was left out or converted.
    """

    columns: LabelColumns
    given: np.ndarray
    treatments: tuple[Treatment, ...] = ()

    def strata(self, *, given: bool) -> pd.Series:
        """Return what rows are stratified by, text `(n,)`: their combination of labels, rare ones as one; None without any label.

        Args:
            given: Whether parts are given already, so that nothing is stratified.
        """
        known = np.isfinite(self.given).any(axis=1)
        if given:
            return pd.Series("", index=range(len(known))).where(known)
        codes = np.unique(np.nan_to_num(self.given, nan=2), axis=0, return_inverse=True)[1].ravel()
        counts = np.bincount(codes[known], minlength=codes.max(initial=0) + 1)
        names = pd.Series(codes.astype(str)).where(counts[codes] >= _FEWEST, "rare")
        if (names[known] == "rare").sum() < _FEWEST:
            names = names.where(names != "rare", str(counts.argmax()))
        return names.where(known)

    def check_parts(self, parts: Positions) -> tuple[str, ...]:
        """Return notes on labels that no row of some part has, and on labels that are not known.

        Raises:
            DataError: All training rows have a label, or none has it: nothing can be learnt of it.
        """
        self._refuse_constant(self.given[parts["train"]])
        notes = [note for part, rows in parts.items() if (note := self._absent(part, self.given[rows]))]
        unknown = np.isnan(self.given[parts["train"]]).sum(axis=0).tolist()
        said = [f"{name} ({count})" for name, count in zip(self.columns.labels, unknown, strict=True) if count]
        lacking = f"labels that are not known of training rows, and left out of their loss: {', '.join(said)}"
        return (*notes, lacking) if said else tuple(notes)

    def _refuse_constant(self, given: np.ndarray) -> None:
        for place, name in enumerate(self.columns.labels):
            having = given[:, place][np.isfinite(given[:, place])]
            if len(np.unique(having)) < 2:
                raise DataError(
                    f"{'all' if having.any() else 'no'} training rows have the label '{name}'",
                    where=_WHERE,
                    got=f"{len(having):,} training rows of which it is known",
                    fix="leave the label out, or divide the rows otherwise",
                )

    def _absent(self, part: Part, given: np.ndarray) -> str | None:
        absent = [name for place, name in enumerate(self.columns.labels) if not (given[:, place] == 1).any()]
        several = "s" if len(absent) > 1 else ""
        return f"No row with the label{several} {', '.join(absent)} is in the {part} part." if absent else None


def read_labels(columns: LabelColumns, frame: pd.DataFrame, cells: Cells) -> RowLabels:
    """Return the labels of all rows of a table.

    Args:
        columns: Where they stand.
        frame: All rows.
        cells: How cells read.

    Raises:
        DataError: A column holds other than two values, nothing tells which of them means yes, or no label is common enough.
    """
    fitted, treatments = columns.fitted(frame, cells)
    return RowLabels(columns=fitted, given=fitted.read(frame, cells), treatments=treatments)


def label_columns(
    target: str | tuple[str, ...] | None, separator: str | None, positive: str | None, kind: str
) -> LabelColumns | None:
    """Return where labels stand, as the settings of a data set say; None where they name one target or none.

    Raises:
        DataError: A separator has no column to cut, or a kind of target is asked for.
    """
    if separator is None and (target is None or isinstance(target, str)):
        return None
    if target is None or kind != "auto":
        got = "no target" if target is None else f"kind {kind}"
        raise DataError("several labels need a target, and no kind", got=got, where="dataset", fix="set target, leave kind out")
    columns = (target,) if isinstance(target, str) else target
    if separator is None and len(columns) < 2:
        raise DataError("labels need two columns at least", got=", ".join(columns), where=_WHERE, fix=f"set target: {columns[0]}")
    return LabelColumns(columns=columns, separator=separator, positive=positive)


def _plain(text: str) -> str:
    """Return a value in small letters, a whole number without its fraction of zeros."""
    folded = " ".join(text.casefold().split())
    whole, _, fraction = folded.partition(".")
    return whole if fraction and not fraction.strip("0") and whole.lstrip("-").isdigit() else folded


def _yes_or_no(column: pd.Series, values: tuple[str, str], cells: Cells) -> np.ndarray:
    texts = cells.texts(column)
    read = texts.map(lambda text: float(values.index(plain)) if (plain := _plain(text)) in values else -1.0, na_action="ignore")
    given = read.to_numpy(dtype=float, na_value=np.nan)
    if (strange := given == -1).any():
        raise DataError(
            f"the label '{column.name}' is neither '{values[1]}' nor '{values[0]}'",
            got=repr(texts[strange].iloc[0]),
            where=f"row {column.index[strange][0]}",
        )
    return given

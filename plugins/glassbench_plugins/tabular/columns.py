"""What each column of a table holds, inferred from its training rows."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from glassbench.errors import DataError, suggest
from glassbench_plugins.tabular.cells import Cells

Kind = Literal["number", "category"]

_IDENTIFIER = re.compile(r"^(id|ids|index|key|uuid|guid|row|row_?names?|unnamed:.*)$|.*([_ ]id)$", re.IGNORECASE)
_MANY = 50


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the columns of a table are read.

    Args:
        kinds: Kind of each column that becomes an input, in the table's order.
        notes: What was left out or decided, and why.
    """

    kinds: Mapping[str, Kind]
    notes: tuple[str, ...] = ()


def read_columns(train: pd.DataFrame, declared: Mapping[str, Kind], cells: Cells) -> Reading:
    """Decide how each column becomes an input.

    A column is numbers when every value present in the training rows is one, else categories. Left out, with a note, are
    columns without any value, columns with one value only, whole numbers that merely number the rows, and free text (more
    than 50 different texts, and more than half as many as rows). What is declared is never left out.

    Args:
        train: Training rows of the candidate columns.
        declared: Kinds that the person gave; they go before any inference.
        cells: How cells read.

    Raises:
        DataError: A column holds dates, or none is left.
    """
    _refuse_dates(train, declared, cells)
    kinds: dict[str, Kind] = {}
    notes: list[str] = []
    for name in train.columns:
        kind, note = (declared[name], None) if name in declared else _infer(train[name], cells)
        kinds |= {name: kind} if kind else {}
        notes += [note] if note else []
    if not kinds:
        raise DataError("no column is left to learn from", got="; ".join(notes) or "no columns")
    return Reading(kinds=kinds, notes=tuple(notes))


def require_columns(present: pd.Index, wanted: Collection[str], where: str) -> None:
    """Raise `DataError`, with the nearest right spelling, when a wanted column isn't there."""
    names = [str(name) for name in present]
    for name in wanted:
        if name not in names:
            raise DataError(f"there is no column '{name}'", where=where, available=names, fix=suggest(name, names))


def looks_like_classes(target: pd.Series, cells: Cells) -> bool:
    """Whether a target reads as classes: text, or at most 10 different whole numbers."""
    given = cells.texts(target).notna()
    values = cells.parsed(target)
    if values[given].isna().any():
        return True
    return bool((values[given] % 1 == 0).all() and values.nunique() <= 10)


def _infer(column: pd.Series, cells: Cells) -> tuple[Kind | None, str | None]:
    given = cells.texts(column)
    present, distinct = int(given.notna().sum()), int(given.nunique())
    if present == 0:
        return None, f"{column.name}: no value in any training row; left out"
    if distinct == 1 and present == len(column):
        return None, f"{column.name}: the same value in every training row; left out"
    readable = int(cells.parsed(column).notna().sum())
    if readable == present:
        return _infer_number(cells.numbers(column), distinct)
    if distinct > _MANY and distinct > present / 2:
        return None, f"{column.name}: {distinct} different texts in {present} rows, free text or identifiers; left out"
    if readable > present / 2:
        return "category", f"{column.name}: mostly numbers, but not only; read as categories"
    return "category", None


def _infer_number(values: pd.Series, distinct: int) -> tuple[Kind | None, str | None]:
    whole = bool((values.dropna() % 1 == 0).all())
    if whole and distinct == len(values) and _IDENTIFIER.match(str(values.name)):
        return None, f"{values.name}: numbers the rows; left out"
    return "number", None


def _refuse_dates(train: pd.DataFrame, declared: Mapping[str, Kind], cells: Cells) -> None:
    dated = [name for name in train.columns if name not in declared and cells.are_dates(train[name])]
    if dated:
        raise DataError(
            f"column '{dated[0]}' holds dates, which are no input by themselves",
            got=f"{train[dated[0]].dropna().iloc[0]} in {', '.join(dated)}",
            fix=f"derive numbers from them first (age, days since, month), or set dataset.drop to [{', '.join(dated)}]",
        )

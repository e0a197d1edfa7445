"""What each column of a table holds, decided on all of its rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError, suggest
from glassbench.toolkit.cells.cells import Cells, ColumnReading, refuse_strange
from glassbench.toolkit.cells.kinds import DATES, Asked, Found, Kind, read_text, read_typed
from glassbench.toolkit.cells.notation import Survey, common_decimal
from glassbench.toolkit.cells.spelling import without_fraction


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the columns of a table are read.

    Args:
        kinds: Kind of each column, in the table's order; those that were left out are not among them.
        reasons: Why each column is of its kind, or was left out.
        cells: How the cells read.
        treatments: What was left out or converted.
    """

    kinds: Mapping[str, Kind]
    reasons: Mapping[str, str]
    cells: Cells
    treatments: tuple[Treatment, ...] = ()


def read_columns(frame: pd.DataFrame, cells: Cells, asked: Asked, named: Collection[str] = ()) -> Reading:
    """Decide how each column reads, on all rows of a table.

    A column is numbers when more than half of its values are written like numbers, in the notation of most of them. Left out,
    with a record, are columns without any value, columns with one value only, whole numbers that merely number the rows, and
    free text (more than 50 different texts, and more than half as many as rows); and columns of dates, where that is asked. What
    a person named or declared is never left out.

    Args:
        frame: All rows.
        cells: Which texts mean that a value is missing.
        asked: What a person says about it.
        named: Columns that a person named for a purpose of their own: the target, sensitive features.

    Raises:
        DataError: A column holds dates, a column of numbers holds a few cells that are none, or its marks can be read two ways.
    """
    textual = {dtype: is_text(dtype) for dtype in set(frame.dtypes)}
    surveys = {
        str(name): Survey.of(column, cells)
        for (name, column), dtype in zip(frame.items(), frame.dtypes, strict=True)
        if textual[dtype]
    }
    dated = set(_dated(frame, {*asked.kinds, *named}, cells, surveys))
    if dated and asked.dates == "refuse":
        _refuse_dates(frame, [name for name in map(str, frame.columns) if name in dated])
    around = common_decimal(survey for name, survey in surveys.items() if name not in dated)
    found: dict[str, Found] = {}
    for name in map(str, frame.columns):
        if name in dated:
            found[name] = Found(kind=None, reason=DATES)
            continue
        text = surveys.get(name)
        one = read_typed(frame[name], cells, asked) if text is None else read_text(text, len(frame), asked, around)
        found[name] = one.kept() if name in named or name in asked.kinds else one
    special = {name: one.reading for name, one in found.items() if one.reading != ColumnReading()}
    reading = Reading(
        kinds={name: one.kind for name, one in found.items() if one.kind is not None},
        reasons={name: one.reason for name, one in found.items()},
        cells=replace(cells, columns=special),
        treatments=tuple(treatment for one in found.values() for treatment in one.treatments),
    )
    if asked.strange == "refuse":
        refuse_strange([frame[name] for name, one in found.items() if one.strange], reading.cells)
    return reading


def require_columns(present: pd.Index, wanted: Collection[str], where: str) -> None:
    """Raise `DataError`, with the nearest right spelling, when a wanted column isn't there."""
    if not wanted:
        return
    names = [str(name) for name in present]
    known = set(names)
    for name in wanted:
        if name not in known:
            raise DataError(f"there is no column '{name}'", where=where, available=names, fix=suggest(name, names))


def looks_like_classes(target: pd.Series, cells: Cells) -> bool:
    """Whether a target reads as classes: text, or at most 10 different whole numbers."""
    given = cells.texts(target).notna()
    values = cells.parsed(target)
    if values[given].isna().any():
        return True
    return bool((values[given] % 1 == 0).all() and values.nunique() <= 10)


def whole_classes(target: pd.Series, cells: Cells) -> dict[str, ColumnReading]:
    """Return how a target of whole numbers that is taken for classes reads, by its name: `1.0` in a file is the class 1."""
    name, plain = str(target.name), without_fraction(cells.texts(target).dropna().unique())
    known = cells.columns.get(name, ColumnReading())
    return {name: replace(known, spellings={**known.spellings, **plain})} if plain else {}


def is_text(dtype: Any) -> bool:
    """Whether a column's type says nothing of numbers."""
    return not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)


def _dated(frame: pd.DataFrame, known: Collection[str], cells: Cells, surveys: Mapping[str, Survey]) -> list[str]:
    """Return the columns that hold calendar dates, but for those of which a person said what they are."""
    return [
        name
        for name, dtype in zip(map(str, frame.columns), frame.dtypes, strict=True)
        if name not in known
        and (surveys[name].are_dates if name in surveys and dtype.kind != "M" else cells.are_dates(frame[name]))
    ]


def _refuse_dates(frame: pd.DataFrame, dated: Sequence[str]) -> None:
    raise DataError(
        f"column '{dated[0]}' holds dates, which are no input by themselves",
        got=f"{frame[dated[0]].dropna().iloc[0]} in {', '.join(dated)}",
        fix=f"derive numbers from them first (age, days since, month), or set dataset.drop to [{', '.join(dated)}]",
    )

"""The channels of a table with a time column: its columns of numbers, read as the columns of any table are."""

from dataclasses import dataclass, field

import pandas as pd

from glassbench.data import Treatment
from glassbench.errors import DataError, suggest
from glassbench_plugins.tabular.cells import MARKS, Cells, Strange
from glassbench_plugins.tabular.columns import read_columns
from glassbench_plugins.tabular.kinds import Asked, Kind
from glassbench_plugins.tabular.numerals import Mark


@dataclass(frozen=True, kw_only=True)
class Cellwise:
    """How the cells of channels read.

    Args:
        decimal: What stands before fractions, where the table does not tell.
        strange: What becomes of cells in columns of numbers that are none.
        missing: Texts that mean a value is missing.
        types: Kinds of columns, where inference is wrong; a `category` is no channel.
    """

    decimal: Mark | None = None
    strange: Strange = "refuse"
    missing: tuple[str, ...] = MARKS
    types: dict[str, Kind] = field(default_factory=dict)


def channels_of(
    frame: pd.DataFrame, named: tuple[str, ...], others: tuple[str, ...], how: Cellwise
) -> tuple[pd.DataFrame, tuple[Treatment, ...]]:
    """Return the channels as numbers, NaN where absent, and what was left out or read otherwise than it stands.

    Args:
        frame: The rows.
        named: The columns to take; empty for all that hold numbers.
        others: Columns that are no channels: the time, sensitive features.
        how: How cells read.

    Raises:
        DataError: A column that was named holds no numbers, a column of numbers holds a few cells that are none, or none is left.
    """
    cells = Cells(missing=how.missing)
    columns = named or tuple(str(name) for name in frame.columns if name not in others)
    dated = [] if named else [name for name in columns if name not in how.types and cells.are_dates(frame[name])]
    asked = Asked(kinds=how.types, decimal=how.decimal, strange=how.strange)
    reading = read_columns(frame[[name for name in columns if name not in dated]], cells, asked, named)
    read = {name: reading.cells.numbers(frame[name]) for name, kind in reading.kinds.items() if kind == "number"}
    empty = [name for name in named if name not in read or read[name].isna().all()]
    if empty:
        fix = "leave it out of dataset.channels; a text column can be dataset.sensitive"
        raise DataError(
            f"channel '{empty[0]}' holds what is no number", got=_first(frame[empty[0]]), where="dataset.channels", fix=fix
        )
    if not read:
        raise DataError("no column holds numbers to forecast", available=list(columns), fix="name dataset.channels")
    reasons = {name: reading.reasons[name] for name, kind in reading.kinds.items() if kind != "number"}
    reasons |= dict.fromkeys(dated, "dates")
    left_out = (_no_channel(name, reason) for name, reason in reasons.items())
    return pd.DataFrame(read, index=frame.index), (*reading.treatments, *left_out)


def require_columns(frame: pd.DataFrame, names: list[str]) -> None:
    """Raise `DataError` when a table lacks a column."""
    columns = list(map(str, frame.columns))
    for name in names:
        if name not in columns:
            raise DataError(f"there is no column '{name}'", available=columns, fix=suggest(name, columns), where="dataset")


def _no_channel(name: str, reason: str) -> Treatment:
    return Treatment(action="left out", column=name, sentence=f"{reason}; no channel", count=1)


def _first(column: pd.Series) -> str:
    given = column.dropna()
    return repr(given.iloc[0])[:80] if len(given) else "no value"

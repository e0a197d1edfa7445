"""The channels of a table with a time column: its columns of numbers, read as the columns of any table are."""

from dataclasses import replace

import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.columns import read_columns
from glassbench.toolkit.cells.kinds import Asked


def channels_of(
    frame: pd.DataFrame, named: tuple[str, ...], others: tuple[str, ...], cells: Cells, asked: Asked
) -> tuple[pd.DataFrame, tuple[Treatment, ...]]:
    """Return the channels as numbers, NaN where absent, and what was left out or read otherwise than it stands.

    Args:
        frame: The rows.
        named: The columns to take; empty for all that hold numbers.
        others: Columns that are no channels: the time, sensitive features.
        cells: What cells mean.
        asked: Kinds of columns where inference is wrong (a `category` is no channel), and how numbers are written.

    Raises:
        DataError: A column that was named holds no numbers, a column of numbers holds a few cells that are none, or none is left.
    """
    columns = named or tuple(str(name) for name in frame.columns if name not in others)
    reading = read_columns(frame[list(columns)], cells, replace(asked, dates="leave out"), named)
    read = {name: reading.cells.numbers(frame[name]) for name, kind in reading.kinds.items() if kind == "number"}
    empty = [name for name in named if name not in read or read[name].isna().all()]
    if empty:
        fix = "leave it out of dataset.channels; a text column can be dataset.sensitive"
        raise DataError(
            f"channel '{empty[0]}' holds what is no number", got=_first(frame[empty[0]]), where="dataset.channels", fix=fix
        )
    if not read:
        raise DataError("no column holds numbers to forecast", available=list(columns), fix="name dataset.channels")
    reasons = {name: reason for name, reason in reading.reasons.items() if reading.kinds.get(name) != "number"}
    told = {treatment.column for treatment in reading.treatments if treatment.action == "left out"}
    left_out = (_no_channel(name, reason) for name, reason in reasons.items() if name not in told)
    return pd.DataFrame(read, index=frame.index), (*reading.treatments, *left_out)


def _no_channel(name: str, reason: str) -> Treatment:
    return Treatment(action="left out", column=name, sentence=f"{reason}; no channel", count=1)


def _first(column: pd.Series) -> str:
    given = column.dropna()
    return repr(given.iloc[0])[:80] if len(given) else "no value"

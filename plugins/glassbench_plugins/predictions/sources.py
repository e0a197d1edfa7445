"""Rows of decisions from files: in memory one by one, or counted where they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.reading.tables import read_table
from glassbench_plugins.predictions.engines import Engine, chosen_engine, count_rows
from glassbench_plugins.predictions.files import Files, check_columns
from glassbench_plugins.predictions.group_by import COUNT


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """Rows as they were read.

    Args:
        frame: The rows, or the different ones of them.
        frequency: How many rows each stands for, int64 `(n,)`; None where each stands for itself.
        notes: What a reader must know of how they were read.
        keys: Rows that an engine counted, as it gave them, in the order of the frame; None where none did.
        engine: Who read them.
    """

    frame: pd.DataFrame
    frequency: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    keys: pd.DataFrame | None = None
    engine: Engine = "memory"

    def where(self, keep: pd.Series | np.ndarray) -> "Source":
        """Return the rows to keep (truth values `(n,)`)."""
        counts = None if self.frequency is None else self.frequency[np.asarray(keep)]
        keys = None if self.keys is None else self.keys[keep].reset_index(drop=True)
        return replace(self, frame=self.frame[keep].reset_index(drop=True), frequency=counts, keys=keys)

    def total(self, chosen: pd.Series) -> int:
        """Return how many rows of the files the chosen ones (truth values `(n,)`) stand for."""
        return int(chosen.sum()) if self.frequency is None else int(self.frequency[chosen.to_numpy()].sum())


def read_source(
    files: Files,
    columns: Sequence[str],
    cells: Cells,
    *,
    counts: str | None,
    engine: Engine,
    countable: bool,
    small: bool,
) -> Source:
    """Read or count the rows of files.

    Args:
        files: The files.
        columns: The columns that are asked for.
        cells: How cells read.
        counts: The column that says how many rows each stands for, or None.
        engine: Who reads them; `auto` counts large files where they are.
        countable: Whether nothing but classes, groups and clusters is asked of the rows.
        small: Whether few different rows are to be expected, so that `auto` may have them counted.

    Raises:
        DataError: A file, a column or a count cannot be used.
        ComponentError: The engine is not installed.
    """
    chosen = chosen_engine(engine, files, countable=countable and small and counts is None)
    if chosen == "memory":
        frame = _in_memory(files)
        check_columns(list(map(str, frame.columns)), [*columns, *([counts] if counts else [])])
        return Source(frame=frame) if counts is None else _counted(frame, counts, cells)
    if counts is not None:
        raise DataError("a table of counts is read in memory", got=f"engine {chosen}", fix="leave the engine out")
    if not countable:
        raise DataError(
            "scores, values and weights are judged row by row, not from counts",
            got=f"engine {chosen}",
            fix="leave score and weight out, or set the engine to memory",
        )
    frame = count_rows(files, columns, chosen)
    held = frame[COUNT].to_numpy(dtype=np.int64)
    who = {"duckdb": "DuckDB", "spark": "Spark"}[chosen]
    note = f"The {int(held.sum()):,} rows were counted by {who} where they are, by {', '.join(dict.fromkeys(columns))}."
    keys = frame.drop(columns=COUNT)
    return Source(frame=keys, frequency=held, notes=(note,), keys=keys, engine=chosen)


def _in_memory(files: Files) -> pd.DataFrame:
    frames = [read_table(path, files.form) for path in files.paths]
    files.check_alike([list(frame.columns) for frame in frames])
    return pd.concat(frames, ignore_index=True)


def _counted(frame: pd.DataFrame, counts: str, cells: Cells) -> Source:
    """Read a table of counts; rows that stand for none are left aside."""
    held = cells.numbers(frame[counts])
    wrong = held.isna() | (held < 0) | (held % 1 != 0)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"counts are whole numbers from 0; {int(wrong.sum())} of the column '{counts}' are none",
            got=f"{frame[counts].iloc[first]} in row {first + 1}",
            fix="weights and shares are no counts: audit the rows themselves",
        )
    if held.sum() >= 2**53:
        raise DataError("the counts are too large to be added exactly", got=f"{held.sum():.3g} rows", where="dataset.counts")
    if not held.sum() > 0:
        raise DataError("the counts add up to 0", got=f"{len(frame)} rows", where="dataset.counts")
    source = Source(frame=frame, frequency=held.to_numpy(dtype=np.int64))
    kept = source.where(held > 0)
    note = f"A table of counts: {len(kept.frame):,} different rows stand for {int(held.sum()):,}."
    return Source(frame=kept.frame, frequency=kept.frequency, notes=(note,))

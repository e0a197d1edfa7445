"""A regular series from rows with time stamps: its step, its gaps, what is done about them."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.splits.ambiguous_dates import refuse_ambiguous
from glassbench.toolkit.splits.split_by_date import year_first

Gaps = Literal["refuse", "leave-out", "fill"]
Frequency = str | pd.Timedelta


@dataclass(frozen=True, eq=False, kw_only=True)
class Regular:
    """A series on a regular grid of moments.

    Args:
        times: The moments `(steps,)`.
        values: Values `(steps, channels)`, float64; 0 where unknown.
        known: Steps whose values are all known, bool `(steps,)`.
        rows: The table's row of each step, -1 where it has none, `(steps,)`.
        step: The time from one step to the next; None where it follows the calendar (months).
        notes: What was done, for the reader.
    """

    times: pd.DatetimeIndex
    values: np.ndarray
    known: np.ndarray
    rows: np.ndarray
    step: pd.Timedelta | None
    notes: tuple[str, ...] = ()


def read_times(column: pd.Series, time_format: str | None) -> pd.DatetimeIndex:
    """Return the moments of a column of time stamps.

    Raises:
        DataError: A cell is no time stamp, or nothing tells day and month apart.
    """
    turned = None
    if time_format is None and not pd.api.types.is_datetime64_any_dtype(column):
        texts = column.astype("string").str.strip()
        refuse_ambiguous(texts.dropna().unique().tolist(), str(column.name), "dataset.time_format")
        turned = year_first(texts, str(column.name), "dataset.time_format")
    with warnings.catch_warnings():  # what cannot be read is refused below, in our own words
        warnings.simplefilter("ignore", UserWarning)
        stamps, form = (column, time_format) if turned is None else (turned, "ISO8601")
        times = pd.to_datetime(stamps, format=form, errors="coerce")
    if bad := np.flatnonzero(times.isna()).tolist():
        raise DataError(
            f"column '{column.name}' holds {len(bad)} cells that are no time stamp",
            got=f"{column.iloc[bad[0]]!r} in row {bad[0] + 1}",
            where="dataset.time",
            fix="correct them, or say how they read with dataset.time_format, for example '%d.%m.%Y %H:%M'",
        )
    return pd.DatetimeIndex(times)


def regular(times: pd.DatetimeIndex, values: pd.DataFrame, *, step: str | None, gaps: Gaps) -> Regular:
    """Return the series on a regular grid.

    Args:
        times: Moment of each row `(n,)`, in any order.
        values: Numbers `(n, channels)`, NaN where unknown.
        step: The time between steps, as pandas writes it ("h", "15min", "D", "MS"); None takes the commonest.
        gaps: What to do about moments without a row and rows without a value: `refuse`; `leave-out` keeps them marked unknown;
            `fill` draws a straight line between the neighbours.

    Raises:
        DataError: Two rows have one moment, moments are on no regular grid, or there are gaps and they are refused.
    """
    order = np.argsort(times.to_numpy(), kind="stable")
    sorted_times, notes = times[order], list[str]()
    if (order != np.arange(len(order))).any():
        notes.append("The rows were not in the order of time; they were sorted.")
    _refuse_twice(sorted_times)
    frequency = step or _frequency(sorted_times)
    grid = _grid(sorted_times, frequency)
    rows = np.full(len(grid), -1)
    rows[grid.get_indexer(sorted_times)] = order
    held = np.where(rows[:, None] >= 0, values.to_numpy(dtype=np.float64)[rows], np.nan)
    known = np.asarray(np.isfinite(held).all(axis=1), dtype=bool)
    if not known.all():
        _refuse_gaps(grid, rows, held, list(values.columns), gaps)
        notes.append(_gap_note(grid, rows, known, gaps))
        held = _filled(held) if gaps == "fill" else np.where(known[:, None], held, 0.0)
        known = np.ones(len(grid), dtype=bool) if gaps == "fill" else known
    return Regular(times=grid, values=held, known=known, rows=rows, step=_step(grid), notes=tuple(notes))


def _step(grid: pd.DatetimeIndex) -> pd.Timedelta | None:
    """Return the time between steps, None where it varies as the lengths of months do."""
    steps = np.unique(np.diff(grid.to_numpy()))
    return pd.Timedelta(steps[0]) if len(steps) == 1 else None


def _refuse_twice(times: pd.DatetimeIndex) -> None:
    twice = times[times.duplicated()]
    if len(twice):
        raise DataError(
            "several rows have the same time stamp",
            got=f"{len(twice)} rows, first {twice[0]}",
            where="dataset.time",
            fix="keep one row per moment; several series side by side belong in columns of their own; clocks put back an hour "
            "need time stamps in UTC",
        )


def _frequency(times: pd.DatetimeIndex) -> Frequency:
    if len(times) < 3:
        raise DataError("the series is too short", got=f"{len(times)} rows")
    steps, counts = np.unique(np.diff(times.to_numpy()), return_counts=True)
    commonest = steps[counts.argmax()]
    if not (steps % commonest).astype(np.int64).any():
        return pd.Timedelta(commonest)
    with warnings.catch_warnings():  # pandas announces another return type; its name reads the same
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        named = pd.infer_freq(times)
    if named is None:
        off = np.flatnonzero((np.diff(times.to_numpy()) % commonest).astype(np.int64)) + 1
        raise DataError(
            "the time stamps follow no regular step",
            got=f"mostly {pd.Timedelta(commonest)}, but {len(off)} rows off that, first {times[off[0]]}",
            where="dataset.time",
            fix="bring the rows to a regular step first, or name it in dataset.step",
        )
    return named


def _grid(times: pd.DatetimeIndex, frequency: Frequency) -> pd.DatetimeIndex:
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of a name that is then refused
            grid = pd.date_range(times[0], times[-1], freq=frequency)
    except ValueError as error:
        raise DataError("dataset.step is no step", got=str(frequency), fix="write it as 'h', '15min', 'D' or 'MS'") from error
    off = times[~times.isin(grid)]
    if len(off):
        raise DataError(
            "time stamps lie between the steps", got=f"{len(off)} rows, first {off[0]}", fix="choose another dataset.step"
        )
    return grid


def _refuse_gaps(grid: pd.DatetimeIndex, rows: np.ndarray, held: np.ndarray, channels: list[str], gaps: Gaps) -> None:
    if gaps != "refuse":
        return
    absent = np.flatnonzero(rows < 0)
    if len(absent):
        problem, got = "the time stamps have gaps", f"{len(absent)} of {len(grid)} steps have no row, first {grid[absent[0]]}"
    else:
        empty = np.argwhere(~np.isfinite(held))
        moment, channel = grid[empty[0][0]], channels[empty[0][1]]
        problem, got = "values are missing", f"{len(empty)} cells, first '{channel}' at {moment}"
    fix = "set dataset.gaps to 'leave-out' (no window spans a gap) or 'fill' (a straight line between neighbours)"
    raise DataError(problem, got=got, where="dataset.gaps", fix=fix)


def _gap_note(grid: pd.DatetimeIndex, rows: np.ndarray, known: np.ndarray, gaps: Gaps) -> str:
    absent, unknown = int((rows < 0).sum()), int((~known).sum())
    done = "filled by a straight line between neighbours" if gaps == "fill" else "left unknown, and no window spans them"
    return f"{unknown} of {len(grid)} steps have gaps ({absent} without a row, {unknown - absent} without a value): {done}."


def _filled(held: np.ndarray) -> np.ndarray:
    frame = pd.DataFrame(held).interpolate(method="linear", limit_direction="both")
    if frame.isna().to_numpy().any():
        raise DataError("a channel has no value at all", where="dataset.channels")
    return frame.to_numpy()

"""Any table with a time column, as a data set to forecast."""

from pathlib import Path

import numpy as np
import pandas as pd

from glassbench.data import MISSING, Data
from glassbench.errors import DataError, SettingsError, suggest
from glassbench.stats.settings_types import Count
from glassbench_plugins.series.chronology import Gaps, Regular, read_times, regular
from glassbench_plugins.series.forecasts import Layout, Parts, SplitUnit, forecast_data
from glassbench_plugins.series.moments import Hemisphere, Property
from glassbench_plugins.tabular.reading import Format, read_table

_ABSENT = ("", "na", "nan", "null", "none", "?")


def series_table(
    seed: int,
    *,
    path: str,
    time: str | None = None,
    target: str | None = None,
    channels: tuple[str, ...] = (),
    sensitive: tuple[str, ...] = (),
    calendar: tuple[Property, ...] = ("hour", "weekday", "season"),
    hemisphere: Hemisphere = "north",
    length: Count = 336,
    horizon: Count = 96,
    stride: Count = 1,
    test_stride: Count = 1,
    split: Parts = (0.7, 0.1, 0.2),
    split_unit: SplitUnit = "share",
    gaps: Gaps = "refuse",
    step: str | None = None,
    time_format: str | None = None,
    units: dict[str, str] | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> Data:
    """Any CSV or Parquet file with a time column, split in the order of time.

    Channels are standardised with the mean and standard deviation of the training stretch. Windows are views of the series,
    not copies.

    Args:
        seed: Unused: the split follows time.
        path: The file, relative to the current folder; compressed too.
        time: The column of time stamps; the first column unless named.
        target: The channel that single decisions and groups speak of; the last channel unless named. All are forecast.
        channels: The columns to learn from and to forecast; all that hold numbers unless named.
        sensitive: Text columns whose value at the first forecast step is a group to audit by.
        calendar: Calendar properties of the first forecast step to audit by; those that never vary are left out.
        hemisphere: Whose seasons.
        length: Steps that a model sees.
        horizon: Steps that it forecasts.
        stride: Steps from one training or validation window to the next.
        test_stride: Steps from one test window to the next; at the horizon, test windows don't overlap.
        split: Lengths of the training, validation and testing stretches; rows after them are left out.
        split_unit: What they are counted in: shares of the rows, steps, days, or months of 30 days.
        gaps: What to do about absent moments and values: `refuse` them, `leave-out` the windows that would span them (what
            remains is copied), or `fill` them by a straight line between neighbours.
        step: The time between rows, as pandas writes it ("h", "15min", "D", "MS"); the commonest unless named.
        time_format: How time stamps read, for example "%d.%m.%Y %H:%M"; guessed unless given.
        units: Units of channels, for the report.
        separator: What stands between cells; what cuts the first lines alike unless given.
        encoding: Character encoding of a text file; UTF-8, or what fits where it is not valid UTF-8, unless given.
    """
    require_counts(length=length, horizon=horizon, stride=stride, test_stride=test_stride)
    frame = read_table(path, Format(separator=separator, encoding=encoding))
    moment = time or str(frame.columns[0])
    require_columns(frame, [moment, *channels, *sensitive, *([target] if target else [])])
    values = channels_of(frame, channels, (moment, *sensitive))
    named = target or str(values.columns[-1])
    if named not in values.columns:
        raise DataError("the target is no channel", got=named, available=list(values.columns), where="dataset.target")
    series = regular(read_times(frame[moment], time_format), values, step=step, gaps=gaps)
    layout = Layout(
        channels=tuple(map(str, values.columns)),
        target=named,
        length=length,
        horizon=horizon,
        stride=stride,
        test_stride=test_stride,
        split=split,
        split_unit=split_unit,
        units=units or {},
        calendar=calendar,
        hemisphere=hemisphere,
        metadata=_metadata(frame, sensitive, series) if sensitive else None,
    )
    return forecast_data(series, layout, source=Path(path).name)


def require_counts(**counts: int) -> None:
    """Raise `SettingsError` for a setting below 1."""
    for name, count in counts.items():
        if count < 1:
            raise SettingsError(f"{name} must be at least 1", got=str(count), where=f"dataset.{name}")


def require_columns(frame: pd.DataFrame, names: list[str]) -> None:
    """Raise `DataError` when a table lacks a column."""
    columns = list(map(str, frame.columns))
    for name in names:
        if name not in columns:
            raise DataError(f"there is no column '{name}'", available=columns, fix=suggest(name, columns), where="dataset")


def channels_of(frame: pd.DataFrame, named: tuple[str, ...], others: tuple[str, ...]) -> pd.DataFrame:
    """Return the channels as numbers, NaN where absent; of columns that were not named, those that hold numbers alone."""
    columns = named or tuple(str(c) for c in frame.columns if c not in others)
    read = {name: _numbers(frame[name]) for name in columns}
    strange = [name for name, (_, bad) in read.items() if bad is not None]
    if named and strange:
        raise DataError(
            f"channel '{strange[0]}' holds what is no number",
            got=repr(read[strange[0]][1]),
            where="dataset.channels",
            fix="leave it out of dataset.channels; a text column can be dataset.sensitive",
        )
    kept = {name: numbers for name, (numbers, bad) in read.items() if bad is None and numbers.notna().any()}
    if not kept:
        raise DataError("no column holds numbers to forecast", available=list(columns), fix="name dataset.channels")
    return pd.DataFrame(kept)


def _numbers(column: pd.Series) -> tuple[pd.Series, object]:
    """Return a column as numbers, and the first cell that is neither a number nor absent, or None."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.astype(float), None
    text = column.astype("string").str.strip()
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    bad = text[numbers.isna() & text.notna() & ~text.str.lower().isin(_ABSENT).fillna(True)]
    return numbers, None if bad.empty else bad.iloc[0]


def _metadata(frame: pd.DataFrame, names: tuple[str, ...], series: Regular) -> pd.DataFrame:
    """Return the metadata of each step; "missing" where it has no row or an empty cell."""
    columns = {}
    for name in names:
        texts = frame[name].astype("string").str.strip()
        held = texts.where(texts != "").fillna(MISSING).to_numpy(dtype=object)
        columns[name] = np.where(series.rows >= 0, held[series.rows], MISSING)
    return pd.DataFrame(columns)

"""Any table with a time column, as a data set to forecast."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, CountOrZero
from glassbench.toolkit.cells.cells import MARKS, Cells, Strange
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.kinds import Asked, Kind
from glassbench.toolkit.cells.numerals import Mark
from glassbench.toolkit.cells.value_labels import Labels, LabelSettings
from glassbench.toolkit.reading.tables import Format, load
from glassbench_plugins.series.channels import channels_of
from glassbench_plugins.series.chronology import Gaps, Regular, read_times, regular
from glassbench_plugins.series.clusters import PERIODS, step_clusters
from glassbench_plugins.series.forecasts import Layout, Parts, SplitUnit, forecast_data
from glassbench_plugins.series.moments import Hemisphere, Property


def series_table(
    seed: int,
    *,
    path: str,
    time: str | None = None,
    target: str | None = None,
    channels: tuple[str, ...] = (),
    sensitive: tuple[str, ...] = (),
    cluster: str | None = None,
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
    labels: LabelSettings | None = None,
    units: dict[str, str] | None = None,
    decimals: dict[str, CountOrZero] | None = None,
    decimal: Mark | None = None,
    strange: Strange = "refuse",
    missing: tuple[str, ...] = MARKS,
    types: dict[str, Kind] | None = None,
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
        cluster: A column, such as a campaign or a shift, whose windows with the same value at the first forecast step are not
            independent, so that audits resample them together; or `day`, `week` or `month` where no column is called so: windows
            whose forecasts start in the same one. No channel.
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
        labels: Names for people, of values of sensitive columns and of channels, as in the data set `table`.
        units: Units of channels, for the report.
        decimals: Digits after the point with which values of channels are shown, as in the data set `table`.
        decimal: What stands before fractions, where the table does not tell: `1,234` may be 1234 or 1.234.
        strange: What becomes of a few cells in a column of numbers that are none: `refuse` names them, `missing` counts them as
            missing.
        missing: Texts that mean a value is missing.
        types: Kinds of columns where inference is wrong: `number`, or `category` for what is no channel.
        separator: What stands between cells; what cuts the first lines alike unless given.
        encoding: Character encoding of a text file; UTF-8, or what fits where it is not valid UTF-8, unless given.
    """
    require_counts(length=length, horizon=horizon, stride=stride, test_stride=test_stride)
    loaded = load(path, Format(separator=separator, encoding=encoding))
    frame = loaded.frame
    moment = time or str(frame.columns[0])
    require_columns(
        frame.columns,
        [moment, *channels, *sensitive, *(name for name in (target, cluster) if name and name not in PERIODS)],
        "dataset",
    )
    called = Labels.of(labels, missing=missing)
    said = called.check(frame)
    frame, sensitive, moment = called.apply(frame), called.named(sensitive), str(called.title(moment))
    asked = Asked(kinds=called.keyed(types), decimal=decimal, strange=strange)
    cells, together = Cells(missing=missing), called.title(cluster)
    apart = (moment, *sensitive, *([together] if together else []))
    values, treatments = channels_of(frame, called.named(channels), apart, cells, asked)
    named = called.title(target) or str(values.columns[-1])
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
        units=called.keyed(units),
        decimals=called.keyed(decimals),
        calendar=calendar,
        hemisphere=hemisphere,
        metadata=_metadata(frame, sensitive, series, cells) if sensitive else None,
        clusters=step_clusters(frame, together, series, cells),
    )
    data = forecast_data(series, layout, source=Path(path).name)
    return replace(data, treatments=(*loaded.treatments, *said, *treatments, *data.treatments))


def require_counts(**counts: int) -> None:
    """Raise `SettingsError` for a setting below 1."""
    for name, count in counts.items():
        if count < 1:
            raise SettingsError(f"{name} must be at least 1", got=str(count), where=f"dataset.{name}")


def _metadata(frame: pd.DataFrame, names: tuple[str, ...], series: Regular, cells: Cells) -> pd.DataFrame:
    """Return the metadata of each step; "missing" where it has no row or an empty cell."""
    columns = {}
    for name in names:
        held = cells.texts(frame[name]).fillna(MISSING).to_numpy(dtype=object)
        columns[name] = np.where(series.rows >= 0, held[series.rows], MISSING)
    return pd.DataFrame(columns)

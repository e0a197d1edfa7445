"""Any table with a time column, as windows in which something unusual may happen."""

from dataclasses import replace
from pathlib import Path

from glassbench.contracts.data import Data
from glassbench.stats.settings_types import Count
from glassbench.toolkit.cells.cells import MARKS, Cells, Strange
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.kinds import Asked, Kind
from glassbench.toolkit.cells.numerals import Mark
from glassbench.toolkit.reading.tables import Format, load
from glassbench_plugins.anomalies.sliding import Layout, steps_within, window_data
from glassbench_plugins.series.channels import channels_of
from glassbench_plugins.series.chronology import Gaps, read_times, regular
from glassbench_plugins.series.files import require_counts
from glassbench_plugins.series.moments import Property


def series_windows(
    seed: int,
    *,
    path: str,
    time: str | None = None,
    channels: tuple[str, ...] = (),
    unusual: tuple[tuple[str, str], ...] | None = None,
    length: Count = 48,
    stride: Count = 1,
    test_stride: Count = 1,
    split: tuple[float, float, float] = (0.4, 0.1, 0.5),
    calendar: tuple[Property, ...] = ("part_of_day", "day_type"),
    gaps: Gaps = "refuse",
    step: str | None = None,
    time_format: str | None = None,
    units: dict[str, str] | None = None,
    decimal: Mark | None = None,
    strange: Strange = "refuse",
    missing: tuple[str, ...] = MARKS,
    types: dict[str, Kind] | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> Data:
    """Windows that slide over a CSV or Parquet file with a time column: the first are learnt from, the last are judged.

    A window stands for its last step. Channels are standardised with the mean and standard deviation of the training stretch.

    Args:
        seed: Unused: the split follows time.
        path: The file, relative to the current folder; compressed too.
        time: The column of time stamps; the first column unless named.
        channels: The columns to look at; all that hold numbers unless named.
        unusual: Stretches of time, each `[first, last]`, in which something unusual is known to have happened: no window that
            touches them is learnt from, and the report says how many of them were found. None where nothing is known.
        length: Steps of a window.
        stride: Steps from one training or validation window to the next.
        test_stride: Steps from one test window to the next.
        split: Shares of the training, validation and testing stretches.
        calendar: Calendar properties of a window's last step to audit by; those that never vary are left out.
        gaps: What to do about absent moments and values: `refuse` them, `leave-out` the windows that would span them, or `fill`
            them by a straight line between neighbours.
        step: The time between rows, as pandas writes it ("h", "15min", "D", "MS"); the commonest unless named.
        time_format: How time stamps read, for example "%d.%m.%Y %H:%M"; guessed unless given.
        units: Units of channels, for the report.
        decimal: What stands before fractions, where the table does not tell: `1,234` may be 1234 or 1.234.
        strange: What becomes of a few cells in a column of numbers that are none: `refuse` names them, `missing` counts them as
            missing.
        missing: Texts that mean a value is missing.
        types: Kinds of columns where inference is wrong: `number`, or `category` for what is no channel.
        separator: What stands between cells; what cuts the first lines alike unless given.
        encoding: Character encoding of a text file; UTF-8, or what fits where it is not valid UTF-8, unless given.
    """
    require_counts(length=length, stride=stride, test_stride=test_stride)
    loaded = load(path, Format(separator=separator, encoding=encoding))
    frame = loaded.frame
    moment = time or str(frame.columns[0])
    require_columns(frame.columns, [moment, *channels], "dataset")
    asked = Asked(kinds=types or {}, decimal=decimal, strange=strange)
    values, treatments = channels_of(frame, channels, (moment,), Cells(missing=missing), asked)
    series = regular(read_times(frame[moment], time_format), values, step=step, gaps=gaps)
    layout = Layout(
        channels=tuple(map(str, values.columns)),
        length=length,
        stride=stride,
        test_stride=test_stride,
        split=split,
        calendar=calendar,
        units=units or {},
    )
    known = None if unusual is None else steps_within(series.times, unusual)
    data = window_data(series, layout, known, source=Path(path).name)
    return replace(data, treatments=(*loaded.treatments, *treatments, *data.treatments))

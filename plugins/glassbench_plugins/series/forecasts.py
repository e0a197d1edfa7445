"""From a regular series to data that a forecast is learnt from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import ForecastFacts, SeriesFacts
from glassbench.contracts.schema import MISSING, Feature, Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.splits.clusters import Clusters
from glassbench.toolkit.splits.splits import in_several
from glassbench_plugins.series.chronology import Regular
from glassbench_plugins.series.moments import Hemisphere, Property, calendar_groups
from glassbench_plugins.series.windows import Cut, Windows, cut_windows

SplitUnit = Literal["share", "steps", "days", "months"]
Parts = tuple[float, float, float]
_DAYS = {"days": 1, "months": 30}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is forecast from what, and who is compared.

    Args:
        channels: Names of the channels.
        target: The channel that single decisions and groups speak of.
        length, horizon: Steps that a model sees and forecasts.
        stride, test_stride: Steps from one window to the next, in training and validation, and in testing.
        split: Lengths of the training, validation and testing stretches.
        split_unit: What they are counted in; a month has 30 days.
        units: Unit of a channel.
        decimals: Digits after the point with which values of a channel are shown.
        calendar: Calendar properties of the first forecast step, as groups.
        hemisphere: Whose seasons.
        metadata: Text columns `(steps, features)` whose value at the first forecast step is a group.
        clusters: The cluster of each step; a window is of that of its first forecast step.
    """

    channels: tuple[str, ...]
    target: str
    length: int
    horizon: int
    stride: int = 1
    test_stride: int = 1
    split: Parts = (0.7, 0.1, 0.2)
    split_unit: SplitUnit = "share"
    units: dict[str, str]
    decimals: dict[str, int] = field(default_factory=dict)
    calendar: tuple[Property, ...] = ()
    hemisphere: Hemisphere = "north"
    metadata: pd.DataFrame | None = None
    clusters: Clusters = field(default_factory=Clusters)


def forecast_data(series: Regular, layout: Layout, *, source: str) -> Data:
    """Return windows of a series as data: stretches in the order of time, scaled by what the training stretch says.

    What a validation or test window sees reaches back into the stretch before it, as in the literature (Zhou et al. 2021,
    Informer, whose ETT split has 12, 4 and 4 months); what it forecasts does not.

    Raises:
        DataError: A stretch holds no whole window.
    """
    ends = _ends(series, layout)
    mean, std = _scale(series, ends[0])
    values = torch.as_tensor((series.values - mean) / std, dtype=torch.float32)
    names, starts = ("train", "validation", "test"), (0, *ends[:2])
    windows = {
        name: _windows(series, values, layout, name, start, stop)
        for name, start, stop in zip(names, starts, ends, strict=True)
        if stop > start
    }
    groups, same = _groups(series.times, layout, windows["test"].origins)
    splits = {name: _split(series.times, each, groups, layout.clusters) for name, each in windows.items()}
    notes = [_stretch_note(name, series.times, each) for name, each in windows.items()]
    if same:
        notes.append(f"Not compared, since all test windows have the same value: {', '.join(same)}.")
    if layout.test_stride < layout.horizon and layout.clusters.names is None:
        notes.append(
            "Test windows overlap, so their errors go together and intervals are narrower than they should be; "
            "dataset.test_stride at the horizon keeps them apart, and dataset.cluster (week) says which go together."
        )
    schema = _schema(series, layout, tuple(groups.columns), mean, std)
    return Data(
        split="by time, the latest held out",
        schema=schema,
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        notes=(*series.notes, *notes, *layout.clusters.notes, *_divided(splits.values())),
        source=source,
    )


def _ends(series: Regular, layout: Layout) -> tuple[int, int, int]:
    """Return where each stretch ends, in steps."""
    if layout.split_unit == "share":
        factor: float = len(series.times)
        if abs(sum(layout.split) - 1) > 1e-6:
            raise DataError("the shares of the split must sum to 1", got=str(list(layout.split)), where="dataset.split")
    elif layout.split_unit == "steps":
        factor = 1
    elif series.step is None:
        raise DataError("these steps follow the calendar", got=layout.split_unit, fix="count dataset.split_unit in steps")
    else:
        factor = pd.Timedelta(days=_DAYS[layout.split_unit]) / series.step
    sizes = [round(part * factor) for part in layout.split]
    if min(sizes) < 0 or sizes[0] == 0 or sizes[2] == 0 or sum(sizes) > len(series.times) + 1:
        raise DataError(
            "the split does not fit the series",
            got=f"{sizes[0]}, {sizes[1]} and {sizes[2]} steps of {len(series.times)}",
            where="dataset.split",
            fix="choose lengths above 0 (validation may be 0) that the series holds",
        )
    first, second, third = np.minimum(np.cumsum(sizes), len(series.times)).tolist()
    return first, second, third


def _scale(series: Regular, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel over the known steps of the training stretch."""
    seen = series.values[:end][series.known[:end]]
    if not len(seen):
        raise DataError("no step of the training stretch is known")
    std = seen.std(axis=0)
    return seen.mean(axis=0), np.where(std > 0, std, 1.0)


def _windows(series: Regular, values: Tensor, layout: Layout, name: str, start: int, stop: int) -> Windows:
    stride = layout.test_stride if name == "test" else layout.stride
    cut = Cut(length=layout.length, horizon=layout.horizon, stride=stride)
    windows = cut_windows(values, cut, start, stop, None if series.known.all() else series.known)
    if not len(windows.origins):
        needs = layout.horizon + (layout.length if start == 0 else 0)
        raise DataError(
            f"the {name} stretch holds no whole window",
            got=f"{stop - start} steps, {windows.left_out} windows with gaps; a window needs {needs}",
            fix="shorten dataset.length or dataset.horizon, lengthen the stretch, or set dataset.gaps to 'fill'",
        )
    return windows


def _groups(times: pd.DatetimeIndex, layout: Layout, judged: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    """Return the groups of each step, and which properties were left out because they do not vary where it is judged."""
    frames = [calendar_groups(times, layout.calendar, layout.hemisphere)]
    if layout.metadata is not None:
        frames.append(layout.metadata.fillna(MISSING).astype(str).reset_index(drop=True))
    groups = pd.concat(frames, axis=1)
    same = [str(name) for name in groups.columns if groups[name].iloc[judged].nunique() < 2]
    return groups.drop(columns=same), same


def _split(times: pd.DatetimeIndex, windows: Windows, groups: pd.DataFrame, clusters: Clusters) -> Split:
    return Split(
        inputs=(windows.inputs,),
        target=windows.targets,
        rows=np.array([str(time) for time in times[windows.origins]], dtype=object),
        groups=groups.iloc[windows.origins].reset_index(drop=True) if len(groups.columns) else None,
        clusters=clusters.of(windows.origins),
    )


def _divided(splits: Iterable[Split]) -> list[str]:
    """Say how many clusters have windows in several stretches."""
    held = [set(split.clusters) for split in splits if split.clusters is not None]
    several = in_several(held)
    return [f"{several:,} clusters have windows in several parts, so the parts are not independent."] if several else []


def _stretch_note(name: str, times: pd.DatetimeIndex, windows: Windows) -> str:
    first, last = times[windows.origins[0]], times[windows.origins[-1]]
    text = f"{name}: {len(windows.origins):,} windows whose forecasts start from {first} to {last}"
    return text + (f"; {windows.left_out:,} that would span a gap are left out." if windows.left_out else ".")


def _schema(series: Regular, layout: Layout, sensitive: tuple[str, ...], mean: np.ndarray, std: np.ndarray) -> Schema:
    units = layout.units
    day = None if series.step is None else pd.Timedelta(days=1) / series.step
    return Schema(
        modality="series",
        shape=(layout.length, len(layout.channels)),
        target=Target(
            name=f"mean {layout.target}, next {layout.horizon} steps",
            kind="value",
            unit=units.get(layout.target),
            decimals=layout.decimals.get(layout.target),
        ),
        features=tuple(
            Feature(name=c, columns=(i,), unit=units.get(c), decimals=layout.decimals.get(c))
            for i, c in enumerate(layout.channels)
        ),
        sensitive=sensitive,
        conditions=tuple(name for name in sensitive if name in layout.calendar),
        unit="window",
        facts=SeriesFacts(
            mean=tuple(mean.tolist()),
            std=tuple(std.tolist()),
            step="step" if series.step is None else _words(series.step),
            forecast=ForecastFacts(
                horizon=layout.horizon,
                channel=layout.channels.index(layout.target),
                season=int(day) if day is not None and 2 <= day <= layout.length and day == int(day) else 1,
            ),
        ),
    )


def _words(step: pd.Timedelta) -> str:
    """Return a step in words.

    Example:
        >>> _words(pd.Timedelta("1h")), _words(pd.Timedelta("15min")), _words(pd.Timedelta("2D"))
        ('hour', '15 minutes', '2 days')
    """
    for name, seconds in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count, rest = divmod(step.total_seconds(), seconds)
        if count and not rest:
            return name if count == 1 else f"{count:g} {name}s"
    return f"{step.total_seconds():g} seconds"

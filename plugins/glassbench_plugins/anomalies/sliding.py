"""From a regular series to windows that slide over it: the usual ones to learn from, all later ones to be judged."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import SeriesFacts
from glassbench.contracts.predictions.flags import FLAGS
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.errors import DataError
from glassbench_plugins.series.chronology import Regular
from glassbench_plugins.series.moments import Property, calendar_groups

Parts = tuple[float, float, float]
Span = tuple[str, str]
_NOTHING = Target(name="nothing", kind="none")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How windows slide.

    Args:
        channels: Names of the channels.
        length: Steps of a window.
        stride: Steps from one training or validation window to the next.
        test_stride: The same in testing.
        split: Shares of the training, validation and testing stretches.
        calendar: Calendar properties of a window's last step, as groups.
        units: Unit of a channel.
    """

    channels: tuple[str, ...]
    length: int
    stride: int = 1
    test_stride: int = 1
    split: Parts = (0.4, 0.1, 0.5)
    calendar: tuple[Property, ...] = ()
    units: dict[str, str]


def window_data(series: Regular, layout: Layout, unusual: np.ndarray | None, *, source: str) -> Data:
    """Return windows of a series as data: stretches in the order of time, scaled by what the training stretch says.

    A window stands for its last step, and reaches back into the stretch before. Where it is known which steps are unusual,
    windows that hold one are left out of what is learnt from.

    Args:
        series: The series.
        layout: How windows slide.
        unusual: Which steps are unusual, bool `(steps,)`; None where that is not known.
        source: Where the series comes from.

    Raises:
        DataError: A stretch holds no whole window.
    """
    ends = _ends(len(series.times), layout)
    learnt = series.known if unusual is None else series.known & ~unusual
    mean, std = _scale(series.values[: ends[0]][learnt[: ends[0]]])
    windows = torch.as_tensor((series.values - mean) / std, dtype=torch.float32).unfold(0, layout.length, 1).transpose(1, 2)
    last = {
        name: _last_steps(name, start, stop, layout, series.known if name == "test" else learnt)
        for name, start, stop in zip(("train", "validation", "test"), (0, *ends[:2]), ends, strict=True)
        if stop > start
    }
    groups, same = _groups(series.times, layout, last["test"])
    parts = {name: _split(series, windows, steps, groups, unusual, layout) for name, steps in last.items()}
    return Data(
        split="by time, the latest held out",
        schema=_schema(layout, tuple(groups.columns), mean, std, known=unusual is not None),
        train=parts["train"],
        validation=parts.get("validation"),
        test=parts["test"],
        notes=(*series.notes, *_notes(series, last, same, layout, unusual)),
        source=source,
    )


def steps_within(times: pd.DatetimeIndex, spans: tuple[Span, ...]) -> np.ndarray:
    """Return which moments lie in one of the spans, ends included, bool `(steps,)`.

    Raises:
        DataError: An end is no moment, or a span ends before it begins.
    """
    within = np.zeros(len(times), dtype=bool)
    for first, final in spans:
        try:
            start, stop = pd.Timestamp(first), pd.Timestamp(final)
        except ValueError as error:
            raise DataError("the ends of a span are moments", got=f"{first} to {final}", where="dataset.unusual") from error
        if stop < start:
            raise DataError("a span ends before it begins", got=f"{first} to {final}", where="dataset.unusual")
        within |= np.asarray((times >= start) & (times <= stop))
    return within


def _ends(steps: int, layout: Layout) -> tuple[int, int, int]:
    shares = layout.split
    if abs(sum(shares) - 1) > 1e-6 or min(shares) < 0 or shares[0] == 0 or shares[2] == 0:
        raise DataError(
            "the shares of the split must sum to 1, with something to learn from and to judge",
            got=str(list(shares)),
            where="dataset.split",
        )
    first, second = np.round(np.cumsum(shares[:2]) * steps).astype(int).tolist()
    return first, second, steps


def _scale(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(seen):
        raise DataError("no step of the training stretch is known to be usual", fix="lengthen the first share of dataset.split")
    std = seen.std(axis=0)
    return seen.mean(axis=0), np.where(std > 0, std, 1.0)


def _last_steps(name: str, start: int, stop: int, layout: Layout, allowed: np.ndarray) -> np.ndarray:
    """Return the last step of each window that ends in [start, stop) and holds allowed steps alone."""
    stride = layout.test_stride if name == "test" else layout.stride
    steps = np.arange(max(start, layout.length - 1), stop, stride)
    barred = np.concatenate([[0], np.cumsum(~allowed)])
    kept: np.ndarray = steps[barred[steps + 1] == barred[steps + 1 - layout.length]]
    if not len(kept):
        raise DataError(
            f"the {name} stretch holds no whole window",
            got=f"{stop - start} steps, windows of {layout.length}",
            fix="shorten dataset.length, lengthen the stretch, or set dataset.gaps to 'fill'",
        )
    return kept


def _groups(times: pd.DatetimeIndex, layout: Layout, judged: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    groups = calendar_groups(times, layout.calendar, "north")
    same = [str(name) for name in groups.columns if groups[name].iloc[judged].nunique() < 2]
    return groups.drop(columns=same), same


def _split(
    series: Regular, windows: Tensor, steps: np.ndarray, groups: pd.DataFrame, unusual: np.ndarray | None, layout: Layout
) -> Split:
    return Split(
        inputs=(windows[torch.as_tensor(steps - layout.length + 1)],),
        rows=np.array([str(time) for time in series.times[steps]], dtype=object),
        target=None if unusual is None else torch.as_tensor(unusual[steps].astype(np.int64)),
        groups=groups.iloc[steps].reset_index(drop=True) if len(groups.columns) else None,
    )


def _schema(layout: Layout, sensitive: tuple[str, ...], mean: np.ndarray, std: np.ndarray, *, known: bool) -> Schema:
    return Schema(
        modality="series",
        shape=(layout.length, len(layout.channels)),
        target=Target(name="state", kind="class", classes=FLAGS, positive=FLAGS[1]) if known else _NOTHING,
        features=tuple(Feature(name=c, columns=(i,), unit=layout.units.get(c)) for i, c in enumerate(layout.channels)),
        sensitive=sensitive,
        conditions=tuple(name for name in sensitive if name in layout.calendar),
        unit="window",
        facts=SeriesFacts(mean=tuple(mean.tolist()), std=tuple(std.tolist())),
    )


def _notes(
    series: Regular, last: dict[str, np.ndarray], same: list[str], layout: Layout, unusual: np.ndarray | None
) -> list[str]:
    notes = [
        f"{name}: {len(s):,} windows that end from {series.times[s[0]]} to {series.times[s[-1]]}." for name, s in last.items()
    ]
    if unusual is not None:
        end = last["test"][0]
        notes.append(f"Windows with one of the {int(unusual[:end].sum()):,} unusual steps before testing were not learnt from.")
    if same:
        notes.append(f"Not compared, since all test windows have the same value: {', '.join(same)}.")
    if layout.test_stride < layout.length:
        notes.append(
            "Test windows overlap, so their scores go together and intervals are narrower than they should be; "
            "dataset.test_stride at the length keeps them apart."
        )
    return notes

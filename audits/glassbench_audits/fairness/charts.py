"""Pictures: a forest plot per number and feature, a heat map per number and intersection."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.exhibits import Chart
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.sizes import sizeable
from glassbench_audits.fairness.frames.wording import in_shares, number

SHOWN = 30
"""The most groups in one picture: the largest; the tables have them all."""


def charts(frame: GroupFrame, small: int | None, level: float) -> Iterator[Chart]:
    """Yield the pictures of a frame."""
    several, large = any(metric.klass is not None for metric in frame.metrics), sizeable(frame.evidence, small)
    if several:
        yield from _class_heats(frame, large)
    for k, metric in enumerate(frame.metrics):
        if metric.klass is None:
            yield _forest(frame, k, large[k].tolist(), level) if len(frame.by) == 1 else _heat(frame, k, large[k].tolist())


def chart_title(frame: GroupFrame, k: int) -> str:
    """Return the title of the picture that shows a metric of a frame."""
    metric = frame.metrics[k]
    return f"{_capital(metric.words)}{'' if metric.klass is None else f' of each {frame.each}'} by {' and '.join(frame.by)}"


def _forest(frame: GroupFrame, k: int, large: Sequence[bool], level: float) -> Chart:
    metric, n = frame.metrics[k], frame.n[k].tolist()
    value, low, high = (part[k].tolist() for part in frame.limits(critical(level)))
    whole = float(frame.overall(critical(level))[0][0][k])
    unit = f" {frame.cluster_word}" if frame.counts_clusters(k) else ""
    rows = tuple(
        {
            "y": frame.groups[g].label,
            "x": value[g],
            "low": _end(low[g], value[g]),
            "high": _end(high[g], value[g]),
            "size": _size(n[g], large[g], unit=unit),
        }
        for g in _shown(frame)
        if math.isfinite(value[g])
    )
    return Chart(
        kind="intervals",
        title=chart_title(frame, k),
        message=_message(frame, k, large),
        rows=rows,
        x_title=metric.words + (f" ({metric.unit})" if metric.unit else ""),
        y_title=frame.by[0],
        reference=(whole, f"all rows {number(whole, metric)}") if _between(whole, value) else None,
        section=f"By {frame.by[0]}",
        percent=in_shares(metric),
    )


def _heat(frame: GroupFrame, k: int, large: Sequence[bool]) -> Chart:
    metric, by = frame.metrics[k], " and ".join(frame.by)
    cells = zip(frame.groups, frame.value[k].tolist(), frame.n[k].tolist(), large, strict=True)
    rows = tuple(
        {
            "x": group.values[-1],
            "y": " & ".join(group.values[:-1]),
            "color": value,
            "size": f"{number(value, metric)}, {_size(n, enough, short=True)}",
        }
        for group, value, n, enough in cells
        if math.isfinite(value)
    )
    return Chart(
        kind="heat",
        title=chart_title(frame, k),
        message=_message(frame, k, large),
        rows=rows,
        x_title=frame.by[-1],
        y_title=" and ".join(frame.by[:-1]),
        section=f"By {by}",
        percent=in_shares(metric),
    )


def _class_heats(frame: GroupFrame, large: np.ndarray) -> Iterator[Chart]:
    """Yield, where several classes are examined, one map of groups by classes per rate."""
    by = " and ".join(frame.by)
    for name in dict.fromkeys(metric.name for metric in frame.metrics if metric.klass is not None):
        chosen = [k for k, metric in enumerate(frame.metrics) if metric.name == name]
        yield Chart(
            kind="heat",
            title=chart_title(frame, chosen[0]),
            message=_message(frame, max(chosen, key=lambda k: _span(frame, k, large[k])), None),
            rows=tuple(_class_cells(frame, chosen, large)),
            x_title=frame.each,
            y_title=by,
            section=f"By {by}",
            percent=in_shares(frame.metrics[chosen[0]]),
        )


def _class_cells(frame: GroupFrame, chosen: Sequence[int], large: np.ndarray) -> Iterator[Mapping[str, Any]]:
    for k in chosen:
        for g in _shown(frame):
            if math.isfinite(frame.value[k, g]):
                said = number(float(frame.value[k, g]), frame.metrics[k])
                yield {
                    "x": frame.metrics[k].klass,
                    "y": frame.groups[g].label,
                    "color": float(frame.value[k, g]),
                    "size": f"{said}, {_size(int(frame.n[k, g]), bool(large[k, g]), short=True)}",
                }


def _message(frame: GroupFrame, k: int, large: Sequence[bool] | None) -> str:
    """Say between which groups the number ranges, small ones left out where others remain."""
    metric, value = frame.metrics[k], frame.value[k].tolist()
    what = _capital(metric.words) + ("" if metric.klass is None else f" of “{metric.klass}”")
    defined = [g for g, x in enumerate(value) if math.isfinite(x)]
    if not defined:
        return f"{what} is defined for no group."
    kept = {g: value[g] for g in defined if large is None or large[g]} or {g: value[g] for g in defined}
    absent = [group.label for group, x in zip(frame.groups, value, strict=True) if not math.isfinite(x)]
    undefined = f" Undefined for {', '.join(absent[:5])}." if absent else ""
    return f"{what} {_range(frame, k, kept, len(kept) < len(defined))}.{undefined}"


def _range(frame: GroupFrame, k: int, kept: Mapping[int, float], some_left_out: bool) -> str:
    """Say from where to where the numbers of the groups kept range, and whether groups too small were left out."""
    top, bottom = max(kept, key=kept.__getitem__), min(kept, key=kept.__getitem__)
    high, low = (number(kept[g], frame.metrics[k]) for g in (top, bottom))
    if len(kept) == 1:
        return f"is {high} for “{frame.groups[top].label}”" + (", the only group large enough" if some_left_out else "")
    if high == low:
        return f"is {high} in every group" + (" large enough" if some_left_out else "")
    said = f"ranges from {low} for “{frame.groups[bottom].label}” to {high} for “{frame.groups[top].label}”"
    return said + (" among groups large enough" if some_left_out else "")


def _span(frame: GroupFrame, k: int, large: np.ndarray) -> float:
    kept = frame.value[k][large & np.isfinite(frame.value[k])]
    return float(np.ptp(kept)) if len(kept) else -1.0


def _shown(frame: GroupFrame) -> list[int]:
    return sorted(np.argsort(-frame.rows, kind="stable")[:SHOWN].tolist())


def _size(n: int, large: bool, *, short: bool = False, unit: str = "") -> str:
    return f"n {n:,}{unit}" if large else f"n {n:,}{unit}{' (small)' if short else ', too small to tell'}"


def _between(whole: float, value: Sequence[float]) -> bool:
    """Whether groups can be held against the number of all rows: sums over a group's steps cannot against whole episodes."""
    known = [x for x in value if math.isfinite(x)]
    return bool(known) and min(known) - 1e-9 <= whole <= max(known) + 1e-9


def _end(end: float, value: float) -> float:
    """Return an interval's end, or the point itself where nothing bounds it."""
    return end if math.isfinite(end) else value


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

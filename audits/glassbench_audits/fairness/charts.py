"""Pictures: a forest plot per number and feature, a heat map per number and intersection."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.evidence import Chart
from glassbench_audits.fairness.panel import Panel, critical
from glassbench_audits.fairness.sizes import sizeable
from glassbench_audits.fairness.wording import number

SHOWN = 30
"""The most groups in one picture: the largest; the tables have them all."""


def charts(panel: Panel, small: int | None, level: float) -> Iterator[Chart]:
    """Yield the pictures of a panel."""
    several = any(line.klass is not None for line in panel.lines)
    if several:
        yield from _class_heats(panel, small)
    for k, line in enumerate(panel.lines):
        if line.klass is None:
            yield _forest(panel, k, small, level) if len(panel.by) == 1 else _heat(panel, k, small)


def _forest(panel: Panel, k: int, small: int | None, level: float) -> Chart:
    line, large = panel.lines[k], sizeable(panel.n, small)[k]
    value, low, high = (part[k] for part in panel.limits(critical(level)))
    (whole, _, _), _ = panel.overall(critical(level))
    rows = tuple(
        {
            "y": panel.groups[g].label,
            "x": float(value[g]),
            "low": _end(low[g], value[g]),
            "high": _end(high[g], value[g]),
            "size": _size(int(panel.n[k, g]), bool(large[g]), unit=f" {panel.cluster_word}" if panel.counts_clusters(k) else ""),
        }
        for g in _shown(panel)
        if math.isfinite(value[g])
    )
    reference = (float(whole[k]), f"all rows {number(float(whole[k]), line)}") if math.isfinite(whole[k]) else None
    return Chart(
        kind="intervals",
        title=f"{_capital(line.words)} by {panel.by[0]}",
        message=_message(panel, k, large),
        rows=rows,
        x_title=line.words + (f" ({line.unit})" if line.unit else ""),
        y_title=panel.by[0],
        reference=reference,
        section=f"By {panel.by[0]}",
    )


def _heat(panel: Panel, k: int, small: int | None) -> Chart:
    line, large = panel.lines[k], sizeable(panel.n, small)[k]
    rows = tuple(
        {
            "x": panel.groups[g].values[-1],
            "y": " & ".join(panel.groups[g].values[:-1]),
            "color": float(panel.value[k, g]),
            "size": f"{number(float(panel.value[k, g]), line)}, {_size(int(panel.n[k, g]), bool(large[g]), short=True)}",
        }
        for g in range(len(panel.groups))
        if math.isfinite(panel.value[k, g])
    )
    return Chart(
        kind="heat",
        title=f"{_capital(line.words)} by {' and '.join(panel.by)}",
        message=_message(panel, k, large),
        rows=rows,
        x_title=panel.by[-1],
        y_title=" and ".join(panel.by[:-1]),
        section=f"By {' and '.join(panel.by)}",
    )


def _class_heats(panel: Panel, small: int | None) -> Iterator[Chart]:
    """Yield, where several classes are examined, one map of groups by classes per rate."""
    large = sizeable(panel.n, small)
    by = " and ".join(panel.by)
    for name in dict.fromkeys(line.name for line in panel.lines if line.klass is not None):
        chosen = [k for k, line in enumerate(panel.lines) if line.name == name]
        yield Chart(
            kind="heat",
            title=f"{_capital(panel.lines[chosen[0]].words)} of each class by {by}",
            message=_message(panel, max(chosen, key=lambda k: _span(panel, k, large[k])), None),
            rows=tuple(_class_cells(panel, chosen, large)),
            x_title="class",
            y_title=by,
            section=f"By {by}",
        )


def _class_cells(panel: Panel, chosen: Sequence[int], large: np.ndarray) -> Iterator[Mapping[str, Any]]:
    for k in chosen:
        for g in _shown(panel):
            if math.isfinite(panel.value[k, g]):
                said = number(float(panel.value[k, g]), panel.lines[k])
                yield {
                    "x": panel.lines[k].klass,
                    "y": panel.groups[g].label,
                    "color": float(panel.value[k, g]),
                    "size": f"{said}, {_size(int(panel.n[k, g]), bool(large[k, g]), short=True)}",
                }


def _message(panel: Panel, k: int, large: np.ndarray | None) -> str:
    """Say between which groups the number ranges, small ones left out where others remain."""
    line = panel.lines[k]
    value = panel.value[k].copy()
    kept = np.where(large, value, np.nan) if large is not None and np.isfinite(value[large]).any() else value
    what = _capital(line.words) + ("" if line.klass is None else f" of “{line.klass}”")
    if not np.isfinite(kept).any():
        return f"{what} is defined for no group."
    absent = [panel.groups[g].label for g in range(len(value)) if not math.isfinite(value[g])]
    undefined = f" Undefined for {', '.join(absent[:5])}." if absent else ""
    return f"{what} {_range(panel, k, kept, bool(np.isfinite(value[~np.isfinite(kept)]).any()))}.{undefined}"


def _range(panel: Panel, k: int, kept: np.ndarray, some_left_out: bool) -> str:
    """Say from where to where the numbers of the groups kept range, and whether groups too small were left out."""
    top, bottom = int(np.nanargmax(kept)), int(np.nanargmin(kept))
    high, low = (f"{number(float(kept[g]), panel.lines[k])}" for g in (top, bottom))
    if np.isfinite(kept).sum() == 1:
        return f"is {high} for “{panel.groups[top].label}”" + (", the only group large enough" if some_left_out else "")
    if high == low:
        return f"is {high} in every group" + (" large enough" if some_left_out else "")
    said = f"ranges from {low} for “{panel.groups[bottom].label}” to {high} for “{panel.groups[top].label}”"
    return said + (" among groups large enough" if some_left_out else "")


def _span(panel: Panel, k: int, large: np.ndarray) -> float:
    kept = panel.value[k][large & np.isfinite(panel.value[k])]
    return float(np.ptp(kept)) if len(kept) else -1.0


def _shown(panel: Panel) -> list[int]:
    return sorted(np.argsort(-panel.rows, kind="stable")[:SHOWN].tolist())


def _size(n: int, large: bool, *, short: bool = False, unit: str = "") -> str:
    return f"n {n}{unit}" if large else f"n {n}{unit}{' (small)' if short else ', too small to tell'}"


def _end(end: np.floating, value: np.floating) -> float:
    """Return an interval's end, or the point itself where nothing bounds it."""
    return float(end) if math.isfinite(end) else float(value)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

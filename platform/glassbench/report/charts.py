"""Charts of evidence as inline pictures with their legends."""

import math
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import vl_convert
from markupsafe import Markup

from glassbench.contracts.exhibits import Chart, ChartKind
from glassbench.errors import RunError
from glassbench.printable import one_line, printable_parts
from glassbench.report.marks import MARKS, Row, dash, is_signed, numeric
from glassbench.report.numbers import chart_figure, interval, number, trimmed
from glassbench.report.svg import INKS, SERIES, clean_svg

MOST_CATEGORIES = 60
MOST_POINTS = 400
_TIPS = 80
_LONGEST = 120
_ADDRESSES = 72 << 30
"""Address space of the converter, in bytes: its engine reserves 64 GiB without using them, and aborts the process otherwise."""
_NUMBERS: dict[ChartKind, tuple[str, ...]] = {
    "intervals": ("x", "low", "high"),
    "bars": ("x", "low", "high"),
    "lines": ("y", "low", "high"),
    "points": ("x", "y", "low", "high"),
    "heat": ("color",),
    "histogram": ("y", "low", "high"),
}
_NEEDED: dict[ChartKind, tuple[str, ...]] = {
    "intervals": ("x",),
    "bars": ("x",),
    "lines": ("x", "y"),
    "points": ("x", "y"),
    "heat": ("x", "y"),
    "histogram": ("y", "low", "high"),
}
_NAMES: dict[ChartKind, tuple[str, ...]] = {
    "intervals": ("y", "color"),
    "bars": ("y", "color"),
    "lines": ("color",),
    "points": ("color",),
    "heat": ("x", "y"),
    "histogram": ("color",),
}
_KEYS = ("x", "y", "low", "high", "color", "size")


@dataclass(frozen=True)
class Entry:
    """A line of a legend.

    Args:
        name: What is drawn so.
        ink: The class of its colour.
        dash: How its line is broken, as SVG writes it; None for a filled swatch.
    """

    name: str
    ink: str
    dash: str | None = None


@dataclass(frozen=True)
class Drawing:
    """A drawn chart.

    Args:
        svg: The picture, or None where there is nothing to draw.
        legend: What its inks and lines mean.
        note: What was left out or how shades read, or None.
    """

    svg: Markup | None
    legend: tuple[Entry, ...] = ()
    note: str | None = None


def shared_extent(charts: Sequence[Chart]) -> tuple[float, float] | None:
    """Return one axis for charts that stand beside each other, so that their gaps can be compared by eye.

    Only interval charts of proportions share one; None for all others.
    """
    values = [value for chart in charts for value in numeric(chart.rows, ("x", "low", "high")) if math.isfinite(value)]
    comparable = len(charts) > 1 and all(chart.kind == "intervals" for chart in charts)
    if not comparable or not values or min(values) < 0 or max(values) > 1:
        return None
    return min(values), max(values)


def draw(chart: Chart, uid: str, extent: tuple[float, float] | None = None, *, small: tuple[int, int] | None = None) -> Drawing:
    """Return a chart as a picture.

    Args:
        chart: What to draw; values that are not finite are left out.
        uid: Prefix for the ids in the picture, unique within its page.
        extent: What the axis of an interval chart must reach at least, or None for its own numbers.
        small: Width and height of its plot in pixels where it is drawn small; None for the usual size.

    Raises:
        RunError: A limit on the address space is too low for the converter.
    """
    chart = printable_parts(chart)
    rows, note = _shown(chart)
    if not any(_drawable(chart.kind, row) for row in rows):
        return Drawing(None, note="Nothing can be drawn: no row holds a number.")
    names = [] if chart.kind == "heat" else list(dict.fromkeys(r["color"] for r in rows if r["color"] is not None))
    tips = chart.kind != "points" or len(rows) <= _TIPS
    dressed = [_dressed(chart, row, names, tips) for row in rows]
    spec = MARKS[chart.kind](chart, dressed, names, extent or ()).to_dict(validate=False)
    if small is not None:
        spec["width"], spec["height"] = small
    refuse_narrow_memory()
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    picture = clean_svg(svg, uid=uid, label=chart.message or chart.title)
    return Drawing(picture, (*_legend(chart, names), *_reference(chart)), note or _shades(chart, rows))


def refuse_narrow_memory() -> None:
    """Raise `RunError` where a limit on the address space leaves too little for drawing charts."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _ADDRESSES:
        raise RunError(
            "charts cannot be drawn: the limit on the address space is too low",
            got=f"{limit >> 20:,} MB",
            available=[f"{_ADDRESSES >> 20:,} MB or more; the memory itself is not used"],
            fix="raise the limit (`ulimit -v unlimited`) and limit the memory in another way, then `glassbench resume`",
        )


def _shown(chart: Chart) -> tuple[list[Row], str | None]:
    rows = [{key: _clean(chart.kind, key, row.get(key)) for key in _KEYS} for row in chart.rows]
    if chart.kind in ("intervals", "bars") and len(rows) > MOST_CATEGORIES:
        return rows[:MOST_CATEGORIES], f"The first {MOST_CATEGORIES} of {len(rows)} rows are drawn."
    if chart.kind == "points" and len(rows) > MOST_POINTS:
        step = math.ceil(len(rows) / MOST_POINTS)
        return rows[::step], f"One in {step} of {len(rows)} points is drawn."
    return rows, None


def _clean(kind: ChartKind, key: str, value: object) -> str | float | int | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    counts = isinstance(value, int | float) and not isinstance(value, bool)
    if key in _NUMBERS[kind]:
        return value if counts else None  # type: ignore[return-value]
    if counts and key not in _NAMES[kind]:
        return value  # type: ignore[return-value]
    return one_line(_text(value))[:_LONGEST]


def _drawable(kind: ChartKind, row: Row) -> bool:
    return all(row[key] is not None for key in _NEEDED[kind])


def _dressed(chart: Chart, row: Row, names: Sequence[str], tips: bool) -> Row:
    place = names.index(row["color"]) if row["color"] in names else 0
    ink = SERIES[place % len(SERIES)]
    if chart.kind == "bars" and not names and row["x"] is not None and row["x"] < 0:
        ink = SERIES[1]
    return {**row, "ink": INKS[ink], "tip": _tip(chart, row) if tips else "", "drawn": _drawable(chart.kind, row)}


def _tip(chart: Chart, row: Row) -> str:
    kind, size = chart.kind, _size(row["size"])
    if kind in ("intervals", "bars"):
        parts = [row["color"], row["y"], chart_figure(chart.percent, row["x"], row["low"], row["high"]), size]
    elif kind == "heat":
        parts = [f"{row['y']}, {row['x']}", number(row["color"]), None if row["size"] is None else str(row["size"])]
    elif kind == "histogram":
        parts = [f"{number(row['low'])} to {number(row['high'])}", number(row["y"])]
    else:
        parts = [row["color"], _text(row["x"]), interval(row["y"], row["low"], row["high"]), size]
    return ": ".join(str(part) for part in parts if part not in (None, ""))


def _size(size: object) -> str:
    return "" if size is None else f"n {size:,}" if isinstance(size, int) else _text(size)


def _text(value: object) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _legend(chart: Chart, names: Sequence[str]) -> Iterable[Entry]:
    if len(names) > 1:
        for place, name in enumerate(names):
            broken = " ".join(map(str, dash(place))) if chart.kind == "lines" else None
            yield Entry(name, SERIES[place % len(SERIES)], broken)
    elif chart.kind == "bars" and any(isinstance(r.get("x"), int | float) and r["x"] < 0 for r in chart.rows):
        yield from (Entry("raises", SERIES[0]), Entry("lowers", SERIES[1]))


def _reference(chart: Chart) -> Iterable[Entry]:
    if chart.reference is not None:
        meaning, at = chart.reference[1], chart.reference_value
        told = at is None or any(character.isdigit() for character in meaning)
        yield Entry(meaning if told else f"{meaning} ({trimmed(at)})".strip(), "quiet", "4 3")


def _shades(chart: Chart, rows: Sequence[Row]) -> str | None:
    values = numeric(rows, ("color",)) if chart.kind == "heat" else []
    if not values:
        return None
    low, high = min(values), max(values)
    if is_signed(values):
        end = chart_figure(chart.percent, max(-low, high))
        return f"Blue above 0, orange below it; palest 0, darkest {end} on either side."
    return f"Palest {chart_figure(chart.percent, low)}, darkest {chart_figure(chart.percent, high)}."

"""How each kind of chart is drawn: rows in, an Altair chart in stand-in inks out."""

import math
from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from glassbench.contracts.exhibits import Chart, ChartKind
from glassbench.report.numbers import number
from glassbench.report.svg import INKS, SERIES

Row = dict[str, Any]

DASHES = ((1, 0), (6, 3), (2, 2), (9, 3, 2, 3), (4, 4), (1, 3), (12, 4))
WIDTH = 480
_LETTER = 5.8
_LETTERS, _LETTERS_ACROSS = 32, 20
"""Letters to a line of the labels at the side and of those across the top."""

_APART = 0.4
"""Shares that differ by less are drawn on an axis that fits them, or nothing would be seen."""

_SPLIT = "split(datum.label, '\\n')"
_IN_PERCENT = "format(100 * datum.value, '~g') + ' %'"
_PALEST, _DARKEST = 0.05, 0.5
_HEIGHT = 220
_AXIS = {
    **dict.fromkeys(("labelColor", "titleColor"), INKS["quiet"]),
    **dict.fromkeys(("gridColor", "domainColor", "tickColor"), INKS["grid"]),
    **{
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "tickSize": 4,
        "aria": False,
        "labelFlush": False,
    },
}
_CONFIG: dict[str, Any] = {"background": "transparent", "padding": 4, "view": {"stroke": None}, "axis": _AXIS}


def numeric(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[float]:
    """Return every number that the rows hold under `keys`."""
    values = (row.get(key) for row in rows for key in keys)
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def dash(place: int) -> tuple[int, ...]:
    """Return how the line of a series is broken; series that share a colour never share it."""
    return DASHES[(place + place // len(SERIES)) % len(DASHES)]


def intervals(chart: Chart, rows: list[Row], names: Sequence[str], extent: Sequence[float]) -> alt.LayerChart:
    """Draw a point with its interval per category, and at the right what it rests on."""
    rows = _wrapped(rows, "y", _LETTERS)
    notes = [_margin_note(row) for row in rows]
    width = _plot_width(rows, "y", _LETTER * max(map(len, notes), default=0) + 14)
    noted = [{**row, "note": note} for row, note in zip(rows, notes, strict=True)]
    base = alt.Chart(_data([row for row in noted if row["drawn"]])).encode(**_category(rows, names), **_dress())
    scale = _shares_scale([*numeric(rows, ("x", "low", "high")), *_position(chart), *extent])
    span = alt.X("low:Q", scale=scale, title=chart.x_title or None, axis=_measured_axis(chart.percent))
    margin = alt.Chart(_data(noted)).encode(**_category(rows, names), x=alt.value(width + 12), text="note:N")
    layers = [
        *_vertical(chart, scale),
        base.transform_filter("isValid(datum.low) && isValid(datum.high)").mark_rule(strokeWidth=2.5).encode(x=span, x2="high:Q"),
        base.mark_point(filled=True, size=64, opacity=1).encode(x=alt.X("x:Q", scale=scale, title=chart.x_title or None)),
        margin.mark_text(aria=False, align="left", baseline="middle", fontSize=12, color=INKS["quiet"]),
    ]
    return _layered(layers, width, _rows_height(rows, names))


def bars(chart: Chart, rows: list[Row], names: Sequence[str], extent: Sequence[float]) -> alt.LayerChart:
    """Draw a signed bar per category, with a whisker where an interval is known."""
    rows = _wrapped(rows, "y", _LETTERS)
    width = _plot_width(rows, "y", 14)
    base = alt.Chart(_data([row for row in rows if row["drawn"]])).encode(**_category(rows, names))
    scale = _scale([0.0, *numeric(rows, ("x", "low", "high")), *_position(chart)])
    along = alt.X("x:Q", scale=scale, title=chart.x_title or None, axis=_measured_axis(chart.percent))
    whisker = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers = [
        base.mark_bar(height={"band": 0.62}).encode(x=along, **_dress()),
        whisker.mark_rule(aria=False, strokeWidth=1.5, color=INKS["ink"]).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        *_vertical(chart, scale),
    ]
    return _layered(layers, width, _rows_height(rows, names))


def lines(chart: Chart, rows: list[Row], names: Sequence[str], extent: Sequence[float]) -> alt.LayerChart:
    """Draw one line per series, with a band where intervals are known."""
    drawn = [row for row in rows if row["drawn"]]
    domain = list(names) or [""]
    series = [{**row, "series": row["color"] if row["color"] is not None else domain[0]} for row in drawn]
    inks = [INKS[SERIES[i % len(SERIES)]] for i in range(len(domain))]
    along, up_to = _extents(chart, drawn)
    x, scale = _across(chart, drawn, along), _scale(up_to)
    base = alt.Chart(_data(series)).encode(
        x=x, color=alt.Color("series:N", scale=alt.Scale(domain=domain, range=inks), legend=None)
    )
    dashes = alt.Scale(domain=domain, range=[list(dash(i)) for i in range(len(domain))])
    up = alt.Y("y:Q", scale=scale, title=None, axis=_upright_axis())
    banded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers = [
        banded.mark_area(aria=False, opacity=0.16).encode(y=alt.Y("low:Q", scale=scale, title=None), y2="high:Q"),
        base.mark_line(aria=False, strokeWidth=2).encode(y=up, strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=None)),
        *_reference(chart, along, scale),
    ]
    if len(drawn) <= 16 * len(domain):
        layers.append(base.mark_point(filled=True, size=30, opacity=1).encode(y=up, description=alt.Description("tip:N")))
    return _layered(layers, WIDTH - 60, _HEIGHT)


def points(chart: Chart, rows: list[Row], names: Sequence[str], extent: Sequence[float]) -> alt.LayerChart:
    """Draw a scatter, with whiskers where intervals of y are known."""
    drawn = [row for row in rows if row["drawn"]]
    across, up = _extents(chart, drawn)
    x_scale, y_scale = _scale(across), _scale(up)
    base = alt.Chart(_data(drawn)).encode(
        x=alt.X("x:Q", scale=x_scale, title=chart.x_title or None, axis=_measured_axis()), **_dress()
    )
    y = alt.Y("y:Q", scale=y_scale, title=None, axis=_upright_axis())
    layers = [
        *_reference(chart, across, y_scale),
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule()
        .encode(y=alt.Y("low:Q", scale=y_scale), y2="high:Q"),
        base.mark_point(filled=True, size=34 if len(drawn) > 40 else 56, opacity=0.6 if len(drawn) > 40 else 1).encode(y=y),
    ]
    return _layered(layers, WIDTH - 60, WIDTH - 160 if chart.on_diagonal else _HEIGHT)


def heat(chart: Chart, rows: list[Row], names: Sequence[str], extent: Sequence[float]) -> alt.LayerChart:
    """Draw a shaded cell per pair of categories, paler for less, with its text in it."""
    rows = _wrapped(_wrapped(rows, "y", _LETTERS), "x", _LETTERS_ACROSS)
    values = numeric(rows, ("color",))
    across = _unique(rows, "x")
    width = _plot_width(rows, "y", 10)
    cell = width / max(len(across), 1)
    shaded = [{**row, **_tone(row["color"], values), "text": _cell_text(row, cell)} for row in rows]
    tall = any("\n" in row["text"] for row in shaded)
    turned = max(map(_wide, across), default=0) > cell - 4
    axis = alt.Axis(orient="top", domain=False, ticks=False, labelAngle=-40 if turned else 0, labelLimit=0, labelExpr=_SPLIT)
    x = alt.X("x:N", sort=None, scale=alt.Scale(domain=across), title=chart.x_title or None, axis=axis)
    base = alt.Chart(_data([row for row in shaded if row["drawn"]])).encode(x=x, **_category(rows, (), title=chart.y_title))
    layers = [
        base.mark_rect(stroke=INKS["grid"], strokeWidth=1).encode(
            fill=alt.Fill("hue:N", scale=None, legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=None, legend=None),
            description=alt.Description("tip:N"),
        ),
        base.mark_text(aria=False, fontSize=11, color=INKS["ink"], lineBreak="\n", lineHeight=13, dy=-6 if tall else 0).encode(
            text="text:N"
        ),
    ]
    step = max(36 if tall else 30 if len(across) <= 12 else 18, _lines_height(rows))
    return _layered(layers, width, max(2, len(_unique(rows, "y"))) * step)


def histogram(chart: Chart, rows: list[Row], names: Sequence[str], extent: Sequence[float]) -> alt.LayerChart:
    """Draw a bar of height y over each span from low to high."""
    drawn = [row for row in rows if row["drawn"]]
    scale = _scale([*numeric(drawn, ("low", "high")), *_position(chart)])
    base = alt.Chart(_data(drawn)).encode(
        x=alt.X("low:Q", scale=scale, title=chart.x_title or None, axis=_measured_axis()), x2="high:Q", **_dress()
    )
    up = alt.Y("y:Q", title=None, scale=alt.Scale(zero=True), axis=_upright_axis())
    bar = base.mark_rect(opacity=0.55 if len(names) > 1 else 0.9, stroke=INKS["page"], strokeWidth=1)
    return _layered([bar.encode(y=up, y2=alt.Y2Datum(0)), *_vertical(chart, scale)], WIDTH - 60, _HEIGHT - 40)


MARKS: Mapping[ChartKind, Callable[[Chart, list[Row], Sequence[str], Sequence[float]], alt.LayerChart]] = {
    "intervals": intervals,
    "bars": bars,
    "lines": lines,
    "points": points,
    "heat": heat,
    "histogram": histogram,
}


def _layered(layers: Sequence[alt.Chart], width: float, height: float) -> alt.LayerChart:
    chart: alt.LayerChart = alt.layer(*layers).properties(width=width, height=height).configure(**_CONFIG)
    return chart


def _data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _dress() -> dict[str, Any]:
    return {"color": alt.Color("ink:N", scale=None, legend=None), "description": alt.Description("tip:N")}


def _category(rows: Sequence[Row], names: Sequence[str], title: str = "") -> dict[str, Any]:
    axis = alt.Axis(
        ticks=False, domain=False, labelLimit=0, labelExpr=_SPLIT, labelLineHeight=13, labelPadding=8, labelColor=INKS["ink"]
    )
    y = alt.Y("y:N", sort=None, scale=alt.Scale(domain=_unique(rows, "y")), title=title or None, axis=axis)
    if len(names) < 2:
        return {"y": y}
    return {"y": y, "yOffset": alt.YOffset("color:N", sort=None, scale=alt.Scale(domain=list(names)))}


def _across(chart: Chart, rows: Sequence[Row], along: Sequence[float]) -> alt.X:
    title = chart.x_title or None
    if len(numeric(rows, ("x",))) == len(rows):
        return alt.X("x:Q", title=title, scale=_scale(along, nice=False), axis=alt.Axis(grid=False, tickCount=6))
    axis = alt.Axis(grid=False, labelAngle=0 if len(_unique(rows, "x")) < 8 else -40, labelLimit=0)
    return alt.X("x:N", title=title, sort=None, axis=axis)


def _measured_axis(percent: bool = False) -> alt.Axis:
    axis = alt.Axis(tickCount=5, domain=False, ticks=False, labelPadding=6, labelOverlap=True, labelSeparation=6)
    if percent:
        axis.labelExpr = _IN_PERCENT
    return axis


def _upright_axis() -> alt.Axis:
    return alt.Axis(domain=False, ticks=False, tickCount=5, labelPadding=8)


def _unique(rows: Sequence[Row], key: str) -> list[str]:
    return list(dict.fromkeys(str(row[key]) for row in rows if row[key] is not None))


def _rows_height(rows: Sequence[Row], names: Sequence[str]) -> float:
    count = len(_unique(rows, "y"))
    step = max(26 if count <= 12 else 20 if count <= 30 else 15, _lines_height(rows))
    return max(count, 1) * (step if len(names) < 2 else max(step, 13 * len(names)))


def _lines_height(rows: Sequence[Row]) -> int:
    """Return what labels at the side need where one has several lines; 0 where none has."""
    further = max((name.count("\n") for name in _unique(rows, "y")), default=0)
    return 13 * further + 15 if further else 0


def _plot_width(rows: Sequence[Row], key: str, right: float) -> float:
    longest = max(map(_wide, _unique(rows, key)), default=0.0)
    return max(180.0, WIDTH - longest - right - 20)


def _wrapped(rows: Sequence[Row], key: str, letters: int) -> list[Row]:
    """Return rows whose names under `key` are broken into lines: no label is cut."""
    return [row if row[key] is None else {**row, key: "\n".join(wrap(str(row[key]), letters)) or str(row[key])} for row in rows]


def _margin_note(row: Row) -> str:
    size = row["size"]
    text = "" if size is None else f"n {size:,}" if isinstance(size, int) else str(size)
    return text if row["drawn"] else f"{text} undefined".strip()


def _scale(values: Sequence[float], nice: bool = True) -> alt.Scale:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if math.isclose(low, high):
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    return alt.Scale(domain=[low, high], nice=nice, zero=False)


def _shares_scale(values: Sequence[float]) -> alt.Scale:
    """Return a scale from 0 to 1 for numbers between them that are far apart, as shares are; else one that fits them."""
    shares = bool(values) and min(values) >= 0 and max(values) <= 1 and max(values) - min(values) >= _APART
    return _scale([0.0, 1.0] if shares else values)


def _position(chart: Chart) -> list[float]:
    return [] if chart.reference_value is None else [chart.reference_value]


def _vertical(chart: Chart, scale: alt.Scale) -> list[alt.Chart]:
    return [_line([{"at": at}]).encode(x=alt.X("at:Q", scale=scale)) for at in _position(chart)]


def _extents(chart: Chart, rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Return what both axes must reach: one extent where the diagonal is drawn, all of 0 to 1 where that holds everything."""
    if not chart.on_diagonal:
        return numeric(rows, ("x",)), [*numeric(rows, ("y", "low", "high")), *_position(chart)]
    both = numeric(rows, ("x", "y", "low", "high"))
    shares = chart.kind == "lines" and min(both) >= 0 and max(both) <= 1
    return (both, both) if not shares else ([0.0, 1.0], [0.0, 1.0])


def _reference(chart: Chart, along: Sequence[float], scale: alt.Scale) -> list[alt.Chart]:
    """Return the reference line of a chart with numbers on both axes."""
    if chart.on_diagonal:
        return _diagonal(along)
    return [_line([{"at": at}]).encode(y=alt.Y("at:Q", scale=scale)) for at in _position(chart)]


def _line(rows: list[Row]) -> alt.Chart:
    line: alt.Chart = alt.Chart(_data(rows)).mark_rule(aria=False, strokeDash=[4, 3], strokeWidth=1.5, color=INKS["quiet"])
    return line


def _diagonal(values: Sequence[float]) -> list[alt.Chart]:
    ends = [{"x": end, "y": end} for end in (min(values), max(values))]
    line = alt.Chart(_data(ends)).mark_line(aria=False, strokeDash=[4, 3], strokeWidth=1.5, color=INKS["quiet"])
    return [line.encode(x="x:Q", y="y:Q")]


def is_signed(values: Sequence[float]) -> bool:
    """Whether values lie on both sides of 0, so that their shades start from there, in two colours."""
    return bool(values) and min(values) < 0 < max(values)


def _tone(value: float | None, values: Sequence[float]) -> Row:
    """Return the colour and the shade of a cell: darker for more, of signed values for more on either side of 0."""
    if value is None:
        return {"hue": INKS["series-1"], "shade": 0.0}
    low, high = min(values), max(values)
    if is_signed(values):
        hue, share = INKS["series-1" if value > 0 else "series-2"], abs(value) / max(-low, high)
    else:
        hue, share = INKS["series-1"], 1.0 if math.isclose(low, high) else (value - low) / (high - low)
    return {"hue": hue, "shade": round(_PALEST + (_DARKEST - _PALEST) * share, 3)}


def _cell_text(row: Row, cell: float) -> str:
    """Return as much of a cell's text as its width holds: on one line, on two, its first part, or nothing; nothing is cut."""
    if row["size"] is None:
        text = number(row["color"])
    else:
        text = number(row["size"]) if isinstance(row["size"], int | float) else str(row["size"])
    first, comma, rest = text.partition(", ")
    return next((said for said in (text, f"{first}\n{rest}" if comma else text, first) if _wide(said) <= cell - 2), "")


def _wide(text: str) -> float:
    return _LETTER * max(map(len, text.split("\n")))

"""Small pictures of the first screen: intervals as strips and bars, other charts drawn small."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, Measure
from glassbench.contracts.exhibits import Chart
from glassbench.report.charts import Drawing, draw
from glassbench.report.figures import Image, images
from glassbench.report.numbers import interval, is_probability, measured, number, trimmed
from glassbench.report.wording import measure_words, scope_words

LENGTH = 200
"""Width of a strip in units of its view box; its height is 12."""

_MOST_STRIPS = 4
_SMALL = (250, 56)
"""Width and height of a chart drawn small, in pixels."""


@dataclass(frozen=True)
class Strip:
    """A number on a line, with its interval.

    Args:
        name: Whose number it is.
        words: The number with its interval and what it rests on.
        at, low, high: Places along the strip, 0 to `LENGTH`; the ends are None without an interval.
        base: Where its bar starts; None for a point.
    """

    name: str
    words: str
    at: float
    low: float | None
    high: float | None
    base: float | None = None


@dataclass(frozen=True)
class Glance:
    """A small picture.

    Args:
        title: What its numbers are.
        strips: Numbers on one common line; empty where it is a drawing or an image.
        mark: Place of the threshold or the reference on the line, and what it is; None without.
        side: Where along the line the threshold is met, from and to; None without a threshold.
        drawing, image: The picture where it is another one.
        label: What the picture says, for screen readers.
    """

    title: str
    strips: tuple[Strip, ...] = ()
    mark: tuple[float, str] | None = None
    side: tuple[float, float] | None = None
    drawing: Drawing | None = None
    image: Image | None = None
    label: str = ""


@dataclass(frozen=True)
class _Line:
    """A scale: numbers from `low` to `high` along a strip."""

    low: float
    high: float

    def at(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(4 + share * (LENGTH - 8), 1)


def finding_glance(finding: Finding, result: AuditResult, uid: str, allowed: int) -> Glance | None:
    """Return the small picture behind a finding: its chart or its image, else the first measure that it names; None without any.

    Args:
        finding, result: The finding and the result it belongs to.
        uid: Prefix for the ids in the picture, unique within the page.
        allowed: Characters of base64 that an image may take.
    """
    for chart in result.charts:
        if finding.chart is not None and chart.title == finding.chart:
            found = _of_chart(chart, finding.sentence, uid)
            if found is not None:
                return found
    for picture in result.pictures:
        if finding.chart is not None and picture.title == finding.chart:
            return Glance(picture.title, image=images([picture], allowed)[0], label=picture.message)
    first = [m for m in result.measures if m.name in finding.measures[:1] and m.group == finding.group]
    first = [m for m in first if finding.by is None or m.by == finding.by]
    drawn = [m for m in first if m.value is not None and m.low is not None and not is_probability(m.name)]
    return _of_measures(drawn) if len(first) == len(drawn) == 1 else None  # of several, which one it speaks of is not known


def gate_glance(compared: Sequence[Measure], at_least: float | None, at_most: float | None) -> Glance | None:
    """Return the decisive measure of a gate with its interval, and where the gate is met; None without a value."""
    decisive = compared[0] if compared else None
    bounds = [bound for bound in (at_least, at_most) if bound is not None]
    if decisive is None or decisive.value is None or not bounds:
        return None
    line = _line([*_ends(decisive), *bounds], bare=True)
    met = (line.at(at_least) if at_least is not None else 0.0, line.at(at_most) if at_most is not None else float(LENGTH))
    strip = _strip(line, scope_words(decisive), measured(decisive), (decisive.value, decisive.low, decisive.high))
    return Glance(measure_words(decisive.name), (strip,), mark=(line.at(bounds[0]), trimmed(bounds[0])), side=met)


def _of_measures(measures: Sequence[Measure]) -> Glance:
    line = _line([end for measure in measures for end in _ends(measure)])
    strips = tuple(_strip(line, scope_words(m), f"{measured(m)}{_n(m.n)}", (m.value or 0.0, m.low, m.high)) for m in measures)
    return Glance(measure_words(measures[0].name), strips)


def _of_chart(chart: Chart, sentence: str, uid: str) -> Glance | None:
    if chart.kind in ("intervals", "bars") and not any(row.get("color") for row in chart.rows):
        rows = _spoken_of([row for row in chart.rows if _value(row, "x") is not None], sentence)
        if rows:
            return _of_rows(chart, rows)
    if chart.kind == "heat":
        return _of_cells(chart, sentence)
    return Glance(chart.title, drawing=draw(chart, uid, small=_SMALL), label=chart.message)


def _of_cells(chart: Chart, sentence: str) -> Glance | None:
    """Return the cells of a map that a sentence names, on one line; None where it names none."""
    rows = [row for row in chart.rows if _value(row, "color") is not None]
    named = [row for row in rows if all(_named(row.get(key), sentence) for key in ("x", "y"))][:_MOST_STRIPS]
    if not named:
        return None
    values = [_value(row, "color") or 0.0 for row in rows]
    line, across = _line(values), len({str(row.get("x")) for row in named}) > 1
    return Glance(chart.title, tuple(_cell(line, row, across) for row in named))


def _cell(line: _Line, row: Mapping[str, Any], across: bool) -> Strip:
    value, size = _value(row, "color") or 0.0, row.get("size")
    name = f"{row.get('y')}, {row.get('x')}" if across else str(row.get("y"))
    return _strip(line, name, size if isinstance(size, str) else trimmed(value), (value, None, None))


def _of_rows(chart: Chart, rows: Sequence[Mapping[str, Any]]) -> Glance:
    reference = chart.reference if isinstance(chart.reference, tuple) else None
    values = [value for row in rows for key in ("x", "low", "high") if (value := _value(row, key)) is not None]
    bars = chart.kind == "bars"
    line = _line([*values, *([reference[0]] if reference else []), *([0.0] if bars else [])])
    strips = tuple(
        _strip(
            line,
            str(row.get("y", "")),
            interval(_value(row, "x"), _value(row, "low"), _value(row, "high")) + _size(row.get("size")),
            (_value(row, "x") or 0.0, _value(row, "low"), _value(row, "high")),
            base=line.at(0.0) if bars else None,
        )
        for row in rows
    )
    mark = (line.at(reference[0]), reference[1]) if reference else None
    return Glance(chart.title, strips, mark=mark)


def _spoken_of(rows: Sequence[Mapping[str, Any]], sentence: str) -> Sequence[Mapping[str, Any]]:
    """Return the rows that a sentence names, at least two, else the first ones."""
    named = [row for row in rows if _named(row.get("y"), sentence)]
    return (named if len(named) > 1 else rows)[:_MOST_STRIPS]


def _named(name: object, sentence: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(str(name))}(?!\w)", sentence) is not None


def _strip(
    line: _Line, name: str, words: str, ends: tuple[float, float | None, float | None], *, base: float | None = None
) -> Strip:
    value, low, high = ends
    return Strip(
        name, words, line.at(value), None if low is None else line.at(low), None if high is None else line.at(high), base
    )


def _line(values: Sequence[float], *, bare: bool = False) -> _Line:
    """Return the scale for some numbers: 0 to 1 for shares, else wide enough for all of them and, unless `bare`, for 0."""
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        return _Line(0.0, 1.0)
    low, high = (low, high) if bare else (min(low, 0.0), max(high, 0.0))
    pad = 0.08 * (high - low) or abs(low) or 1.0
    return _Line(low - pad * (low != 0), high + pad * (high != 0))


def _ends(measure: Measure) -> list[float]:
    return [value for value in (measure.value, measure.low, measure.high) if value is not None]


def _value(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known and value is not None else None


def _n(n: int | None) -> str:
    return "" if n is None else f", n\u00a0{number(n)}"


def _size(size: object) -> str:
    if size is None:
        return ""
    return _n(size) if isinstance(size, int) and not isinstance(size, bool) else f", {size}"

"""Small pictures of the first screen: intervals as strips and bars, other charts drawn small."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, Measure
from glassbench.contracts.exhibits import Chart
from glassbench.contracts.measure_words import measure_words, scope_words
from glassbench.report.charts import draw
from glassbench.report.figures import images
from glassbench.report.group_glances import group_glance
from glassbench.report.numbers import chart_figure, is_probability, measured, trimmed
from glassbench.report.strips import (
    LENGTH,
    MOST_STRIPS,
    Glance,
    Line,
    Strip,
    line_of,
    measure_ends,
    measure_line,
    measure_strip,
    size_words,
    strip,
)

_SMALL = (250, 56)
"""Width and height of a chart drawn small, in pixels."""


def finding_glance(finding: Finding, result: AuditResult, uid: str, allowed: int) -> Glance | None:
    """Return the small picture behind a finding, None without any: the groups it names, its
    number beside a baseline's, its chart or image, its first measure.

    Args:
        finding, result: The finding and the result it belongs to.
        uid: Prefix for the ids in the picture, unique within the page.
        allowed: Characters of base64 that an image may take.
    """
    charts = [chart for chart in result.charts if finding.chart is not None and chart.title == finding.chart]
    in_percent = any(chart.percent for chart in charts)
    compared = group_glance(finding, result.measures, percent=in_percent) or _beside_baseline(finding, result.measures)
    if compared is not None:
        return compared
    for chart in charts:
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
    """Return the decisive measure of a gate with its interval, and where the gate is met; None without a value.

    What rests on too few events to be judged is not drawn: its value would look like one.
    """
    decisive = next((measure for measure in compared if measure.unsupported is None), None)
    bounds = [bound for bound in (at_least, at_most) if bound is not None]
    if decisive is None or decisive.value is None or not bounds:
        return None
    line = line_of([*measure_ends(decisive), *bounds], bare=True)
    met = (line.at(at_least) if at_least is not None else 0.0, line.at(at_most) if at_most is not None else float(LENGTH))
    drawn = strip(line, scope_words(decisive), measured(decisive), (decisive.value, decisive.low, decisive.high))
    return Glance(measure_words(decisive.name), (drawn,), mark=(line.at(bounds[0]), trimmed(bounds[0])), side=met)


def _beside_baseline(finding: Finding, measures: Sequence[Measure]) -> Glance | None:
    """Return a finding's first measure with that of a baseline marked, where the finding names it (`<measure>_baseline`)."""
    known = {m.name: m for m in measures if m.name in finding.measures and m.group is None and m.by is None}
    own = known.get(next(iter(finding.measures), ""))
    held = None if own is None else known.get(f"{own.name}_baseline")
    if own is None or own.value is None or held is None or held.value is None:
        return None
    line = line_of([*measure_ends(own), held.value])
    drawn = measure_strip(line, own, scope_words(own))
    return Glance(measure_words(own.name), (drawn,), mark=(line.at(held.value), f"baseline {trimmed(held.value)}"))


def _of_measures(measures: Sequence[Measure]) -> Glance:
    line = measure_line(measures)
    return Glance(measure_words(measures[0].name), tuple(measure_strip(line, m, scope_words(m)) for m in measures))


def _of_chart(chart: Chart, sentence: str, uid: str) -> Glance | None:
    if chart.kind in ("intervals", "bars") and not any(row.get("color") for row in chart.rows):
        rows = [row for row in chart.rows if _value(row, "x") is not None]
        if rows:
            return _of_rows(chart, _spoken_of(rows, sentence), len(rows))
    if chart.kind == "heat":
        return _of_cells(chart, sentence)
    title = f"{chart.title}: {chart.y_title}" if chart.y_title else chart.title
    return Glance(title, drawing=draw(chart, uid, small=_SMALL), label=chart.message)


def _of_cells(chart: Chart, sentence: str) -> Glance | None:
    """Return the cells of a map that a sentence names, on one line; None where it names none."""
    rows = [row for row in chart.rows if _value(row, "color") is not None]
    spoken = [_names([row.get(key) for row in rows], sentence) for key in ("x", "y")]
    named = [row for row in rows if row.get("x") in spoken[0] and row.get("y") in spoken[1]][:MOST_STRIPS]
    if not named:
        return None
    values = [_value(row, "color") or 0.0 for row in rows]
    line, across = line_of(values), len({str(row.get("x")) for row in named}) > 1
    return Glance(chart.title, tuple(_cell(line, row, across) for row in named))


def _cell(line: Line, row: Mapping[str, Any], across: bool) -> Strip:
    value, size = _value(row, "color") or 0.0, row.get("size")
    name = f"{row.get('y')}, {row.get('x')}" if across else str(row.get("y"))
    return strip(line, name, size if isinstance(size, str) else trimmed(value), (value, None, None))


def _of_rows(chart: Chart, rows: Sequence[Mapping[str, Any]], total: int) -> Glance:
    values = [value for row in rows for key in ("x", "low", "high") if (value := _value(row, key)) is not None]
    bars = chart.kind == "bars"
    at = chart.reference_value
    line = line_of([*values, *([] if at is None else [at]), *([0.0] if bars else [])])
    strips = tuple(
        strip(
            line,
            str(row.get("y", "")),
            chart_figure(chart.percent, _value(row, "x"), _value(row, "low"), _value(row, "high")) + size_words(row.get("size")),
            (_value(row, "x") or 0.0, _value(row, "low"), _value(row, "high")),
            base=line.at(0.0) if bars else None,
        )
        for row in rows
    )
    mark = None if at is None or chart.reference is None else (line.at(at), chart.reference[1])
    return Glance(chart.title, strips, mark=mark, notes=(f"{len(rows)} of {total} shown",) if len(rows) < total else ())


def _spoken_of(rows: Sequence[Mapping[str, Any]], sentence: str) -> Sequence[Mapping[str, Any]]:
    """Return the rows that a sentence names and the first others, up to as many as are drawn, in the chart's order.

    Of rows with names of several parts ("cluster 0, under 40"), those come first of which it names most parts, quoted ones twice.
    """
    names = _names([row.get("y") for row in rows], sentence)
    parts = [str(row.get("y")).split(", ") for row in rows]
    quoted = _quoted(sentence)
    said = [len(set(one) & _names(one, sentence)) + len(set(one) & quoted) for one in parts]
    ranked = sorted(range(len(rows)), key=lambda place: (rows[place].get("y") not in names, -said[place]))
    return [rows[place] for place in sorted(ranked[:MOST_STRIPS])]


def _names(names: Sequence[object], sentence: str) -> set[object]:
    """Return the names that a sentence says: those in quotes, else those that stand in it as words."""
    quoted = _quoted(sentence)
    found = {name for name in names if str(name) in quoted}
    return found or {name for name in names if re.search(rf"(?<!\w){re.escape(str(name))}(?!\w)", sentence)}


def _quoted(sentence: str) -> set[str]:
    return set(re.findall("“([^”]*)”", sentence))


def _value(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known and value is not None else None

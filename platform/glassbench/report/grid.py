"""Tables of the page: cells formatted by column, verdicts and grades recognised, long tables folded."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, ChartKind, Table
from glassbench.contracts.measure_words import measure_words, scope_words
from glassbench.report.numbers import DASH, column, interval, is_probability, probability
from glassbench.report.wording import SYMBOLS
from glassbench.stats.percent import bare_percent

FOLDED_FROM = 13
MOST_NUMBERS = 5
"""The most rows of the numbers of a chart on a page."""

MOST_ROWS = 10
"""The most rows of a table of evidence on a page; all of them are in the result it comes from."""

Value = str | float | int | bool | None

_KEYS: dict[ChartKind, tuple[str, ...]] = {
    "intervals": ("color", "y", "x", "low", "high", "size"),
    "bars": ("color", "y", "x", "low", "high", "size"),
    "lines": ("color", "x", "y", "low", "high", "size"),
    "points": ("color", "x", "y", "low", "high", "size"),
    "heat": ("y", "x", "color", "size"),
    "histogram": ("color", "low", "high", "y"),
}
_MEASURED: dict[ChartKind, tuple[str, ...]] = {
    "intervals": ("x", "low", "high"),
    "bars": ("x", "low", "high"),
    "heat": ("color",),
}
"""What kinds of charts measure that may be written in per cent."""

_HEADS = {"low": "low", "high": "high", "size": "n", "color": "series"}
_JUDGED = ("verdict", "grade")
"""Columns of tables whose words are verdicts or grades."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        text: What is shown.
        sort: The number it sorts by; None for words.
        verdict: The verdict or the grade that it is, shown with its icon; None where it is none.
    """

    text: str
    sort: float | None = None
    verdict: str | None = None


@dataclass(frozen=True)
class Grid:
    """A table ready to be written out.

    Args:
        title: Its caption.
        heads: Header and whether the column holds numbers.
        rows: Cells; the first of a row names it.
        note: A line under it.
        folded: Whether it starts behind a fold.
    """

    title: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str | None = None
    folded: bool = False


def grid(table: Table, *, most: int | None = None, source: str = "", verdicts: bool = False) -> Grid:
    """Return a table of evidence as cells, numbers of a column to the same digits.

    Args:
        table: The table.
        most: How many rows are written out; None for all.
        source: Where all of its rows are, a path within the run folder.
        verdicts: Whether words such as "pass" are verdicts in every column; else they are in columns named verdict or grade, and
            names of classes or groups elsewhere.
    """
    rows = table.rows[:most]
    columns = [_cells(name, [row[i] for row in rows], verdicts or name in _JUDGED) for i, name in enumerate(table.columns)]
    numeric = [any(cell.sort is not None for cell in cells) for cells in columns]
    left_out = f"The first {len(rows)} of {len(table.rows)} rows; all: {source}" if len(rows) < len(table.rows) else None
    return Grid(
        title=table.title,
        heads=tuple(zip(table.columns, numeric, strict=True)),
        rows=tuple(zip(*columns, strict=True)),
        note=" ".join(filter(None, [table.note, left_out])) or None,
        folded=len(rows) >= FOLDED_FROM,
    )


def chart_table(chart: Chart, most: int | None = None) -> Table:
    """Return the numbers that a chart shows; of more than `most` rows evenly spaced ones, the first and the last among them."""
    keys = [key for key in _KEYS[chart.kind] if any(row.get(key) is not None for row in chart.rows)]
    heads = tuple(_head(chart, key) for key in keys)
    chosen = _spaced(chart.rows, most)
    told = _MEASURED[chart.kind] if chart.percent else ()
    rows = tuple(tuple(_told(row.get(key), key in told) for key in keys) for row in chosen)
    note = f"{len(rows)} of {len(chart.rows)} values." if len(rows) < len(chart.rows) else None
    return Table(title=chart.title, columns=heads, rows=rows, note=note)


def stands_in(chart: Chart, tables: Sequence[Table]) -> Table | None:
    """Return the first table that holds every number of a chart, or None."""
    numbers = {value for row in chart.rows for value in row.values() if isinstance(value, float)}
    for table in tables:
        if numbers and numbers <= {cell for row in table.rows for cell in row if isinstance(cell, float)}:
            return table
    return None


def _spaced(rows: Sequence[Mapping[str, Any]], most: int | None) -> list[Mapping[str, Any]]:
    """Return evenly spaced rows, as many of each series."""
    if most is None or len(rows) <= most:
        return list(rows)
    series: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        series.setdefault(row.get("color"), []).append(row)
    each = max(2, most // len(series))
    if len(series) * each > most:
        return list(rows[:most])
    return [own[place] for own in series.values() for place in _places(len(own), each)]


def _places(count: int, most: int) -> Iterable[int]:
    """Return at most so many evenly spaced places, the first and the last among them."""
    return range(count) if count <= most else (round(i * (count - 1) / (most - 1)) for i in range(most))


def measure_table(title: str, measures: Sequence[Measure]) -> Table:
    """Return measures as a table: what, of whom, how much, resting on how many rows."""
    rows = tuple(
        (
            measure_words(measure.name),
            scope_words(measure),
            _value(measure),
            measure.n,
            measure.unit or "",
            _direction(measure),
        )
        for measure in measures
    )
    table = Table(title=title, columns=("measure", "of", "value", "n", "unit", "remark"), rows=rows)
    return without_empty(table, {"of"} if all(m.by is None and m.group is None for m in measures) else set())


def without_empty(table: Table, unwanted: Set[str] = frozenset()) -> Table:
    """Return a table without the columns that say nothing, nor the unwanted ones."""
    told = [any(row[i] not in (None, "") for row in table.rows) for i in range(len(table.columns))]
    kept = [i for i, name in enumerate(table.columns) if told[i] and name not in unwanted]
    rows = tuple(tuple(row[i] for i in kept) for row in table.rows)
    return Table(title=table.title, columns=tuple(table.columns[i] for i in kept), rows=rows, note=table.note)


def _value(measure: Measure) -> str:
    if is_probability(measure.name):
        return probability(measure.value)
    return DASH if measure.value is None else interval(measure.value, measure.low, measure.high)


def _direction(measure: Measure) -> str:
    if measure.undefined is not None:
        return f"undefined: {measure.undefined}"
    if measure.higher_is_better is None:
        return ""
    return "higher is better" if measure.higher_is_better else "lower is better"


def _cells(name: str, values: Sequence[Value], judged: bool) -> list[Cell]:
    numbers = [v if isinstance(v, int | float) and not isinstance(v, bool) else None for v in values]
    texts = [probability(v) for v in numbers] if is_probability(name) else column(numbers)
    return [_cell(value, number, text, judged) for value, number, text in zip(values, numbers, texts, strict=True)]


def _cell(value: Value, number: float | None, text: str, judged: bool) -> Cell:
    if number is not None:
        return Cell(text, sort=float(number))
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if judged and isinstance(value, str) and value in SYMBOLS:
        return Cell(value, verdict=value)
    return Cell(DASH if value is None else str(value))


def _head(chart: Chart, key: str) -> str:
    if key == "color" and chart.kind == "heat":
        return "value"
    if key == "size" and not all(isinstance(row.get("size"), int | None) for row in chart.rows):
        return "label"
    if chart.kind == "histogram" and key in ("low", "high"):
        return f"{chart.x_title or 'value'} {'from' if key == 'low' else 'to'}"
    if key in _HEADS:
        return _HEADS[key]
    title = chart.x_title if key == "x" else chart.y_title
    return title or ("value" if (key == "x") == (chart.kind in ("intervals", "bars")) else "of")


def _told(value: object, percent: bool) -> Value:
    """Return a value of a chart as a cell: a share in per cent where that is asked for."""
    if percent and isinstance(value, float):
        return f"{bare_percent(value)}\u00a0%"
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)

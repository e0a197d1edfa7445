"""The comparison of runs as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.measure_words import measure_words, scope_words
from glassbench.registry import Registry
from glassbench.report.compare import compare
from glassbench.report.figures import DrawnChart, drawn_charts
from glassbench.report.grid import Grid, grid
from glassbench.report.numbers import DASH, interval, measured, probability
from glassbench.report.templating import render

_ABSENT = "not set"
_DRAWN = 20
"""The most differences in one chart."""


@dataclass(frozen=True)
class Against:
    """One run held against the first, ready to be written out.

    Args:
        title: Which runs.
        sentence: What came out.
        rows: How the rows of the runs relate.
        charts: What differs; where nothing does, the measures over all rows.
        differing: What differs.
        every: Every measure that both hold.
        lacking: Measures that one run alone holds, in words.
    """

    title: str
    sentence: str
    rows: str
    charts: tuple[DrawnChart, ...]
    differing: Grid
    every: Grid
    lacking: tuple[str, ...]


def render_comparison(folders: Sequence[Path], registry: Registry | None = None) -> str:
    """Return two or more runs beside each other as one HTML page; the first is the one the others are held against.

    Raises:
        RunError: There are fewer than two runs, or a folder is no run folder.
    """
    return comparison_page(compare(folders, registry))


def comparison_page(found: Mapping[str, Any]) -> str:
    """Return what `compare` found as one HTML page."""
    labels = run_labels(found["runs"])
    return render(
        "comparison.html.j2",
        runs=list(zip(labels, found["runs"], strict=True)),
        against=[against(one, labels, place) for place, one in enumerate(found["differences"], start=1)],
        gates=_gates(found["gates"], labels),
        settings=_settings(found["settings"], labels),
        measures=_measures(found["measures"], labels),
    )


def run_labels(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a short name per run: its experiment's name, with its place where names repeat.

    Example:
        >>> run_labels([{"name": "a"}, {"name": "a"}, {"name": "b"}])
        ['a (1)', 'a (2)', 'b']
    """
    names = [str(run["name"]) for run in runs]
    return [f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, start=1)]


def differences_sentence(found: Mapping[str, Any], second: str, first: str) -> str:
    """Return in one sentence how many measures differ between two runs, and for whose good.

    Args:
        found: One of the `differences` that `compare` returns.
        second, first: What the runs are called.
    """
    told = [one["difference"]["better"] for one in found["measures"] if one["difference"]["differs"]]
    if not found["tests"]:
        return "No measure of these runs can be compared: none has an interval, or no row tells the runs apart."
    if not told:
        return (
            f"No difference can be told from chance among {found['tests']} compared measures (Holm's correction); that does not "
            "show that the runs are equal."
        )
    sides = ((second, told.count("second")), (first, told.count("first")))
    better = ", ".join(f"{count} better in {label}" for label, count in sides if count)
    neither = told.count(None)
    parts = ", ".join(part for part in (better, f"{neither} with no good direction" if neither else "") if part)
    return f"{len(told)} of {found['tests']} compared measures differ beyond chance (Holm's correction): {parts}."


def against(found: Mapping[str, Any], labels: Sequence[str], place: int) -> Against:
    """Return one run held against the first, ready to be written out.

    Args:
        found: One of the `differences` that `compare` returns.
        labels: What the runs are called, the first included.
        place: The run's place among them.
    """
    first, second = labels[0], labels[place]
    differing = [one for one in found["measures"] if one["difference"]["differs"]]
    sides = ((first, found["lacking"]["second"]), (second, found["lacking"]["first"]))
    lacking = [
        f"Measured in {label} only: {', '.join(dict.fromkeys(map(measure_words, names)))}." for label, names in sides if names
    ]
    return Against(
        title=f"{second} against {first}",
        sentence=differences_sentence(found, second, first),
        rows=rows_sentence(found["rows"]),
        charts=_charts(differing or _overall(found["measures"]), second, first, bool(differing), place),
        differing=_differences("What differs", differing, labels, place),
        every=_differences("Every measure that both runs hold", found["measures"], labels, place, folded=True),
        lacking=tuple(lacking),
    )


def rows_sentence(rows: Mapping[str, Any]) -> str:
    """Return how the rows of two runs relate, and what that means for the comparison."""
    words = str(rows["words"])
    said = f"{words[:1].upper()}{words[1:]}"
    if rows["kind"] == "independent":
        return f"{said}: differences rest on the runs' own intervals, as of independent samples."
    return f"{said}: measures that their audits compute on resampled rows are compared row by row."


def _overall(measures: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in measures if one["by"] is None and one["difference"]["low"] is not None]


def _charts(shown: Sequence[Mapping[str, Any]], second: str, first: str, differing: bool, place: int) -> tuple[DrawnChart, ...]:
    """Draw differences, those of one unit in one chart, and of those without a unit the ones between -1 and 1 by themselves."""
    scales: dict[tuple[str | None, bool], list[Mapping[str, Any]]] = {}
    for one in shown:
        if one["difference"]["low"] is not None:
            scales.setdefault(_scale(one), []).append(one)
    what = "Differences beyond chance" if differing else "No difference is beyond chance: measures over all rows"
    charts = []
    for (unit, small), alike in scales.items():
        found = [(_title(one), one["difference"]) for one in alike[:_DRAWN]]
        rows = tuple({"y": name, "x": told["value"], "low": told["low"], "high": told["high"]} for name, told in found)
        title = f"{what}, in {unit}" if unit else what if small else f"{what}, of numbers beyond 1"
        message = f"{second} minus {first}, with the 95 % interval of each difference."
        axis = f"{second} minus {first}" + (f" ({unit})" if unit else "")
        chart = Chart(kind="intervals", title=title, message=message, rows=rows, x_title=axis, reference=(0.0, "no difference"))
        charts.append(chart)
    return drawn_charts(charts, f"differences-{place}")


def _scale(one: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Return the unit of a measure, and whether it has none and both runs' values lie between -1 and 1, as shares do."""
    values = [side["compared"] for side in (one["first"], one["second"])]
    return one["unit"] or None, not one["unit"] and all(value is None or abs(value) <= 1 for value in values)


def _differences(
    title: str, measures: Sequence[Mapping[str, Any]], labels: Sequence[str], place: int, *, folded: bool = False
) -> Grid:
    rows = tuple(difference_row(one, labels[0], labels[place]) for one in measures)
    columns = ("measure", labels[0], labels[place], "difference", "p (corrected)", "better", "compared")
    made = grid(Table(title=title, columns=columns, rows=rows))
    return replace(made, folded=folded)


def difference_row(one: Mapping[str, Any], first: str, second: str) -> tuple[str, ...]:
    """Return a measure of two runs as the cells of a row: name, both values, difference, p-value, which is better, and how."""
    found = one["difference"]
    compared = [side["compared"] for side in (one["first"], one["second"])]
    values = [DASH if value is None else interval(value, None, None) for value in compared]
    difference = DASH if found["value"] is None else interval(found["value"], found["low"], found["high"])
    unit = f" {one['unit']}" if one["unit"] and found["value"] is not None else ""
    better = {"first": first, "second": second}.get(found["better"] or "", "")
    how = "the same in every row" if found["alike"] else found["reason"] or "row by row"
    return _title(one), *values, difference + unit, DASH if found["p"] is None else probability(found["p"]), better, how


def _title(one: Mapping[str, Any]) -> str:
    measure = Measure(name=one["name"], value=0.0, by=None if one["by"] is None else tuple(one["by"]), group=one["group"])
    words = measure_words(one["name"])
    return words if one["by"] is None else f"{words}, {scope_words(measure)}"


def _gates(gates: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Grid:
    rows = tuple((gate["gate"], *(verdict or _ABSENT for verdict in gate["verdicts"]), gate["changed"]) for gate in gates)
    return grid(Table(title="Gates", columns=("gate", *labels, "changed"), rows=rows), verdicts=True)


def _settings(settings: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Grid:
    rows = tuple((row["key"], *(_ABSENT if value is None else value for value in row["values"])) for row in settings)
    return grid(Table(title="Settings that differ", columns=("setting", *labels), rows=rows))


def _measures(measures: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Grid:
    rows = tuple((_measure_title(row), *(_value(row, value) for value in row["values"])) for row in measures)
    return replace(grid(Table(title="Values in every run", columns=("measure", *labels), rows=rows)), folded=True)


def _measure_title(row: Mapping[str, Any]) -> str:
    return f"{measure_words(row['name'])} by {' and '.join(row['by'])}" if row["by"] else measure_words(row["name"])


def _value(row: Mapping[str, Any], value: Mapping[str, Any] | None) -> str:
    return DASH if value is None else measured(Measure(name=row["name"], unit=row["unit"], **value))

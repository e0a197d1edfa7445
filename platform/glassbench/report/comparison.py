"""The comparison of runs as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.report.compare import compare
from glassbench.report.figures import DrawnChart, drawn_charts
from glassbench.report.grid import Grid, grid
from glassbench.report.numbers import DASH, interval, measured
from glassbench.report.templating import render
from glassbench.report.wording import measure_words

_ABSENT = "not set"


def render_comparison(folders: Sequence[Path]) -> str:
    """Return two or more runs beside each other as one HTML page; the first is the one the others are held against.

    Raises:
        RunError: There are fewer than two runs, or a folder is no run folder.
    """
    return comparison_page(compare(folders))


def comparison_page(found: Mapping[str, Any]) -> str:
    """Return what `compare` found as one HTML page."""
    labels = run_labels(found["runs"])
    return render(
        "comparison.html.j2",
        runs=list(zip(labels, found["runs"], strict=True)),
        paired=_paired(found["paired"], labels),
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


def _paired(pairs: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> tuple[Grid, DrawnChart | None]:
    titles = [f"{label} minus {labels[0]}" for label in labels[1:]]
    rows = tuple(
        (title, pair["metric"] or DASH, pair["undefined"] or interval(pair["value"], pair["low"], pair["high"]), pair["n"])
        for title, pair in zip(titles, pairs, strict=True)
    )
    table = Table(title="Paired differences on shared rows", columns=("runs", "metric", "difference", "n"), rows=rows)
    return grid(table), _forest(labels, pairs)


def _forest(labels: Sequence[str], pairs: Sequence[Mapping[str, Any]]) -> DrawnChart | None:
    known = [(label, pair) for label, pair in zip(labels[1:], pairs, strict=True) if pair["value"] is not None]
    if not known:
        return None
    metric = known[0][1]["metric"]
    apart = [title for title, pair in known if pair["low"] > 0 or pair["high"] < 0]
    told = f"{len(apart)} of {len(known)} differences can be told from zero" if len(known) > 1 else ""
    single = "The difference can be told from zero" if apart else "The difference can't be told from zero"
    chart = Chart(
        kind="intervals",
        title=f"Difference of {metric} from {labels[0]}",
        message=f"{told or single}.",
        rows=tuple({"y": t, "x": p["value"], "low": p["low"], "high": p["high"], "size": p["n"]} for t, p in known),
        x_title=f"difference of {metric}",
        reference=(0.0, "no difference"),
    )
    return drawn_charts([chart], "paired")[0]


def _gates(gates: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Grid:
    rows = tuple((gate["gate"], *(verdict or _ABSENT for verdict in gate["verdicts"]), gate["changed"]) for gate in gates)
    return grid(Table(title="Gates", columns=("gate", *labels, "changed"), rows=rows), verdicts=True)


def _settings(settings: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Grid:
    rows = tuple((row["key"], *(_ABSENT if value is None else value for value in row["values"])) for row in settings)
    return grid(Table(title="Settings that differ", columns=("setting", *labels), rows=rows))


def _measures(measures: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Grid:
    rows = tuple((_measure_title(row), *(_value(row, value) for value in row["values"])) for row in measures)
    return grid(Table(title="Measures", columns=("measure", *labels), rows=rows))


def _measure_title(row: Mapping[str, Any]) -> str:
    return f"{measure_words(row['name'])} by {' and '.join(row['by'])}" if row["by"] else measure_words(row["name"])


def _value(row: Mapping[str, Any], value: Mapping[str, Any] | None) -> str:
    return DASH if value is None else measured(Measure(name=row["name"], unit=row["unit"], **value))

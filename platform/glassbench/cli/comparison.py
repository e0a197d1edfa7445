"""Several runs beside each other, on a terminal."""

from collections.abc import Iterator
from typing import Any

import click

from glassbench.cli.options import print_table
from glassbench.report.numbers import DASH, number
from glassbench.report.wording import measure_words, outcome_words


def print_comparison(found: dict[str, Any]) -> None:
    """Print what differs between runs: verdicts, settings, gates, main measures, and decisions on the rows they share.

    Args:
        found: What `compare` returns.
    """
    names = tuple(run["run"] for run in found["runs"])
    for title, rows in (
        ("", [("verdict", *(outcome_words(run["verdict"]) for run in found["runs"]))]),
        ("settings that differ", [(row["key"], *map(_text, row["values"])) for row in found["settings"]]),
        ("gates", [(row["gate"], *map(_text, row["verdicts"])) for row in found["gates"]]),
        ("performance", [*_performance(found["measures"])]),
    ):
        if rows:
            click.echo("")
            print_table((title, *names), rows)
    for pair in found["paired"]:
        click.echo(f"\n{pair['run']} against {pair['against']}: {_difference(pair)}")


def _performance(measures: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for measure in measures:
        beside = measure["name"].endswith(("_baseline", "_gain"))
        if measure["name"].startswith("performance.") and measure["by"] is None and not beside:
            values = [None if value is None else value["value"] for value in measure["values"]]
            yield (measure_words(measure["name"]), *(DASH if value is None else number(value) for value in values))


def _difference(pair: dict[str, Any]) -> str:
    if pair["undefined"]:
        return str(pair["undefined"])
    return f"{pair['metric']} {pair['value']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}] on {pair['n']} shared rows"


def _text(value: object) -> str:
    return DASH if value is None else str(value)

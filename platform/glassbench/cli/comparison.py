"""Several runs beside each other, on a terminal."""

from typing import Any

import click

from glassbench.cli.options import print_table, wrapped
from glassbench.report.comparison import difference_row, differences_sentence, rows_sentence, run_labels
from glassbench.report.numbers import DASH
from glassbench.report.wording import outcome_words

_SHOWN = 20
"""The most measures that are listed unless all are asked for."""


def print_comparison(found: dict[str, Any], *, everything: bool = False) -> None:
    """Print what differs between runs: verdicts, settings, gates and measures.

    Args:
        found: What `compare` returns.
        everything: Whether measures that do not differ are listed too, and why some could not be compared.
    """
    labels = run_labels(found["runs"])
    for label, run in zip(labels, found["runs"], strict=True):
        click.echo(f"{label}: {run['run']}, {outcome_words(run['verdict'])}")
    changed = found["gates"] if everything else [row for row in found["gates"] if row["changed"]]
    for title, rows in (
        ("settings that differ", [(row["key"], *map(_text, row["values"])) for row in found["settings"]]),
        ("gates" if everything else "gates that changed", [(row["gate"], *map(_text, row["verdicts"])) for row in changed]),
    ):
        if rows:
            click.echo("")
            print_table((title, *labels), rows)
    for place, pair in enumerate(found["differences"], start=1):
        _print_pair(pair, labels[0], labels[place], everything)


def _print_pair(pair: dict[str, Any], first: str, second: str, everything: bool) -> None:
    click.echo(f"\n{second} against {first}")
    click.echo(wrapped(differences_sentence(pair, second, first)))
    click.echo(wrapped(rows_sentence(pair["rows"])))
    wanted = [one for one in pair["measures"] if everything or one["difference"]["differs"]]
    shown = wanted if everything else wanted[:_SHOWN]
    if shown:
        click.echo("")
        rows = [difference_row(one, first, second) for one in shown]
        print_table(("measure", first, second, f"{second} minus {first}", "p", "better", "compared"), rows)
    hidden = len(pair["measures"]) - len(shown)
    if hidden:
        click.echo(f"\n{hidden} more measures: --all lists them")
    for side, label in (("second", first), ("first", second)):
        if names := pair["lacking"][side]:
            click.echo(wrapped(f"only in {label}: {', '.join(names)}", hanging=2))


def _text(value: object) -> str:
    return DASH if value is None else str(value)

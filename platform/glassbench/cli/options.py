"""What several commands take: where runs live, JSON on request, the plugins."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from glassbench.printable import one_line, printable
from glassbench.registry import Registry

Command = Callable[..., Any]


def runs_option(command: Command) -> Command:
    """Add `--runs DIR`."""
    return click.option(
        "--runs",
        "root",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        envvar="GLASSBENCH_RUNS",
        show_default=True,
        help="Where runs live.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")(command)


def open_option(command: Command) -> Command:
    """Add `--open`."""
    return click.option("--open", "show", is_flag=True, help="Open the report in a browser.")(command)


def accept_option(command: Command) -> Command:
    """Add `--accept-changes`."""
    return click.option(
        "--accept-changes",
        "accept",
        is_flag=True,
        help="Take files as they are that were changed after the run wrote them; its report says so.",
    )(command)


def registry(ctx: click.Context) -> Registry:
    """Find the plugins; a broken one costs one line on the error stream."""
    found = Registry(blocked=ctx.obj["blocked"])
    for line in found.warnings:
        warn(line)
    return found


def warn(text: str) -> None:
    """Print one line on the error stream."""
    click.echo(f"{click.style('warning:', fg='yellow')} {printable(text)}", err=True)


def print_json(content: Any) -> None:
    """Print one JSON object, where nothing else is printed."""
    answer = (click.get_current_context().find_root().obj or {}).get("answer")
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False), file=answer)


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in aligned columns, the header underlined; the last column is not padded."""
    lines = [[one_line(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in lines) for i in range(len(header))]
    for position, row in enumerate(lines):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if position == 0 and sys.stdout.isatty() else line)

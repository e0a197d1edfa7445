"""What several commands take: where runs live, JSON on request, the plugins."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from glassbench.printable import one_line, printable
from glassbench.registry import Registry

Command = Callable[..., Any]


def runs_option(command: Command) -> Command:
    """Add `--runs DIR`."""
    return _root_option("runs", command)


def studies_option(command: Command) -> Command:
    """Add `--studies DIR`."""
    return _root_option("studies", command)


def _root_option(what: str, command: Command) -> Command:
    """Add the option that names the folder in which things of a kind live, `root` to the command."""
    return click.option(
        f"--{what}",
        "root",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(what),
        envvar=f"GLASSBENCH_{what.upper()}",
        show_default=True,
        help=f"Where {what} live.",
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


def width() -> int:
    """Return how many columns a line may take: those of the terminal, or of `COLUMNS`; piped output is not wrapped."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 10_000
    return max(40, shutil.get_terminal_size().columns)


def wrapped(text: str, *, indent: int = 0, hanging: int | None = None) -> str:
    """Return a text on lines as wide as the terminal.

    Args:
        text: One line.
        indent: Spaces before the first line.
        hanging: Spaces before the others; None for as many.
    """
    first, other = " " * indent, " " * (indent if hanging is None else hanging)
    lines = textwrap.wrap(one_line(text), width(), initial_indent=first, subsequent_indent=other, break_on_hyphens=False)
    return "\n".join(lines)


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in aligned columns, the header in bold on a terminal; where the terminal is too narrow, a block per row."""
    lines = [[one_line(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in lines) for i in range(len(header))]
    if sum(widths) + 2 * (len(widths) - 1) > width():
        _print_blocks(lines[0], lines[1:])
        return
    for position, row in enumerate(lines):
        line = "  ".join(cell.ljust(each) for cell, each in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if position == 0 and sys.stdout.isatty() else line)


def _print_blocks(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each row as a block: its first cell, then the others by the name of their column."""
    if header[0]:
        click.echo(header[0])
    for row in rows:
        click.echo(wrapped(row[0], indent=2, hanging=4))
        for name, cell in zip(header[1:], row[1:], strict=True):
            if cell:
                click.echo(wrapped(f"{name}: {cell}", indent=4, hanging=6))

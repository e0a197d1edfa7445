"""`glassbench clean`."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from glassbench.cleaning import before_and_after, propose
from glassbench.cleaning.proposing import Proposed
from glassbench.cli.options import json_option, open_option, print_json, print_table, registry, runs_option, wrapped
from glassbench.cli.progress import Progress
from glassbench.errors import RunError
from glassbench.experiments.cleaning import CLEANING, CleaningLine
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.printable import printable
from glassbench.report.cleaning_section import cleaning_sentences
from glassbench.report.comparison import difference_row, differences_sentence
from glassbench.report.mitigation_page import change_cells, change_columns
from glassbench.runs.all_runs import find_run
from glassbench.storage.files import storage, write_text


@click.command()
@click.argument("run")
@click.option("--measure", "measures", multiple=True, metavar="NAME", help="A measure to act on whatever its finding says.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="The folder to write to; cleanings/RUN without it.")
@click.option(
    "--apply",
    "cleaning",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A cleaning.yaml: train RUN's experiment again with it, and compare before and after.",
)
@runs_option
@open_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    run: str,
    measures: tuple[str, ...],
    to: Path | None,
    cleaning: Path | None,
    root: Path,
    show: bool,
    as_json: bool,
) -> None:
    """Propose which rows to drop or relabel from what RUN's audits found in the data, for a person to read and edit."""
    plugins, folder = registry(ctx), find_run(run, root).path
    if cleaning is not None:
        observer = SilentObserver() if as_json else Progress(debug=ctx.obj["debug"])
        try:
            done = before_and_after(folder, cleaning, plugins, observer=observer)
        finally:
            if isinstance(observer, Progress):
                observer.close()
        if as_json:
            print_json(done)
        else:
            _print(done)
        if show:
            click.launch(done["page"])
        return
    found = propose(folder, plugins, measures=measures)
    written = None if not found.cleaning.lines else _written(found, to or Path("cleanings") / folder.name)
    if as_json:
        print_json(_told(found, written))
    else:
        _print_proposed(found, written, folder.name)


def _written(found: Proposed, folder: Path) -> Path:
    """Write the cleaning; one that is there, and may have been edited, is never written over."""
    if (folder / CLEANING).exists():
        fix = "name another folder: --to FOLDER"
        raise RunError("there is a cleaning already, which a person may have edited", where=str(folder), fix=fix)
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in reversed(found.cleaning.files().items()):
            write_text(folder / name, text)
    return folder / CLEANING


def counted(lines: Iterable[CleaningLine]) -> list[dict[str, Any]]:
    """Return how many lines of a cleaning do the same, for the same split and measure."""
    counts = Counter((line.split, line.action, line.measure) for line in lines)
    return [{"split": s, "action": a, "measure": m, "rows": rows} for (s, a, m), rows in counts.items()]


def _told(found: Proposed, written: Path | None) -> dict[str, Any]:
    return {
        "cleaning": None if written is None else str(written),
        "version": found.cleaning.version,
        "changes": counted(found.cleaning.lines),
        "aside": found.aside,
    }


def _print_proposed(found: Proposed, written: Path | None, run: str) -> None:
    told = _told(found, written)
    if written is None:
        click.echo("nothing to clean: no finding of concern names single rows")
    else:
        print_table(("split", "action", "for", "rows"), [tuple(str(v) for v in _cells(one)) for one in told["changes"]])
    for name, rows in found.aside.items():
        click.echo(wrapped(f"left aside, for its finding is no concern: {rows:,} rows of {name} (--measure {name})"))
    if written is not None:
        click.echo(f"\n  cleaning: {printable(str(written))}")
        click.echo("  next:     read and edit cleaning.csv beside it, then")
        click.echo(f"            glassbench clean {printable(run)} --apply {printable(str(written))}")


def _cells(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["split"], one["action"], one["measure"], f"{one['rows']:,}"


def _print(found: dict[str, Any]) -> None:
    for line in cleaning_sentences(found["cleaning"]):
        click.echo(wrapped(printable(line)))
    compared = found["comparison"]["differences"][0]
    click.echo(wrapped("\n" + differences_sentence(compared, "after", "before")))
    differing = [difference_row(one, "before", "after")[:5] for one in compared["measures"] if one["difference"]["differs"]]
    if differing:
        click.echo("")
        print_table(("measure", "before", "after", "difference", "p (corrected)"), differing[:20])
    if found["changes"]:
        click.echo("\nwhose decision changed\n")
        print_table(change_columns(found["changes"]), [change_cells(row) for row in found["changes"]])
    click.echo(f"\n  run:  {printable(found['cleaned'])}\n  page: {printable(found['page'])}")

"""`glassbench runs`."""

from pathlib import Path

import click

from glassbench.cli.comparison import print_comparison
from glassbench.cli.options import json_option, open_option, print_json, print_table, registry, runs_option
from glassbench.cli.progress import audit_outcome, print_verdict
from glassbench.cli.run import summary
from glassbench.printable import printable
from glassbench.report import compare, comparison_page
from glassbench.report.wording import outcome_words
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run
from glassbench.runs.drafts import sweep_drafts
from glassbench.runs.index import list_runs
from glassbench.storage.files import write_text


@click.group()
def command() -> None:
    """List, show, compare and tidy up runs."""


@command.command("list")
@click.option("--limit", type=int, help="Show the newest only.")
@runs_option
@json_option
def list_(limit: int | None, root: Path, as_json: bool) -> None:
    """List the runs, newest first."""
    found = list_runs(root, limit)
    if as_json:
        print_json({"runs": found})
        return
    rows = [
        (
            run["run"],
            run["name"],
            run["model"] or "",
            run["state"],
            outcome_words(run["verdict"] or ""),
            *_headline(run["measures"]),
        )
        for run in found
    ]
    if rows:
        print_table(("run", "name", "model", "state", "verdict", "headline"), rows)
    else:
        click.echo(f"no runs under {printable(str(root))}; `glassbench run EXPERIMENT` makes one")


@command.command()
@click.argument("run")
@runs_option
@json_option
@click.pass_context
def show(ctx: click.Context, run: str, root: Path, as_json: bool) -> None:
    """Show what RUN found."""
    folder = find_run(run, root)
    folder.confirm()
    if not folder.done("audit"):
        phases = list(folder.status["phases"])
        if as_json:
            print_json({"run": folder.run, "folder": str(folder.path), "verdict": None, "phases": phases})
        else:
            click.echo(f"{printable(folder.run)} is done up to: {phases[-1]}; `glassbench resume {folder.run}` goes on")
        return
    found = Run(folder, registry(ctx))
    if as_json:
        print_json(summary(found))
        return
    print_verdict(found.verdict, found.gates)
    for result in found.audits:
        click.echo(f"\n{result.audit}: {result.error or audit_outcome(result)}")
        for finding in result.findings:
            click.echo(f"  - {finding.sentence}")


@command.command("compare")
@click.argument("runs", nargs=-1, required=True)
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with pictures here.")
@click.option("--all", "everything", is_flag=True, help="List what does not differ too, and what could not be compared.")
@runs_option
@open_option
@json_option
@click.pass_context
def compare_(
    ctx: click.Context, runs: tuple[str, ...], page: Path | None, everything: bool, root: Path, show: bool, as_json: bool
) -> None:
    """Compare two or more RUNS: every measure that both hold, settings, gates; the first is what the others are held against.

    Measures of runs on the same rows are compared row by row, others by their intervals; p-values are corrected for all of them
    (Holm).

    Example: glassbench runs compare 20261128T2308 latest --html comparison.html
    """
    if len(runs) < 2:
        raise click.UsageError("name at least two runs")
    folders = [_finished(run, root) for run in runs]
    found = compare(folders, registry(ctx))
    page = page or (root / "comparison.html" if show else None)
    if page is not None:
        write_text(page, comparison_page(found))
    if as_json:
        print_json({**found, "page": None if page is None else str(page)})
    else:
        print_comparison(found, everything=everything)
        click.echo(f"\npage: {printable(str(page))}" if page else "\n--html FILE writes a page with pictures")
    if show:
        click.launch(str(page))


def _finished(run: str, root: Path) -> Path:
    """Return the folder of a run whose audits are done and whose files are as they were written."""
    folder = find_run(run, root)
    folder.confirm()
    folder.require("audit")
    return folder.path


@command.command()
@runs_option
@json_option
def sweep(root: Path, as_json: bool) -> None:
    """Remove hidden drafts of runs that were killed while they were created."""
    removed = sweep_drafts(root)
    if as_json:
        print_json({"removed": removed})
    else:
        click.echo("\n".join(f"removed {name}" for name in removed) or f"no drafts under {printable(str(root))}")


def _headline(measures: dict[str, float]) -> tuple[str]:
    for name, value in measures.items():
        if name.startswith("performance."):
            return (f"{name.partition('.')[2]} {value:.3f}",)
    return ("",)

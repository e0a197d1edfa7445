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
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the comparison page here.")
@runs_option
@open_option
@json_option
def compare_(runs: tuple[str, ...], output: Path | None, root: Path, show: bool, as_json: bool) -> None:
    """Compare two or more RUNS: changed settings, paired differences, verdicts."""
    if len(runs) < 2:
        raise click.UsageError("name at least two runs")
    found_runs = [find_run(run, root) for run in runs]
    for folder in found_runs:
        folder.confirm()
    folders = [folder.path for folder in found_runs]
    page = output or root / "comparison.html"
    found = compare(folders)
    write_text(page, comparison_page(found))
    if as_json:
        print_json({**found, "page": str(page)})
    else:
        print_comparison(found)
        click.echo(f"\nall measures: {page}")
    if show:
        click.launch(str(page))


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

"""`glassbench mitigate`."""

from pathlib import Path
from typing import Any

import click

from glassbench.cleaning import propose as propose_cleaning
from glassbench.cli.clean import counted
from glassbench.cli.options import json_option, open_option, print_json, print_table, registry, runs_option, wrapped
from glassbench.errors import RunError
from glassbench.mitigating import mitigate, propose
from glassbench.printable import one_line, printable
from glassbench.registry import Registry
from glassbench.report.mitigation_outcomes import outcome_columns, outcome_rows, outcome_sentence, outcomes
from glassbench.report.mitigation_page import change_cells, change_columns, gap_sentence
from glassbench.runs.all_runs import find_run
from glassbench.studies.trials import Trial


@click.command()
@click.argument("run")
@click.option("--gap", metavar="MEASURE", help="The gap to mend, such as fairness.equalized_odds_difference.")
@click.option("--by", metavar="FEATURES", help="The features whose groups it compares, separated by commas.")
@click.option("--only", multiple=True, metavar="NAME", help="A mitigation to try; may be repeated. Without it, all that fit.")
@click.option("--dry-run", is_flag=True, help="Say what fits and what does not, and train nothing.")
@click.option("--workers", type=click.IntRange(1, 256), help="Runs at work at one time.")
@click.option(
    "--studies",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("studies"),
    envvar="GLASSBENCH_STUDIES",
    show_default=True,
    help="Where studies live.",
)
@runs_option
@open_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    run: str,
    gap: str | None,
    by: str | None,
    only: tuple[str, ...],
    dry_run: bool,
    workers: int | None,
    studies: Path,
    root: Path,
    show: bool,
    as_json: bool,
) -> None:
    """Try mitigations that fit the gap between groups in RUN, on the same rows or episodes, and say what each did to whom."""
    plugins, folder = registry(ctx), find_run(run, root).path
    features = None if by is None else [name.strip() for name in by.split(",")]
    doubted = _doubted(folder, plugins)
    if dry_run:
        _, measure, found = propose(folder, plugins, gap=gap, by=features)
        told = {
            "measure": measure.name,
            "by": list(measure.by or ()),
            "value": measure.value,
            "low": measure.low,
            "high": measure.high,
        }
        listed = [{"name": one.name, "use": dict(one.use), "reason": one.reason} for one in found]
        if as_json:
            print_json({"gap": told, "cleaning": doubted, "proposals": listed})
            return
        _print_doubted(doubted, folder.name)
        click.echo(wrapped(gap_sentence(told)))
        _print_proposals(listed)
        return
    done = mitigate(
        folder,
        plugins,
        gap=gap,
        by=features,
        only=only,
        studies=studies,
        workers=workers,
        told=None if as_json else _say,
    )
    if as_json:
        print_json({**done, "cleaning": doubted})
    else:
        _print_doubted(doubted, folder.name)
        _print(done)
    if show:
        click.launch(done["page"])


def _doubted(folder: Path, plugins: Registry) -> list[dict[str, Any]]:
    """Return which rows a run's audits find fault with beyond those it was cleaned of; none where nothing can be cleaned."""
    try:
        found = propose_cleaning(folder, plugins)
    except RunError:
        return []
    before = found.context.plan.cleaning
    cleaned = {(line.split, line.row) for line in (before.lines if before is not None else ())}
    return counted(line for line in found.cleaning.lines if (line.split, line.row) not in cleaned and line.action != "keep")


def _print_doubted(doubted: list[dict[str, Any]], run: str) -> None:
    """Say which rows the run's audits find fault with, as a gap measured on them may be that of the data."""
    if not doubted:
        return
    parts = ", ".join(f"{one['rows']:,} {one['split']} rows to {one['action']} ({one['measure']})" for one in doubted)
    words = f"The audits find fault with rows of the data, which may make the gap or hide it: {parts}. Clean them first:"
    click.echo(wrapped(printable(words)))
    click.echo(f"  glassbench clean {printable(run)}\n")


def _say(trial: Trial, error: str | None) -> None:
    words = "done" if error is None else f"failed: {error.splitlines()[0]}"
    used = trial.settings["mitigations"]
    name = used[0]["use"].rpartition("/")[2] if used else "no mitigation"
    click.echo(one_line(f"{name}: {words}"), err=True)


def _print(found: dict[str, Any]) -> None:
    tried = outcomes(found)
    click.echo(wrapped(f"{gap_sentence(found['gap'])} {printable(outcome_sentence(found, tried))}"))
    click.echo(f"\nafter minus before, on the same {found['same']}:\n")
    print_table(outcome_columns(found), outcome_rows(found, tried))
    for one in [one for one in tried if one.narrows] or tried[:1]:
        changes = found["changes"][one.place - 1]["changes"]
        if changes:
            click.echo(f"\nwhose decision changed: {printable(one.label)}\n")
            print_table(change_columns(changes), [change_cells(row) for row in changes])
    if len(tried) > 1:
        click.echo(
            wrapped(f"\nThe best of several looks better than it is: judge the one that you choose on fresh {found['same']}.")
        )
    refused = [one for one in found["proposals"] if one["reason"]]
    if refused:
        click.echo("")
        _print_proposals(refused)
    for run, message in found["failures"].items():
        click.echo(one_line(f"failed: {run}: {message}"))
    click.echo(f"\n  page: {printable(found['page'])}")


def _print_proposals(listed: list[dict[str, Any]]) -> None:
    for one in listed:
        words = f"does not fit: {one['reason']}" if one["reason"] else "fits"
        click.echo(wrapped(printable(f"{one['name']}: {words}"), hanging=2))

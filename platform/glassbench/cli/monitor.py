"""`glassbench monitor`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, open_option, print_json, registry, runs_option, wrapped
from glassbench.monitoring import MonitorState
from glassbench.monitoring.decisions import Columns
from glassbench.report.monitoring_page import changes_in_words, estimate_in_words
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@click.argument("rows", type=click.Path(path_type=Path), required=False)
@click.option("--truth", metavar="COL", help="Column of what was true; without it, the target's column where there is one.")
@click.option("--decision", metavar="COL", help="Column of what was decided elsewhere; without it, the run's model decides.")
@click.option("--score", metavar="COL", help="Column of the positive class's probability, beside --decision.")
@click.option("--cluster", metavar="COL", help="Column of what each row belongs to; each cluster counts once.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="A change of the error that still counts as holding.",
)
@runs_option
@open_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    run: str,
    rows: Path | None,
    truth: str | None,
    decision: str | None,
    score: str | None,
    cluster: str | None,
    tolerance: float,
    root: Path,
    show: bool,
    as_json: bool,
) -> int:
    """Compare the new rows of the file ROWS with the held-out rows of RUN; without ROWS, show the state so far.

    Looking often costs nothing: sequences are valid at every look. Exit codes: 0 holds, 1 a change is certain, 2 something is
    wrong with what was asked, 3 too few rows.
    """
    if score is not None and decision is None:
        raise click.UsageError("--score goes with --decision")
    monitor = Run(find_run(run, root), registry(ctx)).monitoring(tolerance=tolerance)
    columns = Columns(truth=truth, decision=decision, score=score, cluster=cluster)
    state = monitor.state if rows is None else monitor.look_at_file(rows, columns)
    if as_json:
        print_json({**state.to_json(), "report": str(monitor.history.report)})
    else:
        _say(state, monitor.history.report)
    if show:
        click.launch(str(monitor.history.report))
    return state.exit_code


def _say(state: MonitorState, report: Path) -> None:
    content, colour = state.to_json(), {"holds": "green", "changed": "red", "too few rows": "yellow"}[state.verdict]
    click.echo(f"{click.style(state.verdict.upper(), fg=colour, bold=True)} {state.run}, look {len(state.history)}")
    click.echo(wrapped(state.reason, indent=2))
    known = f", {state.truths:,} with a truth" if state.truths else ""
    click.echo(wrapped(f"{state.rows:,} new rows{known}, {state.reference_rows:,} rows of the run", indent=2))
    for sentence in changes_in_words(content)[:5]:
        click.echo(wrapped(f"- {sentence}", indent=2, hanging=4))
    estimate = estimate_in_words(content)
    if estimate is not None:
        click.echo(wrapped(estimate, indent=2))
    for note in state.notes:
        click.echo(wrapped(f"note: {note}", indent=2, hanging=4))
    click.echo(wrapped(f"report: {report}", indent=2))

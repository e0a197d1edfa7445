"""`glassbench report`."""

from pathlib import Path

import click

from glassbench.cli.options import accept_option, json_option, open_option, print_json, runs_option
from glassbench.cli.worked import worked


@click.command()
@click.argument("run")
@runs_option
@click.option("--summary", is_flag=True, help="Name the two-page summary for a committee, summary.html, instead of the report.")
@open_option
@accept_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, root: Path, summary: bool, show: bool, accept: bool, as_json: bool) -> None:
    """Render the report of RUN, and its summary, again from its files."""
    found = worked(ctx, run, root, lambda run: run.render(), as_json=True, accept=accept)
    page = found.summary if summary else found.report
    if as_json:
        print_json({"run": found.folder.name, "report": str(found.report), "summary": str(found.summary)})
    else:
        click.echo(page)
    if show:
        click.launch(str(page))

"""`glassbench report`."""

from pathlib import Path

import click

from glassbench.cli.options import accept_option, json_option, open_option, print_json, runs_option
from glassbench.cli.worked import worked


@click.command()
@click.argument("run")
@runs_option
@open_option
@accept_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, root: Path, show: bool, accept: bool, as_json: bool) -> None:
    """Render the report of RUN again from its files."""
    found = worked(ctx, run, root, lambda run: run.render(), as_json=True, accept=accept)
    if as_json:
        print_json({"run": found.folder.name, "report": str(found.report)})
    else:
        click.echo(found.report)
    if show:
        click.launch(str(found.report))

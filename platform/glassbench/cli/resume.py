"""`glassbench resume`."""

from pathlib import Path

import click

from glassbench.cli.options import accept_option, json_option, open_option, runs_option
from glassbench.cli.run import conclude
from glassbench.cli.worked import worked


@click.command()
@click.argument("run")
@runs_option
@open_option
@accept_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, root: Path, show: bool, accept: bool, as_json: bool) -> int:
    """Go on with RUN (a folder, an id or its start, or `latest`) where it was stopped."""
    return conclude(worked(ctx, run, root, lambda found: found.resume(), as_json=as_json, accept=accept), show, as_json)

"""`glassbench audit`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, open_option, runs_option
from glassbench.cli.run import conclude
from glassbench.cli.worked import worked


@click.command()
@click.argument("run")
@click.option("--only", multiple=True, metavar="AUDIT", help="Do this audit alone again; may be repeated.")
@runs_option
@open_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, only: tuple[str, ...], root: Path, show: bool, as_json: bool) -> int:
    """Audit RUN again and render its report; nothing is retrained."""
    return conclude(worked(ctx, run, root, as_json, lambda found: found.audit(only)), show, as_json)

"""`glassbench verify`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, runs_option
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@runs_option
@json_option
def command(run: str, root: Path, as_json: bool) -> int:
    """Check the files of RUN against its manifest; exit code 1 when something differs."""
    folder = find_run(run, root)
    damage = folder.damage()
    if not damage:
        folder.require("report")
    if as_json:
        print_json({"run": folder.run, "intact": not damage, "differences": damage})
    else:
        click.echo("\n".join(damage) or f"intact: {len(folder.manifest())} files as recorded")
    return 1 if damage else 0

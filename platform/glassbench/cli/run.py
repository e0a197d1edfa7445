"""`glassbench run`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from glassbench import api
from glassbench.cli.closed_pipe import unread
from glassbench.cli.options import json_option, open_option, print_json, registry, runs_option
from glassbench.cli.progress import Progress, print_verdict
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.printable import printable
from glassbench.run_handle import Run


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@runs_option
@open_option
@json_option
@click.pass_context
def command(ctx: click.Context, experiment: Path, overrides: tuple[str, ...], root: Path, show: bool, as_json: bool) -> int:
    """Train, audit and report EXPERIMENT; KEY=VALUE overrides a setting, as in model.hidden=[64,64]."""
    observer = SilentObserver() if as_json else Progress(debug=ctx.obj["debug"])
    try:
        done = api.run(experiment, overrides=overrides, runs=root, registry=registry(ctx), observer=observer)
    finally:
        if isinstance(observer, Progress):
            observer.close()
    return conclude(done, show, as_json)


def conclude(done: Run, show: bool, as_json: bool) -> int:
    """Print what a finished run came to, open its report on request, and return its exit code."""
    with unread():
        if as_json:
            print_json(summary(done))
        else:
            print_verdict(done.verdict, done.gates)
            click.echo(f"  report: {printable(str(_short(done.report)))}")
    if show:
        click.launch(str(done.report))
    return done.exit_code


def summary(done: Run) -> dict[str, Any]:
    """Return what `--json` prints of a run."""
    return {
        "run": done.folder.name,
        "folder": str(done.folder),
        "verdict": done.verdict,
        "exit_code": done.exit_code,
        "report": str(done.report),
        "gates": done.gates,
        "treatments": done.treatments,
        "measures": [asdict(measure) for measure in done.measures],
    }


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if sys.stdout.isatty() and path.is_relative_to(Path.cwd()) else path

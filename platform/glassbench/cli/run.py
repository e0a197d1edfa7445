"""`glassbench run`."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from glassbench import api
from glassbench.cli.closed_pipe import unread
from glassbench.cli.options import json_option, open_option, print_json, registry, runs_option, wrapped
from glassbench.cli.progress import Progress, print_verdict
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.printable import printable
from glassbench.report.notebook import worst_findings
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
            print_findings(done)
            click.echo(f"  report: {printable(str(_short(done.report)))}")
            click.echo(f"  next:   {next_command(done)}")
    if show:
        click.launch(str(done.report))
    return done.exit_code


def print_findings(done: Run) -> None:
    """Print the three gravest findings that say something is wrong or not known, wrapped to the terminal."""
    for grade, sentence in worst_findings(done.audits):
        click.echo(wrapped(f"{grade}: {sentence}", indent=2, hanging=4))


def next_command(done: Run) -> str:
    """Return the command that tells more of a run: its findings, or what to set where it has no gates."""
    name = printable(done.folder.name)
    root = "" if done.folder.parent == Path("runs").absolute() else f" --runs {shlex.quote(printable(str(done.folder.parent)))}"
    return f"glassbench runs show {name}{root}"


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

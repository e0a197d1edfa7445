"""Work on an existing run while a person watches."""

from collections.abc import Callable
from pathlib import Path

import click

from glassbench.cli.options import registry
from glassbench.cli.progress import Progress
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run


def worked(ctx: click.Context, run: str, root: Path, work: Callable[[Run], object], *, as_json: bool, accept: bool) -> Run:
    """Find a run by name, do `work` to it with progress shown unless JSON is asked for, and return it."""
    folder = find_run(run, root)
    observer = SilentObserver() if as_json else Progress(debug=ctx.obj["debug"])
    found = Run(folder, registry(ctx), observer, accept_changes=accept)
    try:
        work(found)
    finally:
        if isinstance(observer, Progress):
            observer.close()
    return found

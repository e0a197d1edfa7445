"""`glassbench view`."""

from pathlib import Path

import click

from glassbench.cli.options import open_option, registry, runs_option
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run
from glassbench.viewer import RunServer


@click.command()
@click.argument("run")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="The port; 0 takes a free one.")
@runs_option
@open_option
@click.pass_context
def command(ctx: click.Context, run: str, port: int, root: Path, show: bool) -> None:
    """Serve the folder of RUN on this machine's own address alone, until interrupted.

    The page what-if shows a held-out row of a table and what the model says of it when cells are changed. Nothing is written.
    """
    found = Run(find_run(run, root), registry(ctx))
    found.confirm()
    with RunServer(found, port) as server:
        click.echo(server.address)
        click.echo(server.address.replace("report.html", "what-if"))
        if show:
            click.launch(server.address)
        server.serve_forever()

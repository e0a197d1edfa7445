"""`glassbench serve`."""

from pathlib import Path

import click

from glassbench.cli.options import registry, runs_option
from glassbench.export.packages import need
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME:PORT", help="A further name it answers to; may be repeated."
)
@runs_option
@click.pass_context
def command(ctx: click.Context, run: str, host: str, port: int, allowed: tuple[str, ...], root: Path) -> None:
    """Serve the model of RUN: POST raw rows to /predict; /openapi.json describes them.

    It listens on this machine's own address alone unless --host says otherwise, and asks for no password.
    """
    need("serve")
    from glassbench.serving.server import serve  # needs packages of an extra

    found = Run(find_run(run, root), registry(ctx))
    serve(found, host, port, allowed, lambda address: click.echo(f"{address}/predict"))

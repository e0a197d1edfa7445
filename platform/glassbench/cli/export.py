"""`glassbench export`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, registry, runs_option
from glassbench.export.packages import need
from glassbench.printable import printable
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@click.option("--to", "form", required=True, metavar="FORM", help="onnx, torch-export or scorer.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The new folder; RUN-FORM unless given.")
@runs_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, form: str, output: Path | None, root: Path, as_json: bool) -> None:
    """Export the model of RUN with its preprocessing: raw rows in, predictions out, without Glassbench.

    A scorer is a folder that needs NumPy and ONNX Runtime alone. Every export is held against the run's own predictions on made
    rows before it is written.
    """
    need("export")
    from glassbench.export.export_run import export_run  # needs packages of an extra

    found = Run(find_run(run, root), registry(ctx))
    done = export_run(found, form, output or Path(f"{found.folder.name}-{form}"))
    said = done.agreement
    if as_json:
        print_json({"run": found.folder.name, "folder": str(done.folder), "form": form, "agreement": said.to_json()})
        return
    click.echo(printable(str(done.folder)))
    apart = "equal to the last digit" if said.largest_difference == 0 else f"{said.largest_difference:.1g} apart at most"
    click.echo(f"{done.size / 1e6:.2g} MB; {said.rows:,} made rows predicted by the export and by the run: {apart}")

"""`glassbench predict`."""

from pathlib import Path

import click

from glassbench.api import Run
from glassbench.cli.options import json_option, print_json, registry, runs_option
from glassbench.files import write_file
from glassbench.runs import find_run


@click.command()
@click.argument("run")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write a CSV or Parquet file instead of printing.")
@runs_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, rows: Path, output: Path | None, root: Path, as_json: bool) -> None:
    """Decide the raw rows of the CSV or Parquet file ROWS with the model of RUN."""
    found = Run(find_run(run, root), registry(ctx))
    decided = found.predict(found.read_rows(rows))
    if output is not None:
        parquet = output.suffix == ".parquet"
        write_file(output, lambda path: decided.to_parquet(path) if parquet else decided.to_csv(path, index=False))
        if as_json:
            print_json({"run": run, "output": str(output), "rows": len(decided)})
    elif as_json:
        print_json({"run": run, "predictions": decided.to_dict(orient="records")})
    else:
        click.echo(decided.to_csv(index=False), nl=False)

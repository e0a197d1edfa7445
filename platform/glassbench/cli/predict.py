"""`glassbench predict`."""

from pathlib import Path

import click
import pandas as pd

from glassbench.api import Run
from glassbench.cli.options import json_option, print_json, registry, runs_option
from glassbench.csv_text import csv_text
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
        write_file(output, lambda path: _save(decided, path, parquet=output.suffix == ".parquet"))
        if as_json:
            print_json({"run": found.folder.name, "output": str(output), "rows": len(decided)})
    elif as_json:
        print_json({"run": found.folder.name, "predictions": decided.to_dict(orient="records")})
    else:
        click.echo(csv_text(decided), nl=False)


def _save(decided: pd.DataFrame, path: Path, *, parquet: bool) -> None:
    if parquet:
        decided.to_parquet(path)
    else:
        path.write_text(csv_text(decided), encoding="utf-8")

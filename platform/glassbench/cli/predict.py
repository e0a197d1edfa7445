"""`glassbench predict`."""

from pathlib import Path

import click
import pandas as pd

from glassbench.api import Run
from glassbench.cli.options import json_option, print_json, registry, runs_option
from glassbench.errors import DataError
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
    decided = Run(find_run(run, root), registry(ctx)).predict(read_rows(rows))
    if output is not None:
        parquet = output.suffix == ".parquet"
        write_file(output, lambda path: decided.to_parquet(path) if parquet else decided.to_csv(path, index=False))
    elif as_json:
        print_json({"run": run, "predictions": decided.to_dict(orient="records")})
    else:
        click.echo(decided.to_csv(index=False), nl=False)


def read_rows(path: Path) -> pd.DataFrame:
    """Read raw rows.

    Raises:
        DataError: The file is missing, empty or not a table.
    """
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, skipinitialspace=True)
    except FileNotFoundError as error:
        raise DataError("there is no such file", got=str(path)) from error
    except (ValueError, OSError) as error:
        raise DataError("the rows cannot be read", got=str(error).splitlines()[0], where=str(path)) from error
    if frame.empty:
        raise DataError("there are no rows to decide", where=str(path))
    return frame

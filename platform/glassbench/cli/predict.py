"""`glassbench predict`."""

import dataclasses
from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, registry, runs_option
from glassbench.printable import printable
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run
from glassbench.storage.csv_text import csv_text
from glassbench.storage.frame_files import check_writable, write_frame


@click.command()
@click.argument("run")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write a file instead of printing: .csv, .tsv, .parquet, .jsonl."
)
@click.option("--strict", is_flag=True, help="Refuse rows with cells that the training rows did not have.")
@runs_option
@json_option
@click.pass_context
def command(ctx: click.Context, run: str, rows: Path, output: Path | None, strict: bool, root: Path, as_json: bool) -> None:
    """Decide the raw rows of the file ROWS with the model of RUN, and say what in them the training rows did not have."""
    if output is not None:
        check_writable(output)
    found = Run(find_run(run, root), registry(ctx))
    raw = found.read_rows(rows)
    decided = found.predict(raw, strict=strict)
    unusual = found.unusual(raw)
    for one in unusual:
        click.echo(printable(f"note: {one}"), err=True)
    said = {"run": found.folder.name, "unusual": [dataclasses.asdict(one) for one in unusual]}
    if output is not None:
        write_frame(decided, output)
        if as_json:
            print_json({**said, "output": str(output), "rows": len(decided)})
    elif as_json:
        print_json({**said, "predictions": decided.to_dict(orient="records")})
    else:
        click.echo(csv_text(decided), nl=False)

"""`glassbench inspect`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, registry
from glassbench.errors import DataError, GlassbenchError, shorten, suggest
from glassbench.inspection import ColumnFacts, Inspection
from glassbench.starting_table import look

_WIDTH = 80
_ENDINGS = (".csv", ".tsv", ".txt", ".data", ".parquet", ".pq", ".xlsx", ".xlsm", ".zip", ".gz", ".bz2", ".xz")
_NAME, _KIND, _NUMBER, _SHOWN_COLUMNS = 24, 10, 8, 60


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dataset", default="table", show_default=True, help="The data set that would read FILE.")
@json_option
@click.pass_context
def command(ctx: click.Context, file: Path, dataset: str, as_json: bool) -> None:
    """Say how FILE is written, what its columns hold and what would happen to them; a folder: of each file in it."""
    found = registry(ctx)
    files = files_of(file)
    seen: list[Inspection] = []
    failed: dict[str, str] = {}
    for one in files:
        try:
            seen.append(look(found, one, dataset))
        except GlassbenchError as error:
            if len(files) == 1:
                raise
            failed[one.name] = error.problem
    if as_json:
        single = seen[0].to_json() if file.is_file() else {"files": [one.to_json() for one in seen], "failed": failed}
        print_json(single)
        return
    for place, inspection in enumerate(seen):
        click.echo(("\n" if place else "") + "\n".join(lines_of(inspection)))
    for name, problem in failed.items():
        click.echo(f"\n{name}: {problem}")


def files_of(path: Path) -> list[Path]:
    """Return a file, or the files of a folder that may hold tables.

    Raises:
        DataError: There is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        beside = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        raise DataError("there is no such file", got=str(path), where="FILE", fix=suggest(path.name, beside))
    found = sorted(entry for entry in path.iterdir() if entry.is_file() and entry.suffix.lower() in _ENDINGS)
    if not found:
        fix = f"name a file that ends in {', '.join(_ENDINGS[:6])}, ..."
        raise DataError("the folder holds no file of a table", got=str(path), where="FILE", fix=fix)
    return found


def lines_of(inspection: Inspection) -> list[str]:
    """Return an inspection in lines of 80 characters."""
    lines = [f"{inspection.path}: {inspection.rows:,} rows, {len(inspection.columns):,} columns"]
    lines += [f"  {name:14} {value}" for name, value in inspection.file.items()]
    lines += [f"  {'duplicates':14} {inspection.duplicates:,} rows are equal to an earlier one"]
    head = f"{'column':{_NAME}} {'kind':{_KIND}} {'missing':>{_NUMBER}} {'distinct':>{_NUMBER}}  example"
    lines += ["", head]
    lines += [_row(column, inspection.rows) for column in inspection.columns[:_SHOWN_COLUMNS]]
    if len(inspection.columns) > _SHOWN_COLUMNS:
        lines.append(f"... and {len(inspection.columns) - _SHOWN_COLUMNS:,} more columns; --json shows all")
    left_out = [column for column in inspection.columns if column.use != "input"]
    lines += ["", *(_wrapped(f"left out: {c.name}, {c.kind}: {c.reason}") for c in left_out[:_SHOWN_COLUMNS])] if left_out else []
    lines += ["", *_purposes(inspection)]
    if inspection.problems:
        lines += ["", "to know:", *(_wrapped(f"- {problem}", "  ") for problem in inspection.problems)]
    return lines


def _row(column: ColumnFacts, rows: int) -> str:
    missing = f"{100 * column.missing / rows:.1f} %" if rows and column.missing else "0"
    text = f"{_cut(column.name, _NAME):{_NAME}} {column.kind:{_KIND}} {missing:>{_NUMBER}} {column.distinct:>{_NUMBER},}  "
    return (text + _cut(column.example, _WIDTH - len(text))).rstrip()


def _purposes(inspection: Inspection) -> list[str]:
    lines = []
    for purpose in ("target", "sensitive feature", "a person's id", "identifier", "date"):
        names = [column.name for column in inspection.columns if purpose in column.looks_like]
        if names:
            lines.append(_wrapped(f"looks like {purpose}: {shorten(names, 10)}"))
    targets = [column.name for column in inspection.columns if "target" in column.looks_like]
    named = targets[-1] if targets else "COLUMN"
    return [*lines, "", _wrapped(f"next: glassbench init '{inspection.path}' --target '{named}'")]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _wrapped(text: str, indent: str = "") -> str:
    return click.wrap_text(text, _WIDTH - 1, initial_indent=indent, subsequent_indent=indent + "  ")

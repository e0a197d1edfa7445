"""`glassbench inspect`."""

from pathlib import Path

import click

from glassbench.cli.inspection_lines import folder_lines, lines_of
from glassbench.cli.options import json_option, print_json, registry
from glassbench.errors import DataError, GlassbenchError, suggest
from glassbench.experiments.folder_inspection import FolderInspection
from glassbench.experiments.inspection import Inspection
from glassbench.experiments.starting_folder import look_into, reader_beside_table, reader_of
from glassbench.experiments.starting_table import look
from glassbench.registry import Registry

_ENDINGS = (".csv", ".tsv", ".txt", ".data", ".parquet", ".pq", ".xlsx", ".xlsm", ".zip", ".gz", ".bz2", ".xz")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dataset", help="The data set that would read FILE; what fits it unless given.")
@json_option
@click.pass_context
def command(ctx: click.Context, file: Path, dataset: str | None, as_json: bool) -> None:
    """Say how FILE is written, what its columns hold and what would happen to them.

    A folder: of each table in it, or how many images, sounds or texts of which classes it holds.
    """
    found = registry(ctx)
    folder = folder_of(found, file, dataset)
    if folder is not None:
        if as_json:
            print_json(folder.to_json())
        else:
            click.echo("\n".join(folder_lines(folder)))
        return
    files = files_of(file)
    seen: list[Inspection] = []
    failed: dict[str, str] = {}
    for one in files:
        try:
            seen.append(look(found, one, dataset or "table"))
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


def folder_of(found: Registry, path: Path, dataset: str | None, target: str | None = None) -> FolderInspection | None:
    """Return what a folder of images, sounds or texts holds; None for a file, and for a folder of tables.

    Args:
        found: The plugins.
        path: The file or folder.
        dataset: The data set that would read it; None for what fits it.
        target: The column of classes of a table in the folder, where a person named it.
    """
    if not path.is_dir():
        return None
    reader = reader_of(found, path, _ENDINGS) if dataset is None else dataset
    if reader is not None:
        return None if reader == "table" else look_into(found, path, reader, target)
    reader = reader_beside_table(found, path, _ENDINGS)
    try:
        return None if reader is None else look_into(found, path, reader, target)
    except DataError as error:
        if error.where == "dataset.path":  # no table names these files: they are tables themselves
            return None
        raise


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
        fix = f"name a file that ends in {', '.join(_ENDINGS[:6])}, ..., or a folder with a folder of files for each class"
        raise DataError("the folder holds no file of a table", got=str(path), where="FILE", fix=fix)
    return found

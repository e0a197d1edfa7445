"""`glassbench init`."""

from pathlib import Path

import click

from glassbench.cli.inspect import files_of, folder_of
from glassbench.cli.options import json_option, print_json, registry
from glassbench.errors import GlassbenchError
from glassbench.experiments.experiment_file import parse_document
from glassbench.experiments.planning import make_plan
from glassbench.experiments.starting_file import starting_file
from glassbench.experiments.starting_folder import folder_experiment
from glassbench.experiments.starting_table import look, table_experiment
from glassbench.pipeline.run_data import read_data
from glassbench.registry import Registry
from glassbench.storage.files import write_text

_EXPERIMENTS = (".yaml", ".yml")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("experiment.yaml"))
@click.option("--target", help="The column of a data FILE to be predicted; A,B for several yes/no columns, which are labels.")
@click.option("--sensitive", default="", metavar="A,B", help="Columns of a data FILE to audit by.")
@click.option("--task", help="The learning problem; what fits the target, or classification.")
@click.option("--dataset", help="The data set; what fits a data FILE or folder, else diabetes.")
@click.option("--model", help="The model; hist-gradient-boosting for a data FILE, a small network for a folder, else mlp.")
@click.option("--output", type=click.Path(path_type=Path), help="What to write for a data FILE; experiment.yaml unless given.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    target: str | None,
    sensitive: str,
    task: str | None,
    dataset: str | None,
    model: str | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a commented starting experiment: to FILE.yaml, or to experiment.yaml for a data FILE.

    A data FILE is a table (CSV, Parquet, Excel) or a folder with a folder of images, sounds or texts for each class.
    """
    found = registry(ctx)
    written = file if file.suffix in _EXPERIMENTS else output or Path("experiment.yaml")
    if written.exists() and not force:
        raise GlassbenchError("the file is there already", got=str(written), fix="choose another name, or --force")
    if file.suffix in _EXPERIMENTS:
        _refuse_columns(target, sensitive)
        text = starting_file(found, dataset=dataset or "diabetes", task=task or "classification", model=model or "mlp")
        if "# required" not in text:  # what a person must fill in cannot be checked yet
            check_starting_file(text, found)
    else:
        features = [name.strip() for name in sensitive.split(",") if name.strip()]
        text = _for_data(found, file, target=target, sensitive=features, task=task, dataset=dataset, model=model)
    write_text(written, text)
    if as_json:
        print_json({"file": str(written)})
    else:
        click.echo(f"wrote {written}; next: glassbench run {written}")


def check_starting_file(text: str, found: Registry) -> None:
    """Make sure that a starting file can be planned, so that nothing is written that cannot run."""
    make_plan(parse_document(text, "the starting file"), found)


def _for_data(
    found: Registry,
    file: Path,
    *,
    target: str | None,
    sensitive: list[str],
    task: str | None,
    dataset: str | None,
    model: str | None,
) -> str:
    """Return an experiment on a file or folder of data whose plan holds on the data."""
    folder = folder_of(found, file, dataset, target)
    if folder is not None:
        text = folder_experiment(folder, target=target, sensitive=sensitive, task=task, model=model)
    else:
        reader = dataset or "table"
        inspection = look(found, _only(file) if file.is_dir() else files_of(file)[0], reader)
        text = table_experiment(found, inspection, dataset=reader, target=target, sensitive=sensitive, task=task, model=model)
    read_data(make_plan(parse_document(text, "the starting file"), found))
    return text


def _only(folder: Path) -> Path:
    files = files_of(folder)
    if len(files) > 1:
        names = [file.name for file in files]
        raise GlassbenchError("the folder holds several tables", got=str(folder), available=names, fix="name one of them")
    return files[0]


def _refuse_columns(target: str | None, sensitive: str) -> None:
    if target or sensitive:
        fix = "name a CSV, Parquet or Excel file: glassbench init FILE --target COLUMN"
        raise GlassbenchError("--target and --sensitive name columns of a data file", got="an experiment's file", fix=fix)

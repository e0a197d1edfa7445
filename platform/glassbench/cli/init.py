"""`glassbench init`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, registry
from glassbench.errors import GlassbenchError
from glassbench.experiment_file import parse_document
from glassbench.files import write_text
from glassbench.planning import make_plan
from glassbench.registry import Registry
from glassbench.starting_file import starting_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("experiment.yaml"))
@click.option("--task", default="classification", show_default=True, help="The learning problem.")
@click.option("--dataset", default="diabetes", show_default=True, help="The data set.")
@click.option("--model", default="mlp", show_default=True, help="The model.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@json_option
@click.pass_context
def command(ctx: click.Context, file: Path, task: str, dataset: str, model: str, force: bool, as_json: bool) -> None:
    """Write a commented starting experiment to FILE."""
    if file.exists() and not force:
        raise GlassbenchError("the file is there already", got=str(file), fix="choose another name, or --force")
    found = registry(ctx)
    text = starting_file(found, dataset=dataset, task=task, model=model)
    if "# required" not in text:  # what a person must fill in cannot be checked yet
        check_starting_file(text, found)
    write_text(file, text)
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(f"wrote {file}; next: glassbench run {file}")


def check_starting_file(text: str, found: Registry) -> None:
    """Make sure that a starting file can be planned, so that nothing is written that cannot run."""
    make_plan(parse_document(text, "the starting file"), found)

"""`glassbench init`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, registry
from glassbench.errors import GlassbenchError
from glassbench.files import write_text
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
    write_text(file, starting_file(registry(ctx), dataset=dataset, task=task, model=model))
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(f"wrote {file}; next: glassbench run {file}")

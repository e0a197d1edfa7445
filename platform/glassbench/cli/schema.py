"""`glassbench schema`."""

import click

from glassbench.cli.options import json_option, print_json, registry
from glassbench.experiments.experiment_schema import experiment_schema


@click.command()
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Print the JSON Schema of experiment files with everything installed, for editors to complete and check."""
    print_json(experiment_schema(registry(ctx)))

"""`glassbench schema`."""

from pathlib import Path
from typing import Any

import click

from glassbench.cli.options import json_option, print_json, registry
from glassbench.errors import GlassbenchError
from glassbench.experiments.experiment_schema import experiment_schema
from glassbench.storage.files import read_object


@click.command()
@click.option("--check", type=click.Path(path_type=Path), help="Print nothing, and fail where this file holds another schema.")
@json_option
@click.pass_context
def command(ctx: click.Context, check: Path | None, as_json: bool) -> None:
    """Print the JSON Schema of experiment files with everything installed, for editors to complete and check."""
    schema = experiment_schema(registry(ctx))
    if check is None:
        print_json(schema)
    else:
        check_schema(check, schema)


def check_schema(path: Path, schema: dict[str, Any]) -> None:
    """Make sure that a file holds the schema of this installation.

    Args:
        path: The file.
        schema: The schema.

    Raises:
        GlassbenchError: It holds another one.
    """
    kept = read_object(path)
    if kept == schema:
        return
    differing = sorted({*kept, *schema} - {key for key in kept if kept.get(key) == schema.get(key)})
    parts = {part: {*kept.get(part, {}), *schema.get(part, {})} for part in ("properties", "definitions")}
    named = [
        name for part, names in parts.items() for name in sorted(names) if kept.get(part, {}).get(name) != schema[part].get(name)
    ]
    raise GlassbenchError(
        "the file does not hold the schema of this installation",
        where=str(path),
        got=f"differences in {', '.join((named or differing)[:10])}",
        fix=f"glassbench schema > {path}",
    )

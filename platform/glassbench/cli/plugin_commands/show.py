"""`glassbench plugins show`."""

import click

from glassbench.cli.component_page import describe, text
from glassbench.cli.options import json_option, print_json
from glassbench.errors import ComponentError, suggest
from glassbench.registry import Registry


@click.command()
@click.argument("name")
@json_option
@click.pass_context
def command(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show the component NAME: its settings with types and defaults, and what its docstring says."""
    found = Registry(blocked=ctx.obj["blocked"])
    matches = [c for c in found.components if name in (c.spec.name, c.canonical, f"{c.spec.kind}/{c.spec.name}")]
    if not matches:
        names = sorted({c.spec.name for c in found.components})
        raise ComponentError(f"no component is named '{name}'", got=name, available=names, fix=suggest(name, names))
    pages = [describe(component) for component in matches]
    if as_json:
        print_json({"components": pages})
    else:
        click.echo("\n\n".join(text(page) for page in pages))

"""`glassbench plugins list`."""

from dataclasses import asdict
from typing import Any

import click

from glassbench.cli.options import json_option, print_json, print_table
from glassbench.registry import Component, Registry
from glassbench.specs import KINDS


@click.command()
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List every plugin with its status, and every component by kind."""
    found = Registry(blocked=ctx.obj["blocked"])
    if as_json:
        print_json({"plugins": [asdict(p) for p in found.plugins], "components": [_facts(c) for c in found.components]})
        return
    rows = [(p.name, p.distribution, p.version, p.status, f"{p.seconds * 1000:.1f} ms", p.reason or "") for p in found.plugins]
    print_table(("plugin", "distribution", "version", "status", "load", "note"), rows)
    for kind in KINDS:
        components = found.of_kind(kind)
        if components:
            click.echo(f"\n{kind}s")
        for component in components:
            click.echo(f"  {component.spec.name:24} {component.spec.summary}")


def _facts(component: Component) -> dict[str, Any]:
    spec = asdict(component.spec)
    return {"kind": component.spec.kind, "canonical": component.canonical, "plugin": component.plugin, **spec}

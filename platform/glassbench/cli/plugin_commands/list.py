"""`glassbench plugins list`."""

from dataclasses import asdict
from typing import Any

import click

from glassbench.cli.options import json_option, print_json, print_table, wrapped
from glassbench.contracts.specs import KINDS
from glassbench.printable import quoted
from glassbench.registry import Component, Registry


@click.command()
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice(list(KINDS)), help="Components of this kind alone.")
@click.option("--default", is_flag=True, help="Audits that an experiment gets which names none.")
@click.option("--origin", metavar="DISTRIBUTION", help="What this distribution brings; glassbench for the built-in ones.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, words: tuple[str, ...], kind: str | None, default: bool, origin: str | None, as_json: bool
) -> None:
    """List every plugin with its status, and every component by kind; with WORDS those alone whose name or summary holds them.

    Example: glassbench plugins list --kind model forest
    """
    found = Registry(blocked=ctx.obj["blocked"])
    plugins = found.plugins if origin is None else found.brought_by(origin)
    components = [c for c in found.components if kind in (None, c.spec.kind) and origin in (None, c.distribution)]
    components = [c for c in components if not default or getattr(c.spec, "default", False)]
    components = [c for c in components if all(word.lower() in f"{c.canonical} {c.spec.summary}".lower() for word in words)]
    if as_json:
        print_json({"plugins": [asdict(p) for p in plugins], "components": [_facts(c) for c in components]})
        return
    if kind is None and not default and not words:
        rows = [(p.name, p.distribution, p.version, p.status, f"{p.seconds * 1000:.1f} ms", p.reason or "") for p in plugins]
        print_table(("plugin", "distribution", "version", "status", "load", "note"), rows)
    for each in KINDS:
        shown = sorted((c for c in components if c.spec.kind == each), key=lambda c: c.canonical)
        if shown:
            click.echo(f"\n{each}s ({len(shown)})")
        for component in shown:
            name = component.spec.name if component.built_in else component.canonical
            column = f"  {name:24} "
            click.echo(column + wrapped(component.spec.summary, indent=len(column)).lstrip())
    if words and not components:
        click.echo(f"no component holds {' and '.join(map(quoted, words))}; `glassbench plugins list` lists all")


def _facts(component: Component) -> dict[str, Any]:
    spec = asdict(component.spec)
    return {"kind": component.spec.kind, "canonical": component.canonical, "plugin": component.plugin, **spec}

"""`glassbench plugins`."""

import click

from glassbench.cli.app import Lazy

SUMMARIES = {
    "list": "List every plugin with its status, and every component by kind.",
    "show": "Show a component's settings, types, defaults and docstring.",
}


@click.group(cls=Lazy, summaries=SUMMARIES, package="glassbench.cli.plugin_commands")
def command() -> None:
    """List plugins, and show a component's settings."""

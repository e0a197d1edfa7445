"""`glassbench plugins`."""

import click

from glassbench.cli.app import Lazy

SUMMARIES = {
    "check": "Run the conformance suites over what a distribution offers.",
    "list": "List every plugin with its status, and every component by kind.",
    "new": "Write a package for a new plugin.",
    "show": "Show a component's settings, types, defaults and docstring.",
}


@click.group(cls=Lazy, summaries=SUMMARIES, package="glassbench.cli.plugin_commands")
def command() -> None:
    """List, show, check and write plugins."""

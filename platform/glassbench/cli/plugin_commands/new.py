"""`glassbench plugins new`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json
from glassbench.new_plugin import KINDS, NewPlugin


@click.command()
@click.argument("kind", metavar=f"[{'|'.join(KINDS)}]")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to write it, if not to glassbench-NAME.")
@json_option
def command(kind: str, name: str, folder: Path | None, as_json: bool) -> None:
    """Write a package that brings a component NAME: code, tests, checks for hosted CI and a README that pass as they are."""
    new = NewPlugin(kind=kind, name=name, folder=folder or Path(f"glassbench-{name}"))
    written = new.write()
    if as_json:
        print_json({"folder": str(new.folder), "files": [str(path.relative_to(new.folder)) for path in written]})
        return
    for path in written:
        click.echo(path)
    click.echo(f"next: cd {new.folder} && pip install -e '.[test]' && pytest")

"""`glassbench compress`."""

from pathlib import Path
from typing import Any

import click

from glassbench.cli.options import json_option, open_option, print_json, print_table, registry, runs_option, wrapped
from glassbench.export.packages import need
from glassbench.printable import one_line, printable
from glassbench.report.compression_page import (
    budget_sentence,
    outcome_columns,
    outcome_rows,
    part_columns,
    part_rows,
    parts_sentence,
)
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@click.argument("settings", nargs=-1, metavar="[NAME.SETTING=VALUE]...")
@click.option("--to", multiple=True, metavar="NAME", help="A compression, or several joined by +; may be repeated.")
@click.option("--fit-in", metavar="SIZE", help="The bytes that a model's file may take, such as 256KiB.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.01,
    show_default=True,
    help="The loss of a group or class that counts as kept.",
)
@click.option("--torch-export", is_flag=True, help="Write networks as a PyTorch program (model.pt2) too.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The new folder; RUN-compressed unless given.")
@runs_option
@open_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    run: str,
    settings: tuple[str, ...],
    to: tuple[str, ...],
    fit_in: str | None,
    tolerance: float,
    torch_export: bool,
    output: Path | None,
    root: Path,
    show: bool,
    as_json: bool,
) -> None:
    """Compress the model of RUN, and say what it saves, what it costs, and which groups and classes lose by it.

    Without --to, each installed compression is tried. Killed, the same command goes on where it stopped. Exit code 1 where
    --fit-in cannot be met.
    """
    need("export")
    from glassbench.compressing.compress import compress  # needs packages of an extra

    plugins, folder = registry(ctx), find_run(run, root).path
    told = None if as_json else _say
    done = compress(
        folder,
        plugins,
        to=to,
        settings=settings,
        fit_in=fit_in,
        tolerance=tolerance,
        torch_export=torch_export,
        output=output,
        told=told,
    )
    if as_json:
        print_json(done)
    else:
        _print(done)
    if show:
        click.launch(done["page"])
    if done["fit_in"] is not None and done["chosen"] is None:
        ctx.exit(1)


def _say(name: str, words: str) -> None:
    click.echo(one_line(f"{name}: {words}"), err=True)


def _print(found: dict[str, Any]) -> None:
    if found["fit_in"] is not None:
        click.echo(wrapped(printable(budget_sentence(found))) + "\n")
    print_table(outcome_columns(found), outcome_rows(found))
    for one in found["candidates"]:
        click.echo(f"\n{printable(one['name'])}")
        click.echo(wrapped(printable(parts_sentence(one)), indent=2))
        if one["parts"] is not None and any(part["verdict"] == "loses" for part in one["parts"]["parts"]):
            click.echo("")
            print_table(part_columns(one), part_rows(one))
    for one in found["refused"]:
        click.echo(wrapped(printable(f"{one['name']}: cannot serve this run: {one['reason']}"), hanging=2))
    click.echo(f"\n  page: {printable(found['page'])}")

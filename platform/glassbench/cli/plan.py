"""`glassbench plan`."""

from pathlib import Path

import click

from glassbench import api
from glassbench.cli.options import json_option, print_json, registry
from glassbench.experiment_file import dump
from glassbench.planning import Plan


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@json_option
@click.pass_context
def command(ctx: click.Context, experiment: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Resolve and validate EXPERIMENT, say what would run and what can't, and write nothing."""
    plan = api.plan(experiment, overrides=overrides, registry=registry(ctx))
    if as_json:
        print_json({"resolved": plan.resolved, "will_run": will_run(plan), "cannot_run": dict(plan.excluded)})
        return
    click.echo(dump(plan.resolved).rstrip())
    click.echo(f"\nwill run:  fit, predict, audit ({', '.join(will_run(plan)) or 'none'}), report")
    for name, reason in plan.excluded.items():
        click.echo(f"can't run: {name}, for {reason}")
    click.echo(f"gates:     {len(plan.gates) or 'none; nothing will be passed or failed'}")


def will_run(plan: Plan) -> list[str]:
    """Return the audits that can run on such a model."""
    return [name for name in plan.audits if name not in plan.excluded]

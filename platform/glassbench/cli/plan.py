"""`glassbench plan`."""

from pathlib import Path
from typing import Any

import click

from glassbench import api
from glassbench.cli.options import json_option, print_json, registry, runs_option, warn
from glassbench.contracts.data import Data
from glassbench.experiments.experiment_file import dump
from glassbench.experiments.plan import Plan
from glassbench.experiments.trackers import everyones_trackers, named
from glassbench.pipeline.baselines import check_baseline_rows
from glassbench.pipeline.run_data import read_data
from glassbench.report.treatments import treatment_lines
from glassbench.runs.provenance import describe_data

_FEW = 5


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--no-data", is_flag=True, help="Do not read the data.")
@runs_option
@json_option
@click.pass_context
def command(ctx: click.Context, experiment: Path, overrides: tuple[str, ...], no_data: bool, root: Path, as_json: bool) -> None:
    """Resolve and validate EXPERIMENT against its data, say what would run and what can't, and write nothing."""
    plugins = registry(ctx)
    plan = api.plan(experiment, overrides=overrides, runs=root, registry=plugins)
    data = None if no_data or plan.external else read_data(plan)
    for line in [] if data is None else check_baseline_rows(plan, data, root):
        warn(line)
    known = {} if data is None else describe_data(data)
    if as_json:
        content: dict[str, Any] = {"resolved": plan.resolved, "will_run": will_run(plan), "cannot_run": dict(plan.excluded)}
        print_json(content if data is None else {**content, "data": known})
        return
    click.echo(dump(plan.resolved).rstrip())
    click.echo(f"\nwill run:  fit, predict, audit ({', '.join(will_run(plan)) or 'none'}), report")
    for name, reason in plan.excluded.items():
        click.echo(f"can't run: {name}, for {reason}")
    click.echo(f"gates:     {len(plan.gates) or 'none; nothing will be passed or failed'}")
    if trackers := named(everyones_trackers(plugins)):
        click.echo(f"trackers:  {', '.join(trackers)}, for all runs (GLASSBENCH_TRACKERS)")
    for line in [] if data is None else data_lines(data, known):
        click.echo(line)


def will_run(plan: Plan) -> list[str]:
    """Return the audits that can run on such a model."""
    return [name for name in plan.audits if name not in plan.excluded]


def data_lines(data: Data, known: dict[str, Any]) -> list[str]:
    """Return what a person should know of the data before they are used: sizes, classes, and how they were read."""
    sizes = ", ".join(f"{count:,} {name}" for name, count in known["rows"].items() if count)
    lines = [f"data:      {sizes} ({data.schema.unit}s)"] if sizes else []
    if data.schema.target.kind in ("class", "labels"):
        for part, counts in known["target"].items():
            lines.append(f"           {part}: " + ", ".join(f"{count:,} {name}" for name, count in list(counts.items())[:10]))
            few = [name for name, count in counts.items() if count < _FEW]
            if few and part == "test":
                lines.append(f"           fewer than {_FEW} test rows of {', '.join(few[:5])}: rates of it can't be judged")
    lines += [f"{'' if place else 'read:':10} {words}" for place, (_, words) in enumerate(treatment_lines(data.treatments))]
    return lines

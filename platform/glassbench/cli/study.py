"""`glassbench study`."""

import json
from pathlib import Path
from typing import Any

import click

from glassbench.cli.options import json_option, open_option, print_json, print_table, registry, studies_option
from glassbench.contracts.measure_words import measure_words
from glassbench.errors import GlassbenchError, suggest
from glassbench.printable import one_line, printable
from glassbench.report.numbers import interval
from glassbench.storage.files import read_object
from glassbench.studies import Study, plan_study, run_study
from glassbench.studies.study_folder import StudyFolder, find_study, study_names
from glassbench.studies.study_plan import seed_of
from glassbench.studies.trials import Trial, candidate_words
from glassbench.studies.vary import Repetition

_FIRST = "run"


class StudyGroup(click.Group):
    """Subcommands of studies; what is none of them is a study file to run."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Take `glassbench study FILE` as `glassbench study run FILE`."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            fix = None if Path(args[0]).exists() else suggest(args[0], list(self.commands))
            if fix:
                problem = f"there is no study file and no command '{args[0]}'"
                raise GlassbenchError(problem, got=args[0], available=list(self.commands), fix=fix)
            args = [_FIRST, *args]
        return super().resolve_command(ctx, args)


@click.group(cls=StudyGroup)
def command() -> None:
    """Run an experiment with several seeds and settings (`glassbench study FILE`), and compare them."""


workers_option = click.option("--workers", type=click.IntRange(1, 256), help="Runs at work at one time.")


@command.command(_FIRST)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@studies_option
@workers_option
@open_option
@json_option
@click.pass_context
def run(
    ctx: click.Context, file: Path, changes: tuple[str, ...], root: Path, workers: int | None, show: bool, as_json: bool
) -> int:
    """Run the study FILE; KEY=VALUE overrides a key of it, as in vary.seeds=3."""
    plugins = registry(ctx)
    done = run_study(
        file, changes=changes, studies=root, workers=workers, registry=plugins, told=None if as_json else _Progress()
    )
    return _conclude(done, show, as_json)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@json_option
@click.pass_context
def plan(ctx: click.Context, file: Path, changes: tuple[str, ...], as_json: bool) -> None:
    """Say what the study FILE would do, and write nothing."""
    made = plan_study(file, changes=changes, registry=registry(ctx))
    vary, asked = made.asked.vary, made.asked
    runs = [{"seed": r.seed, "fold": r.fold, "inner": r.inner, "rows": r.rows, "settings": dict(r.settings)} for r in made.runs]
    space = asked.to_json()["vary"].get("search", {})
    repetitions = vary.repetitions(seed_of(made.base))
    if as_json:
        searched = {"search": space, "candidates": asked.candidates(len(repetitions))} if space else {}
        print_json({"name": asked.name, "runs": runs, "objectives": [o.words for o in asked.objectives], **searched})
        return
    most = (
        f"at most {asked.candidates(len(repetitions)):,} candidates of {len(repetitions)} runs" if space else f"{len(runs)} runs"
    )
    click.echo(f"{printable(asked.name)}: {most}, {asked.workers} at one time")
    for objective in asked.objectives:
        click.echo(f"  objective  {one_line(objective.words)}")
    for setting, dimension in space.items():
        click.echo(f"  search     {one_line(f'{setting}  {json.dumps(dimension)}')}")
    for words in dict.fromkeys(candidate_words(run.settings) for run in made.runs):
        click.echo(f"  candidate  {one_line(words)}")
    for words in _repetitions(repetitions):
        click.echo(f"  each with  {words}")


def _repetitions(repetitions: list[Repetition]) -> list[str]:
    """Return in words the seeds, folds and shares of rows that each candidate is run with."""
    seeds, folds, inner, rows = ([*dict.fromkeys(column)] for column in zip(*repetitions, strict=True))
    told = [f"seeds {', '.join(map(str, seeds))}"]
    told += [f"folds 1 to {len(folds)}"] if folds != [None] else []
    told += [f"inner folds 1 to {len(inner) - 1} of the rows outside each fold"] if inner != [None] else []
    return told + ([f"{', '.join(f'{100 * float(r or 1):g} %' for r in rows)} of the training rows"] if rows != [None] else [])


@command.command()
@click.argument("study")
@studies_option
@workers_option
@open_option
@json_option
@click.pass_context
def resume(ctx: click.Context, study: str, root: Path, workers: int | None, show: bool, as_json: bool) -> int:
    """Go on with STUDY (a folder, an id or its start, or `latest`): runs that are not done, and those that failed."""
    found = Study(find_study(study, root), registry(ctx))
    return _conclude(found.resume(workers=workers, told=None if as_json else _Progress()), show, as_json)


@command.command("list")
@studies_option
@json_option
def list_(root: Path, as_json: bool) -> None:
    """List the studies, newest first."""
    found = [StudyFolder(root / name) for name in reversed(study_names(root))]
    rows = [(f.study, f.asked.name, len(f.finished), len(f.trials), len(f.failures)) for f in found]
    if as_json:
        keys = ("study", "name", "done", "asked", "failed")
        print_json({"studies": [dict(zip(keys, row, strict=True)) for row in rows]})
    elif rows:
        lines = [(study, name, f"{done} of {asked}", str(failed)) for study, name, done, asked, failed in rows]
        print_table(("study", "name", "runs done", "failed"), lines)
    else:
        click.echo(f"no studies under {printable(str(root))}; `glassbench study FILE` runs one")


@command.command()
@click.argument("study")
@studies_option
@json_option
@click.pass_context
def show(ctx: click.Context, study: str, root: Path, as_json: bool) -> None:
    """Show what STUDY found so far."""
    found = Study(find_study(study, root), registry(ctx))
    if as_json:
        print_json(found.answer)
    else:
        _print_answer(found.answer)


@command.command()
@click.argument("study")
@studies_option
@open_option
@click.pass_context
def report(ctx: click.Context, study: str, root: Path, show: bool) -> None:
    """Render the report of STUDY again from its runs."""
    path = Study(find_study(study, root), registry(ctx)).render()
    click.echo(printable(str(path)))
    if show:
        click.launch(str(path))


class _Progress:
    """Says on the error stream which run came to its end."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, trial: Trial, message: str | None) -> None:
        """Print one line."""
        self.done += 1
        word = "done" if message is None else f"failed: {message.splitlines()[0]}"
        click.echo(one_line(f"run {self.done:<4} {trial.candidate}, {trial.words}: {word}"), err=True)


def _conclude(done: Study, show: bool, as_json: bool) -> int:
    """Print what a study came to, open its report on request, and return its exit code: 3 where a run is missing."""
    found = read_object(done.folder / "answer.json")  # as it was just written: reading all runs again takes long
    if as_json:
        print_json({"folder": str(done.folder), "report": str(done.report), **found})
    else:
        _print_answer(found)
        click.echo(f"  report: {printable(str(done.report))}")
    if show:
        click.launch(str(done.report))
    runs = found["runs"]
    return 0 if runs["done"] + runs["pruned"] == runs["asked"] else 3


def _print_answer(found: dict[str, Any]) -> None:
    runs, winner = found["runs"], found["winner"]
    pruned = f", {runs['pruned']} ended early" if runs["pruned"] else ""
    counts = f"{runs['done']} of {runs['asked']} runs are done, {len(runs['failed'])} failed{pruned}"
    click.echo(f"{printable(found['name'])}: {counts}")
    titles = tuple(one_line(measure_words(o["measure"])) for o in found["objectives"])
    rows = [
        (
            candidate["words"] + (" (winner)" if winner and winner["candidate"] == place else ""),
            *(o["undefined"] or interval(o["value"], o["low"], o["high"]) for o in candidate["objectives"]),
        )
        for place, candidate in enumerate(found["candidates"])
    ]
    print_table(("candidate", *titles), rows)
    if winner and winner["naive"] is not None and winner["among"] > 1:
        value = found["candidates"][winner["candidate"]]["objectives"][0]["value"]
        click.echo(f"  the winner before correction for the choice: {interval(value, *winner['naive'])}")
    for run, message in list(runs["failed"].items())[:3]:
        click.echo(one_line(f"  failed: {run}: {message.splitlines()[0]}"))

"""What a study will do: the resolved experiment of each run, or what a search draws them from; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassbench.errors import ExperimentError
from glassbench.experiments.choice import Choice, choose
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.experiment_file import Document, override
from glassbench.experiments.plan import Plan
from glassbench.experiments.planned_measures import check_measured
from glassbench.experiments.planning import make_plan
from glassbench.registry import Registry
from glassbench.studies.search_space import check_space
from glassbench.studies.study_file import StudyFile, experiment_path
from glassbench.studies.trials import check_size, combinations, overrides

_ROLES = ("dataset", "task", "model", "trainer")


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One run that a study will do.

    Args:
        seed, settings, fold, inner, rows: As of a trial.
        experiment: Its resolved experiment, plain values.
    """

    seed: int
    settings: Mapping[str, Any]
    fold: int | None
    inner: int | None
    rows: float | None
    experiment: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What a study will do.

    Args:
        asked: The study as asked for.
        document: The study as written.
        base: The experiment that all runs vary, its paths absolute.
        runs: Every run; none where a search decides on them one after the other.
        launcher: What starts the runs; None for processes of this machine.
    """

    asked: StudyFile
    document: Document
    base: Mapping[str, Any]
    runs: tuple[PlannedRun, ...]
    launcher: Choice | None = None


def plan_study(
    source: str | Path | Mapping[str, Any], *, changes: Sequence[str] = (), registry: Registry | None = None
) -> StudyPlan:
    """Resolve and validate all of a study, each of its experiments included; nothing is written.

    Args:
        source: A YAML file, or its content as a mapping.
        changes: Dotted overrides of the study, `"vary.seeds=3"`.
        registry: The plugins; None finds the installed ones.

    Raises:
        GlassbenchError: Something in the study or one of its experiments is wrong.
    """
    registry = registry or Registry()
    document = read_experiment(source, changes)
    asked = StudyFile.from_document(document)
    launcher = None if asked.launcher is None else choose("launcher", asked.launcher, document, registry)
    path = experiment_path(asked, source)
    experiment = read_experiment(path if path is not None else dict(asked.experiment))  # type: ignore[arg-type]
    experiment = _with_trainer(experiment, [*asked.vary.grid, *asked.vary.search], registry)
    check_size(asked, len(asked.vary.repetitions(seed_of(experiment.content))), document.where("vary"))
    if asked.vary.search:
        plans = [check_space(asked.vary.search, experiment, document, registry)]
        runs: tuple[PlannedRun, ...] = ()
    else:
        plans, found = [], list[PlannedRun]()
        for settings in combinations(asked.vary.grid):
            plans.append(make_plan(override(experiment, overrides(settings)), registry))
            found += runs_of(settings, plans[-1], asked, experiment.content)
        runs = tuple(found)
    for plan in plans:
        _check_repeatable(asked, plan, document)
    for place, objective in enumerate(asked.objectives):
        check_measured(objective.measure, plans[0], document.where(f"objectives.{place}.measure"), by="an objective")
    return StudyPlan(asked=asked, document=document, base=_pinned(experiment.content, plans[0]), runs=runs, launcher=launcher)


def runs_of(settings: Mapping[str, Any], plan: Plan, asked: StudyFile, base: Mapping[str, Any]) -> list[PlannedRun]:
    """Return the runs of a candidate: its experiment with each seed, fold and share of the training rows.

    Args:
        settings: What makes the candidate.
        plan: The plan of its experiment.
        asked: The study.
        base: The experiment that all candidates vary.
    """
    runs = []
    for seed, fold, inner, rows in asked.vary.repetitions(seed_of(base)):
        content = {**plan.resolved, "seed": seed, "overrides": [*plan.resolved["overrides"], f"seed={seed}"]}
        if fold is not None:
            within = {} if inner is None else {"inner": {"number": inner, "of": asked.vary.inner_folds}}
            content["dataset"] = {**content["dataset"], "fold": {"number": fold, "of": asked.vary.folds, **within}}
        if rows is not None:
            content["training_share"] = rows
        runs.append(PlannedRun(seed=seed, settings=settings, fold=fold, inner=inner, rows=rows, experiment=content))
    return runs


def planned_candidate(settings: Mapping[str, Any], asked: StudyFile, base: Document, registry: Registry) -> list[PlannedRun]:
    """Plan the runs of a candidate that a search came to.

    Raises:
        GlassbenchError: Its settings do not go together.
    """
    return runs_of(settings, make_plan(override(base, overrides(settings)), registry), asked, base.content)


def seed_of(experiment: Mapping[str, Any]) -> int:
    """Return the seed of an experiment as written; 0 where it has none, or none that is a number."""
    seed = experiment.get("seed", 0)
    return seed if isinstance(seed, int) else 0


def _with_trainer(experiment: Document, varied: Sequence[str], registry: Registry) -> Document:
    """Name the trainer that an experiment gets by default, where a setting of it is varied."""
    if "trainer" in experiment.content or not any(name.startswith("trainer.") for name in varied):
        return experiment
    trainer = make_plan(experiment, registry).trainer
    return experiment if trainer is None else override(experiment, [f"trainer.use={trainer.component.canonical}"])


def _check_repeatable(asked: StudyFile, plan: Plan, document: Document) -> None:
    """Refuse folds of a data set that cannot be asked for one, and shares of rows where nothing learns from rows."""
    name = plan.dataset.component.spec.name
    if asked.vary.folds is not None and "fold" not in type(plan.dataset.settings).model_fields:
        problem = f"the data set '{name}' cannot be divided into folds"
        fix = "`seeds` in place of `folds`; data sets with the setting `fold` can, such as `csv`"
        raise ExperimentError(problem, where=document.where("vary.folds"), got=f"folds: {asked.vary.folds}", fix=fix)
    split = getattr(plan.dataset.settings, "split", None)
    given = split.get("by") if isinstance(split, Mapping) else None
    if asked.vary.folds is not None and given not in (None, "random", "cluster"):
        problem = f"the rows are divided by {given}, so there are no folds"
        fix = "leave `dataset.split` out, or divide by cluster"
        raise ExperimentError(problem, where=document.where("vary.folds"), got=f"folds: {asked.vary.folds}", fix=fix)
    if asked.vary.rows and plan.trainer is None:
        problem = "nothing is trained in this experiment, so there is nothing to learn from fewer rows"
        raise ExperimentError(problem, where=document.where("vary.rows"), fix="leave `rows` out")


def _pinned(content: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return an experiment with the settings that were given, relative paths among them resolved."""
    pinned = dict(content)
    for role in _ROLES:
        choice = getattr(plan, role)
        given = content.get(role)
        if choice is not None and isinstance(given, Mapping):
            pinned[role] = {key: choice.resolved.get(key, value) if key != "use" else value for key, value in given.items()}
    if plan.trackers:
        pinned["trackers"] = [tracker.resolved for tracker in plan.trackers]
    return pinned

"""From an experiment to its plan: every name is resolved and every setting validated; no data is read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from glassbench.contracts.specs import AuditSpec, DatasetSpec, ModelSpec, TaskSpec, TrainerSpec
from glassbench.contracts.task import Task
from glassbench.entry_points import built_in_or_all
from glassbench.errors import ComponentError, ExperimentError
from glassbench.experiments.choice import Choice, choose, settled
from glassbench.experiments.cleaning import Cleaning, read_cleaning
from glassbench.experiments.experiment import Experiment, Use
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.mitigations import chosen_mitigations
from glassbench.experiments.plan import Plan
from glassbench.experiments.planned_measures import check_gates
from glassbench.experiments.trackers import chosen_trackers
from glassbench.registry import Component, Registry


def make_plan(document: Document, registry: Registry) -> Plan:
    """Resolve and validate all of an experiment.

    Raises:
        ExperimentError: The form, a name, a setting or a gate is wrong.
        ComponentError: A component is missing, ambiguous, or needs packages that are not installed.
        PluginError: A component's module cannot be imported, or a plugin failed or vetoed.
    """
    experiment = Experiment.from_document(document)
    dataset, task = (choose(kind, getattr(experiment, kind), document, registry) for kind in ("dataset", "task"))
    _check_target(dataset, cast(TaskSpec, task.component.spec), document)
    model, trainer = _learner(experiment, cast(TaskSpec, task.component.spec), document, registry)
    audits = _audits(experiment, task, document, registry)
    plan = Plan(
        name=experiment.name,
        seed=experiment.seed,
        gates=experiment.gates,
        dataset=dataset,
        task=task,
        model=model,
        trainer=trainer,
        audits=audits,
        excluded=_excluded(audits, None if model is None else cast(ModelSpec, model.component.spec)),
        document=document,
        cleaning=_cleaning(experiment, dataset, document),
        mitigations=chosen_mitigations(experiment.mitigations, task, model, document, registry),
        trackers=chosen_trackers(experiment.trackers, document, registry),
        budget=experiment.budget,
        allow_failed=experiment.allow_failed,
        training_share=experiment.training_share,
        about=experiment.about,
    )
    check_gates(plan)
    return replace(plan, complaints=_ask_plugins(plan, registry))


def _cleaning(experiment: Experiment, dataset: Choice, document: Document) -> Cleaning | None:
    """Read the cleaning that the experiment names; rows that were given from Python are not read again, and not cleaned."""
    if experiment.cleaning is None:
        return None
    if cast(DatasetSpec, dataset.component.spec).external:
        problem = "rows that are given from Python are not cleaned"
        raise ExperimentError(problem, where=document.where("cleaning"), fix="change them before they are given")
    return read_cleaning(Path(experiment.cleaning.file), experiment.cleaning.version)


def _learner(
    experiment: Experiment, task: TaskSpec, document: Document, registry: Registry
) -> tuple[Choice | None, Choice | None]:
    """Choose model and trainer; neither where the task is not learnt, and nothing trains an external model."""
    if not task.learnt:
        extra = [role for role in ("model", "trainer") if getattr(experiment, role) is not None]
        if extra:
            problem = f"the task '{task.name}' is not learnt, so it takes no {extra[0]}"
            raise ExperimentError(problem, where=document.where(extra[0]), fix=f"leave out `{extra[0]}`")
        return None, None
    if experiment.model is None:
        names = sorted({c.spec.name for c in registry.of_kind("model")})
        raise ExperimentError(
            f"the task '{task.name}' needs a model", where=document.where("model"), got="nothing", available=names
        )
    model = choose("model", experiment.model, document, registry)
    spec = cast(ModelSpec, model.component.spec)
    if spec.form == "external":
        return model, None
    _check_task(spec, task, document)
    trainer = choose("trainer", experiment.trainer or _default_trainer(model.component, registry), document, registry)
    _check_form(spec, cast(TrainerSpec, trainer.component.spec), document)
    return model, trainer


def _check_task(model: ModelSpec, task: TaskSpec, document: Document) -> None:
    if model.tasks and not {task.name, *task.models_of} & set(model.tasks):
        raise ExperimentError(
            f"the model '{model.name}' does not serve the task '{task.name}'",
            where=document.where("model.use"),
            got=task.name,
            available=model.tasks,
        )


def _default_trainer(model: Component, registry: Registry) -> Use:
    """Return the trainer whose spec names the model; else the built-in one for its form; else the only one installed."""
    form = cast(ModelSpec, model.spec).form
    fitting = [c for c in registry.of_kind("trainer") if cast(TrainerSpec, c.spec).trains == form]
    usual = [c for c in fitting if cast(TrainerSpec, c.spec).usual]
    chosen = [c for c in fitting if c.serves(model)] or built_in_or_all(usual)
    if len(chosen) == 1:
        return Use(use=chosen[0].canonical)
    problem = "several trainers train" if fitting else "no installed trainer trains"
    names = [c.canonical for c in fitting]
    raise ComponentError(f"{problem} a model of form '{form}'", available=names, fix="name one under `trainer`")


def _check_form(model: ModelSpec, trainer: TrainerSpec, document: Document) -> None:
    if model.form != trainer.trains:
        raise ExperimentError(
            f"the trainer '{trainer.name}' trains models of form {trainer.trains}, '{model.name}' is of form {model.form}",
            where=document.where("trainer"),
            fix="leave out `trainer`, and the fitting one is taken",
        )


def _audits(experiment: Experiment, task: Choice, document: Document, registry: Registry) -> dict[str, Choice]:
    asked = experiment.audits
    if asked is None:
        asked = {c.canonical: {} for c in registry.of_kind("audit") if _by_default(c, task)}
    chosen: dict[str, Choice] = {}
    for name, given in asked.items():
        component = registry.find("audit", name, document.where(f"audits.{name}"))
        if component.spec.name in chosen:
            raise ExperimentError(f"the audit '{component.spec.name}' is named twice", where=document.where(f"audits.{name}"))
        chosen[component.spec.name] = settled(component, given, f"audits.{name}", document)
    return chosen


def _by_default(audit: Component, task: Choice) -> bool:
    spec = cast(AuditSpec, audit.spec)
    about = not spec.kinds or cast(Task, task.make()).kind.name in spec.kinds
    return spec.default and about and (audit.built_in or audit.serves(task.component))


def _excluded(audits: Mapping[str, Choice], model: ModelSpec | None) -> dict[str, str]:
    needs = {name: cast(AuditSpec, choice.component.spec).needs for name, choice in audits.items()}
    if model is None:
        lacking = [name for name, need in needs.items() if {"model", "gradients"} & set(need)]
        return dict.fromkeys(lacking, "it needs a model, and only its decisions are known")
    lacking = [name for name, need in needs.items() if not model.gives_gradients and "gradients" in need]
    return dict.fromkeys(lacking, f"it needs gradients, and the model '{model.name}' gives none")


def task_for(kind: str, registry: Registry) -> str:
    """Return the name of the task that learns to predict a kind of target.

    Raises:
        ComponentError: There is none, or there are several.
    """
    specs = [(c, cast(TaskSpec, c.spec)) for c in registry.of_kind("task")]
    tasks = built_in_or_all([c for c, spec in specs if spec.learnt and spec.usual and spec.predicts == kind])
    if len(tasks) != 1:
        problem = f"several tasks predict a {kind}" if tasks else f"no installed task predicts a {kind}"
        raise ComponentError(problem, available=[c.canonical for c in tasks], fix="name one: task=...")
    return tasks[0].canonical


def _check_target(dataset: Choice, task: TaskSpec, document: Document) -> None:
    """Refuse a data set that cannot bring what the task predicts."""
    spec = cast(DatasetSpec, dataset.component.spec)
    if task.predicts is None or not spec.targets:
        return
    if task.predicts not in spec.targets:
        problem = f"the task '{task.name}' predicts a {task.predicts}, which the data set '{spec.name}' does not have"
        raise ExperimentError(problem, where=document.where("task"), got=task.predicts, available=spec.targets)
    chosen = getattr(dataset.settings, spec.target_setting) if spec.target_setting else task.predicts
    if chosen in spec.targets and chosen != task.predicts:
        raise ExperimentError(
            f"the task '{task.name}' predicts a {task.predicts}, the data set is set to bring a {chosen}",
            where=document.where(f"dataset.{spec.target_setting}"),
            got=str(chosen),
            fix=f"dataset.{spec.target_setting}={task.predicts}, or another task",
        )


def _ask_plugins(plan: Plan, registry: Registry) -> tuple[str, ...]:
    vetoes, complaints = registry.vetoes(plan.resolved)
    if vetoes:
        raise ExperimentError("a plugin does not let this experiment run", got="; ".join(vetoes))
    return tuple(complaints)

"""The plan: an experiment whose every name is resolved and every setting validated; no data is read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from glassbench.contracts.specs import AuditSpec, DatasetSpec, ModelSpec, TaskSpec, TrainerSpec
from glassbench.contracts.spelled_names import as_known
from glassbench.contracts.task import Task
from glassbench.entry_points import built_in_or_all
from glassbench.errors import ComponentError, ExperimentError, suggest
from glassbench.experiments.about import About
from glassbench.experiments.choice import Choice, choose, settled
from glassbench.experiments.cleaning import Cleaning, read_cleaning
from glassbench.experiments.experiment import Experiment, Use
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.gates import Gate, matches, misdirected
from glassbench.experiments.mitigations import Mitigations, chosen_mitigations
from glassbench.experiments.trackers import chosen_trackers
from glassbench.registry import Component, Registry


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run will do.

    Args:
        name, about, seed, gates, budget, allow_failed: As the experiment says.
        training_share: Share of the training rows to learn from.
        dataset, task: The components chosen.
        model, trainer: Likewise; None where the task is not learnt, no trainer where the model is external.
        audits: Audits by the name they go by in this run.
        excluded: Audits that cannot run on such a model, and why.
        cleaning: Which rows of the data are dropped or relabelled; None changes nothing.
        mitigations: What changes how the run learns or decides, in order.
        trackers: Trackers that the experiment names.
        document: The experiment as written.
        complaints: A line for each plugin that could not be asked whether the experiment may run.
    """

    name: str
    seed: int
    gates: tuple[Gate, ...]
    dataset: Choice
    task: Choice
    model: Choice | None
    trainer: Choice | None
    audits: Mapping[str, Choice]
    excluded: Mapping[str, str]
    document: Document
    cleaning: Cleaning | None = None
    mitigations: Mitigations = field(default_factory=Mitigations)
    trackers: tuple[Choice, ...] = ()
    budget: float | None = None
    allow_failed: bool = False
    training_share: float = 1.0
    about: About = field(default_factory=About)
    complaints: tuple[str, ...] = ()

    @property
    def external(self) -> bool:
        """Whether rows and model are external: given from Python."""
        return cast(DatasetSpec, self.dataset.component.spec).external

    @property
    def table_setting(self) -> str | None:
        """The data set's setting that names the file of its table, or None."""
        return cast(DatasetSpec, self.dataset.component.spec).table_setting

    @property
    def resolved(self) -> dict[str, Any]:
        """The content of `resolved.yaml`: every setting in full; itself an experiment, but for `overrides`."""
        chosen = {role: getattr(self, role) for role in ("dataset", "task", "model", "trainer")}
        roles = {role: choice.resolved for role, choice in chosen.items() if choice is not None}
        audits = {choice.component.canonical: choice.settings.model_dump(mode="json") for choice in self.audits.values()}
        gates = [gate.model_dump(mode="json") for gate in self.gates]
        timed = {} if self.budget is None else {"budget": self.budget}
        timed |= {"allow_failed": True} if self.allow_failed else {}
        timed |= {"training_share": self.training_share} if self.training_share < 1 else {}
        mended = {"mitigations": [one.resolved for one in self.mitigations.choices]} if self.mitigations.choices else {}
        followed = {"trackers": [tracker.resolved for tracker in self.trackers]} if self.trackers else {}
        about = {"about": self.about.content} if self.about.content else {}
        cleaned = {} if self.cleaning is None else {"cleaning": {"file": self.cleaning.name, "version": self.cleaning.version}}
        content = {"name": self.name, **about, "seed": self.seed, **roles, **cleaned, **mended, "audits": audits, **timed}
        content |= {"gates": gates, **followed}
        return {**content, "overrides": list(self.document.overrides)}


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
    _check_gates(plan)
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
    chosen = [c for c in fitting if c.serves(model)] or built_in_or_all(fitting)
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


def _check_gates(plan: Plan) -> None:
    for position, gate in enumerate(plan.gates):
        check_measured(gate.measure, plan, plan.document.where(f"gates.{position}.measure"), by="a gate")
        wrong = None if gate.no_worse_than is not None else misdirected(gate, *_known_of(gate, plan))
        if wrong is not None:
            threshold = plan.document.where(f"gates.{position}.{gate.direction}")
            raise ExperimentError(wrong[0], where=threshold, got=f"{gate.threshold:g}", fix=wrong[1])


def check_measured(measure: str, plan: Plan, where: str, *, by: str) -> None:
    """Make sure that an audit of the experiment measures what is asked, as far as audits say beforehand what they measure.

    Args:
        measure: `<audit>.<measure>`; `*` stands for any text.
        plan: The plan.
        where: File, line and path that name it.
        by: What asks for it, for messages.

    Raises:
        ExperimentError: It is of no audit of this experiment, or its audit measures something else.
    """
    audit = measure.partition(".")[0]
    if audit not in plan.audits:
        audits = sorted(plan.audits)
        raise ExperimentError(
            f"{by} is set on '{audit}', which is no audit of this experiment",
            where=where,
            got=measure,
            available=audits,
            fix=suggest(audit, audits),
        )
    if cast(AuditSpec, plan.audits[audit].component.spec).measures is None:
        return
    names = sorted(f"{name}.{one}" for name, choice in plan.audits.items() for one in measure_names(choice, plan.task))
    if not any(matches(measure.partition("[")[0], name) for name in names):
        raise ExperimentError(
            f"the audit '{audit}' measures no '{measure}'",
            where=where,
            got=measure,
            available=[name for name in names if name.startswith(f"{audit}.")],
            fix=suggest(measure, names),
        )


def _known_of(gate: Gate, plan: Plan) -> tuple[bool | None, float | None, float | None]:
    """Return the direction of a gate's measure, what it can never exceed and never fall below, as far as known beforehand."""
    audit, _, name = gate.measure.partition("[")[0].partition(".")
    spec = cast(AuditSpec, plan.audits[audit].component.spec)
    for metric in cast(Task, plan.task.make()).metrics if "{metric}" in (spec.measures or ()) else ():
        if name in (metric.name, f"{metric.name}_baseline"):
            return metric.higher_is_better, metric.bounds[1], metric.bounds[0]
    sides = ((True, spec.higher_is_better), (False, spec.lower_is_better))
    better = next((side for side, patterns in sides if any(fnmatchcase(name, p) for p in patterns)), None)
    return better, 1.0 if any(fnmatchcase(name, p) for p in spec.shares) else None, None


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


def check_gate_features(plan: Plan, sensitive: Sequence[str], groups: Mapping[str, Sequence[str]]) -> None:
    """Make sure that the features and groups gates speak of are those of the data.

    Args:
        plan: The plan.
        sensitive: Names of the sensitive features.
        groups: The groups of each that rows are of, as far as they are known before anything is trained.

    Raises:
        ExperimentError: One is not.
    """
    for position, gate in enumerate(plan.gates):
        for feature in [*(gate.by or ()), *(gate.group or {})]:
            if feature not in sensitive:
                raise ExperimentError(
                    f"a gate speaks of '{feature}', which is no sensitive feature of the data",
                    where=plan.document.where(f"gates.{position}"),
                    got=feature,
                    available=sensitive,
                    fix=suggest(feature, sensitive) or "name it under dataset.sensitive",
                )
        for feature, group in (gate.group or {}).items():
            if feature in groups and as_known(group, groups[feature]) not in groups[feature]:
                raise ExperimentError(
                    f"a gate speaks of a group of '{feature}' that no row is of",
                    where=plan.document.where(f"gates.{position}.group"),
                    got=group,
                    available=groups[feature],
                    fix=suggest(group, groups[feature]),
                )


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


def measure_names(audit: Choice, task: Choice) -> Iterable[str]:
    """Return the names of the measures an audit yields on a task, as far as its spec tells them beforehand."""
    names = cast(AuditSpec, audit.component.spec).measures or ()
    metrics = [metric.name for metric in cast(Task, task.make()).metrics] if any("{metric}" in n for n in names) else []
    return [n.replace("{metric}", metric) for n in names for metric in (metrics if "{metric}" in n else [""])]


def _ask_plugins(plan: Plan, registry: Registry) -> tuple[str, ...]:
    vetoes, complaints = registry.vetoes(plan.resolved)
    if vetoes:
        raise ExperimentError("a plugin does not let this experiment run", got="; ".join(vetoes))
    return tuple(complaints)

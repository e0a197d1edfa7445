"""Which mitigations an experiment names, and whether they can serve its task, its model and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.specs import MitigationSpec, ModelSpec
from glassbench.contracts.task import Task
from glassbench.errors import DataError, ExperimentError
from glassbench.experiments.choice import Choice, choose
from glassbench.experiments.experiment import Use
from glassbench.experiments.experiment_file import Document
from glassbench.registry import Registry


@dataclass(frozen=True)
class Mitigations:
    """What an experiment names.

    Args:
        choices: The mitigations, in order.
        fitting: All installed ones that serve the task and the form of the model; none where the experiment names none.
    """

    choices: tuple[Choice, ...] = ()
    fitting: tuple[MitigationSpec, ...] = ()

    def made(self) -> tuple[Mitigation, ...]:
        """The components, made with their settings."""
        return tuple(cast(Mitigation, choice.make()) for choice in self.choices)


def trusted(model: Choice, chosen: Mitigations) -> tuple[str, ...]:
    """Return the types that the saved form of an estimator may hold, beyond those of scikit-learn and NumPy."""
    specs = [cast(ModelSpec | MitigationSpec, choice.component.spec) for choice in (model, *chosen.choices)]
    return tuple(name for spec in specs for name in spec.trusts)


def chosen_mitigations(
    uses: Sequence[Use], task: Choice, model: Choice | None, document: Document, registry: Registry
) -> Mitigations:
    """Return the mitigations that an experiment names, their settings checked.

    Raises:
        ComponentError: One is missing, ambiguous, or needs packages that are not installed.
        ExperimentError: A setting is wrong, or one cannot serve the task or the form of the model.
        PluginError: The module of one cannot be imported.
    """
    if not uses:
        return Mitigations()
    kind = cast(Task, task.make()).kind.name
    form = None if model is None else cast(ModelSpec, model.component.spec).form
    known = [cast(MitigationSpec, c.spec) for c in registry.of_kind("mitigation")]
    fitting = tuple(one for one in known if misfit(one, kind, form) is None)
    found: list[Choice] = []
    for place, use in enumerate(uses):
        where = f"mitigations.{place}"
        component = registry.find("mitigation", use.use, document.where(f"{where}.use"))
        spec = cast(MitigationSpec, component.spec)
        reason = misfit(spec, kind, form)
        if reason is not None:
            raise ExperimentError(
                f"the mitigation '{spec.name}' cannot serve this experiment: {reason}",
                where=document.where(f"{where}.use"),
                got=spec.name,
                available=[one.name for one in fitting],
                fix="choose one that is available, or leave it out" if fitting else "leave it out",
            )
        chosen = choose("mitigation", use, document, registry, where)
        if any(chosen.component == other.component for other in found):
            raise ExperimentError(f"the mitigation '{spec.name}' is named twice", where=document.where(where), got=spec.name)
        found.append(chosen)
    return Mitigations(tuple(found), fitting)


def misfit(spec: MitigationSpec, kind: str, form: str | None) -> str | None:
    """Return why a mitigation cannot serve predictions of a kind by a model of a form, in words; None where it can."""
    if form is None:
        return "nothing is learnt, so there is nothing to change"
    if form == "external":
        return "its model is external, and nothing trains it"
    if spec.kinds and kind not in spec.kinds:
        return f"it serves predictions of kind {', '.join(spec.kinds)}, and this task's are of kind {kind}"
    if spec.forms and form not in spec.forms:
        return f"it serves models of form {', '.join(spec.forms)}, and this one is of form {form}"
    return None


def unfit(spec: MitigationSpec, schema: Schema) -> str | None:
    """Return why a mitigation cannot serve such rows, in words; None where it can."""
    if spec.sensitive and not schema.sensitive:
        return "the data name no sensitive feature"
    if spec.binary and len(schema.target.classes) != 2:
        return f"it serves two classes, and '{schema.target.name}' has {len(schema.target.classes)}"
    return None


def check_rows(chosen: Mitigations, schema: Schema, *, streamed: bool = False) -> None:
    """Make sure that mitigations can serve such rows.

    Args:
        chosen: The mitigations.
        schema: What the rows are.
        streamed: Whether training rows are read part by part: mitigations that act on them would see a sample alone.

    Raises:
        DataError: One cannot; the message says which can.
    """
    for choice in chosen.choices:
        spec = cast(MitigationSpec, choice.component.spec)
        reason = unfit(spec, schema)
        if reason is None and streamed and spec.when != "after":
            reason = "it acts on all training rows at once, and these are read part by part"
        if reason is not None:
            raise DataError(
                f"the mitigation '{spec.name}' cannot serve these rows: {reason}",
                got=spec.name,
                available=[one.name for one in chosen.fitting if unfit(one, schema) is None],
                fix="name columns under dataset.sensitive" if spec.sensitive and not schema.sensitive else "leave it out",
            )

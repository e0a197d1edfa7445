"""Smaller networks for a run: one that is named, or the run's own model with its widths reduced."""

from collections.abc import Mapping
from typing import Any, cast

from torch import nn

from glassbench.errors import FOREIGN, RunError
from glassbench.experiments.choice import Choice, settled
from glassbench.experiments.experiment import Use
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.settings import arguments
from glassbench.pipeline.building import build_model
from glassbench.pipeline.run_context import RunContext

_NARROWEST = 4
"""Widths are not reduced below this."""


def student(context: RunContext, use: Mapping[str, Any] | None, share: float) -> nn.Module:
    """Return an untrained network for a run.

    Args:
        context: The run.
        use: A model's name and settings; None for the run's own model with its widths reduced.
        share: What is left of each width, of the run's own model or of the one named.

    Raises:
        GlassbenchError: It cannot be built, is no network, or has no width that could be reduced.
    """
    choice = cast(Choice, context.plan.model) if use is None else _chosen(context, use)
    made = _network(context, choice)
    return made if share >= 1 else _network(context, _narrowed(context, choice, made, share))


def _chosen(context: RunContext, use: Mapping[str, Any]) -> Choice:
    named = Use.model_validate(dict(use))
    document = Document(content={}, text="", name="student", lines={})
    return settled(context.registry.find("model", named.use), named.settings, "student", document)


def _network(context: RunContext, choice: Choice) -> nn.Module:
    schema = context.task.model_schema(context.schema)
    made = build_model(choice, schema, context.plan.seed)
    if not isinstance(made, nn.Module):
        raise RunError("a student must be a network", got=choice.component.spec.name, fix="name a model of form 'module'")
    return context.task.adapt(made, context.schema)


def _narrowed(context: RunContext, choice: Choice, made: nn.Module, share: float) -> Choice:
    """Return a model with those of its whole-number settings reduced that make it smaller, as far as it can be built so."""
    whole, changes = _weights(made), dict[str, Any]()
    for name, value in arguments(choice.settings).items():
        less = _less(value, share)
        if less != value and _built_smaller(context, _with(choice, {name: less}), whole):
            changes[name] = less
    while changes and not _built_smaller(context, _with(choice, changes), whole):
        changes.popitem()
    if not changes:
        fix = "name one: distilled.student='{use: mlp, hidden: [16]}'"
        raise RunError("no setting of this model makes it smaller", got=choice.component.spec.name, fix=fix)
    return _with(choice, changes)


def _with(choice: Choice, changes: Mapping[str, Any]) -> Choice:
    return Choice(choice.component, choice.factory, choice.settings.model_copy(update=dict(changes)))


def _built_smaller(context: RunContext, choice: Choice, whole: int) -> bool:
    try:
        return _weights(_network(context, choice)) < whole
    except FOREIGN:
        return False


def _weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _less(value: Any, share: float) -> Any:
    """Return a width, or widths, reduced to a share; anything else as it is."""
    if isinstance(value, tuple) and value:
        return tuple(_less(inner, share) for inner in value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= _NARROWEST:
        return value
    return max(_NARROWEST, round(value * share))

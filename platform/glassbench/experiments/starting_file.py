"""A commented experiment to start from."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from glassbench.contracts.specs import AuditSpec, DatasetSpec, ModelSpec, TaskSpec, TrainerSpec
from glassbench.experiments.experiment_file import dump
from glassbench.experiments.settings import settings_model
from glassbench.registry import Component, Registry

ABOUT = (
    "# What no audit can find out; the report, the summary for a committee and the model card quote it.",
    "#about:",
    "#  purpose: what the model is for, and whom it decides about",
    "#  owner: who answers for it",
    "#  limits: where it must not be used",
    "#  contacts: whom to ask",
)
"""The optional texts of an experiment, as comments."""


def starting_file(registry: Registry, *, dataset: str, task: str, model: str) -> str:
    """Return an experiment that runs as it is, every setting of its components beside it as a comment with its default.

    Raises:
        ComponentError: A name leads to no component.
    """
    chosen = {role: registry.find(role, name) for role, name in (("dataset", dataset), ("task", task), ("model", model))}
    form = cast(ModelSpec, chosen["model"].spec).form
    specs = [(c, cast(TrainerSpec, c.spec)) for c in registry.of_kind("trainer")]
    trainers = [c for c, spec in specs if spec.trains == form and spec.usual]
    audits = [c for c in registry.of_kind("audit") if cast(AuditSpec, c.spec).default]
    parts = [
        "# A Glassbench experiment. `glassbench plan` checks it, `glassbench run` trains, audits and reports.",
        "# Settings behind # show their defaults; take the # away to change one.",
        f"name: {chosen['dataset'].spec.name}-{chosen['model'].spec.name}",
        "",
        *ABOUT,
        "",
        *(line for role, component in chosen.items() for line in _section(role, component, _given(role, chosen))),
        *(line for component in trainers[:1] for line in _section("trainer", component)),
        "audits:",
        *(line for component in audits for line in _audit(component)),
        "",
        "# A gate passes only when the whole interval meets its threshold; `on: value` looks at the point value alone.",
        "gates: []",
        "#  - {measure: performance.accuracy, at_least: 0.65}",
        "#  - {measure: fairness.equalized_odds_difference, by: sex, at_most: 0.2}",
        "",
        "# Seed of everything random.",
        "seed: 0",
    ]
    return "\n".join(parts) + "\n"


def _given(role: str, chosen: Mapping[str, Component]) -> tuple[str, ...]:
    """Return the settings that must not stay at their default: the kind of target the task predicts."""
    dataset, task = cast(DatasetSpec, chosen["dataset"].spec), cast(TaskSpec, chosen["task"].spec)
    if role == "dataset" and dataset.target_setting and task.predicts in dataset.targets:
        return (f"  {dataset.target_setting}: {task.predicts}",)
    return ()


def _section(role: str, component: Component, given: Sequence[str] = ()) -> list[str]:
    head = [f"# {component.spec.summary}", f"{role}:", f"  use: {component.spec.name}", *given]
    set_already = {line.partition(":")[0].strip() for line in given}
    return [*head, *_settings(component, "  ", set_already), ""]


def _audit(component: Component) -> list[str]:
    return [f"  # {component.spec.summary}", f"  {component.spec.name}:", *_settings(component, "    ")]


def _settings(component: Component, indent: str, set_already: Collection[str] = ()) -> list[str]:
    lines: list[str] = []
    for name, field in settings_model(component.load()).model_fields.items():
        if name in set_already:
            continue
        if field.description:
            lines.append(f"{indent}# {name}: {field.description}")
        if field.is_required():
            lines.append(f"{indent}{name}:  # required")
        else:
            lines.append(f"{indent}#{_one_line(name, field.get_default(call_default_factory=True))}")
    return lines


def _one_line(name: str, default: Any) -> str:
    plain = list(default) if isinstance(default, tuple | set | frozenset) else default
    text = dump({name: plain}) if isinstance(plain, str | int | float | bool | list | dict | type(None)) else f"{name}: {plain}"
    return " ".join(text.split()) if "\n" not in text.strip() else f"{name}: {plain}"

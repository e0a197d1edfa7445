"""Which gap of a run is to be mended, which mitigations can serve it, and why the others cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.specs import MitigationSpec
from glassbench.contracts.task import Task
from glassbench.errors import GlassbenchError, RunError, SettingsError, suggest
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.mitigations import check_rows
from glassbench.experiments.planning import make_plan
from glassbench.experiments.settings import settings_model, settle
from glassbench.pipeline.building import build_model
from glassbench.pipeline.mitigated_data import check_mitigations, wrapped
from glassbench.pipeline.run_context import RunContext
from glassbench.registry import Component, Registry

_GAP, _SMALL = "_difference", "_without_small"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A mitigation and whether it can serve a run.

    Args:
        name: Its short name.
        use: What an experiment writes to use it against the gap.
        reason: Why it cannot serve the run, in words; None where it can.
        notes: What its spec says: heading and words.
    """

    name: str
    use: Mapping[str, Any]
    reason: str | None
    notes: tuple[tuple[str, str], ...]


def worst_gap(
    results: Sequence[AuditResult],
    gates: Sequence[Mapping[str, Any]] = (),
    *,
    measure: str | None = None,
    by: Sequence[str] | None = None,
) -> Measure:
    """Return the gap between groups that is to be mended.

    Without a name, it is the one whose interval lies highest: among those that fail a gate, else among those that findings of
    concern rest on, where there are any. Where groups are too small to tell, it is the gap without them, unless a gate asked for
    that of all.

    Args:
        results: What the audits found.
        gates: The gates of the run, as `verdict.json` holds them.
        measure: Its name; None for the gravest.
        by: The sensitive features whose groups it compares; None for any.

    Raises:
        RunError: The run measured no such gap.
    """
    gaps = [m for r in results for m in r.measures if m.by and m.group is None and _is_gap(m.name) and m.value is not None]
    found = [m for m in gaps if (measure is None or m.name == measure) and (by is None or m.by == tuple(by))]
    if not found:
        names = sorted({m.name for m in gaps})
        features = sorted({" ".join(m.by or ()) for m in gaps})
        wanted = " ".join([*([measure] if measure else []), *([f"by {', '.join(by)}"] if by else [])])
        raise RunError(
            "the run measured no such gap between groups" if wanted else "the run measured no gap between groups",
            got=wanted or "no measure by a sensitive feature",
            available=names if measure is not None and measure not in names else features,
            fix=(suggest(measure, names) if measure else None)
            or "run the audit 'fairness', with columns named under dataset.sensitive",
        )
    grave = {name for r in results for f in r.findings if f.grade == "concern" for name in f.measures}
    failed = [(m["name"], m["by"] and tuple(m["by"])) for g in gates if g["verdict"] == "fail" for m in g.get("compared") or ()]

    told = {(m.name, m.by) for m in found}
    if measure is None:
        found = [m for m in found if (m.name, m.by) in failed or (f"{m.name}{_SMALL}", m.by) not in told]

    def gravity(gap: Measure) -> tuple[bool, bool, bool, float, float]:
        low = gap.low if gap.low is not None else -1.0
        return (gap.name, gap.by) in failed, gap.name in grave, len(gap.by or ()) == 1, low, gap.value or 0.0

    return max(found, key=gravity)


def _is_gap(name: str) -> bool:
    return name.removesuffix(_SMALL).endswith(_GAP)


def _stem(name: str) -> str:
    """Return what a gap is a gap of: `fairness.precision`."""
    return name.removesuffix(_SMALL).removesuffix(_GAP)


def proposals(context: RunContext, gap: Measure, registry: Registry) -> list[Proposal]:
    """Return every installed mitigation, with the settings for the gap, and whether it can serve the run.

    Args:
        context: The run.
        gap: The gap that is to be mended.
        registry: The plugins.

    Raises:
        RunError: Model or rows were external, so that nothing can be trained again.
    """
    if context.plan.external or context.plan.trainer is None:
        fix = "give the experiment a model and a trainer, so that it can be trained again"
        raise RunError("nothing of this run can be trained again", got="external decisions or an external model", fix=fix)
    return [_proposal(component, context, gap, registry) for component in registry.of_kind("mitigation")]


def _proposal(component: Component, context: RunContext, gap: Measure, registry: Registry) -> Proposal:
    spec = cast(MitigationSpec, component.spec)
    use: dict[str, Any] = {"use": component.canonical}
    try:
        use |= _settings(component, gap)
        _try(use, context, registry)
    except GlassbenchError as error:
        words = error.problem.partition(": ")[2] or error.problem
        return Proposal(name=spec.name, use=use, reason=words, notes=spec.notes)
    return Proposal(name=spec.name, use=use, reason=None, notes=spec.notes)


def _settings(component: Component, gap: Measure) -> dict[str, Any]:
    """Return the settings that point a mitigation at a gap: its features, and the constraint of the gap's name."""
    factory = component.load()
    fields = settings_model(factory).model_fields
    found: dict[str, Any] = {"features": list(gap.by or ())} if "features" in fields else {}
    constraint = _stem(gap.name).rpartition(".")[2]
    if "constraint" not in fields:
        return found
    try:
        settle(factory, {**found, "constraint": constraint}, "mitigations")
    except SettingsError:
        return found
    return {**found, "constraint": constraint}


def _try(use: Mapping[str, Any], context: RunContext, registry: Registry) -> None:
    """Make sure that a mitigation can serve a run's task, rows and model."""
    plan = make_plan(read_experiment(unmitigated(context, [use])), registry)
    data, seed = context.data, plan.seed
    check_rows(plan.mitigations, data.schema, streamed=data.stream is not None)
    assert plan.model is not None
    task = cast(Task, plan.task.make())
    task.check(data.schema)
    model = build_model(plan.model, task.model_schema(data.schema), seed)
    check_mitigations(plan.mitigations, data, task, wrapped(model, plan.mitigations.made(), None))


def unmitigated(context: RunContext, mitigations: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return a run's experiment as its content, with other mitigations and without gates on a baseline run."""
    content = {key: value for key, value in context.plan.resolved.items() if key not in ("overrides", "mitigations")}
    content["gates"] = [gate for gate in content.get("gates", []) if gate.get("no_worse_than") is None]
    return {**content, "mitigations": [dict(one) for one in mitigations]}

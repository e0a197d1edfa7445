"""What the audits of a plan will measure, and whether gates and objectives ask for that."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import cast

from glassbench.contracts.metric import Metric
from glassbench.contracts.specs import AuditSpec
from glassbench.contracts.spelled_names import as_known
from glassbench.contracts.task import Task
from glassbench.errors import ExperimentError, suggest
from glassbench.experiments.choice import Choice
from glassbench.experiments.gates import Gate, matches, misdirected
from glassbench.experiments.plan import Plan


def check_gates(plan: Plan) -> None:
    """Make sure that every gate's measure is measured, and that its threshold makes sense.

    Raises:
        ExperimentError: A gate speaks of what no audit measures, or is fulfilled, or missed, whatever comes.
    """
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
    names = sorted(f"{name}.{one}" for name, choice in plan.audits.items() for one in _names(choice, plan))
    if not any(matches(measure.partition("[")[0], name) for name in names):
        raise ExperimentError(
            f"the audit '{audit}' measures no '{measure}'",
            where=where,
            got=measure,
            available=[name for name in names if name.startswith(f"{audit}.")],
            fix=suggest(measure, names),
        )


def _names(audit: Choice, plan: Plan) -> Iterable[str]:
    """Return the names of the measures an audit yields in a plan, as far as its spec tells them beforehand."""
    names = cast(AuditSpec, audit.component.spec).measures or ()
    metrics = [metric.name for metric in _metrics(plan)] if any("{metric}" in n for n in names) else []
    return [n.replace("{metric}", metric) for n in names for metric in (metrics if "{metric}" in n else [""])]


def _metrics(plan: Plan) -> tuple[Metric, ...]:
    """Return the metrics of the task, and of what mitigations decide."""
    return (*cast(Task, plan.task.make()).metrics, *(metric for one in plan.mitigations.made() for metric in one.metrics))


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


def _known_of(gate: Gate, plan: Plan) -> tuple[bool | None, float | None, float | None]:
    """Return the direction of a gate's measure, what it can never exceed and never fall below, as far as known beforehand."""
    audit, _, name = gate.measure.partition("[")[0].partition(".")
    spec = cast(AuditSpec, plan.audits[audit].component.spec)
    for metric in _metrics(plan) if "{metric}" in (spec.measures or ()) else ():
        if name in (metric.name, f"{metric.name}_baseline"):
            return metric.higher_is_better, metric.bounds[1], metric.bounds[0]
    sides = ((True, spec.higher_is_better), (False, spec.lower_is_better))
    better = next((side for side, patterns in sides if any(fnmatchcase(name, p) for p in patterns)), None)
    return better, 1.0 if any(fnmatchcase(name, p) for p in spec.shares) else None, None

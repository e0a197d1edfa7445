"""Which audits could have been asked for, and what the task decides: what a report says of what it does not hold."""

from typing import Any, cast

from glassbench.contracts.data import Data, Split
from glassbench.contracts.specs import AuditSpec
from glassbench.contracts.task import Task
from glassbench.experiments.plan import Plan
from glassbench.registry import Registry


def offered(registry: Registry, plan: Plan, data: Data) -> dict[str, Any]:
    """Return what `provenance.json` says of audits and task.

    Args:
        registry: Every component.
        plan: What runs.
        data: The rows.

    Returns:
        `audits_available`: short names of the audits that are about such rows; `audits_unfit`: how many others there are;
        `questions`: which question of a committee each audit answers, by short name; `decides`: what the task decides, in words,
        empty where that is not known.
    """
    kind = cast(Task, plan.task.make()).kind
    components = registry.of_kind("audit")
    fit = [one.name for one in components if about(cast(AuditSpec, one.spec), data, kind.name)]
    return {
        "audits_available": fit,
        "audits_unfit": len(components) - len(fit),
        "questions": {one.name: answers for one in components if (answers := cast(AuditSpec, one.spec).answers)},
        "decides": kind.decided_words(data.schema),
    }


def about(spec: AuditSpec, data: Data, kind: str) -> bool:
    """Whether an audit is about such rows and predictions of such a kind.

    Args:
        spec: What the audit says of itself.
        data: The rows.
        kind: The predictions' kind (`PredictionKind.name`).
    """
    schema = data.schema
    missing = {
        "groups": not set(schema.sensitive) - set(schema.unequal),
        "training data": not isinstance(data.train, Split),
        "truth": schema.target.kind == "none",
    }
    return (
        not any(missing.get(need, False) for need in spec.needs)
        and (not spec.kinds or kind in spec.kinds)
        and (not spec.modalities or schema.modality in spec.modalities)
        and (not spec.people or not set(schema.sensitive) <= set(schema.conditions))
    )

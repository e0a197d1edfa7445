"""The audit of counterfactuals, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of counterfactuals."""
    yield AuditSpec(
        name="counterfactuals",
        summary="What would have to be different for a decision to be another, within what can change",
        target="glassbench_audits.counterfactuals.audit:audit",
        needs=("model", "predictions", "training data"),
        measures=("validity", "changes", "distance"),
    )

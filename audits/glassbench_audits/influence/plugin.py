"""The audit of influential training rows, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of influential training rows."""
    yield AuditSpec(
        name="influence",
        summary="Which training rows decisions rest on, and which stand against all others (likely wrong labels)",
        target="glassbench_audits.influence.audit:audit",
        needs=("model", "gradients", "predictions", "truth", "training data"),
        measures=("largest_share", "contradicted", "removal_gain"),
    )

"""The audit of concepts, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of concepts."""
    yield AuditSpec(
        name="concepts",
        summary="Do concepts that a person names move the decisions inside the network (TCAV), more than random ones do",
        target="glassbench_audits.concepts.audit:audit",
        needs=("model", "gradients", "predictions", "training data"),
        measures=("share", "strength", "p_value"),
    )

"""The learning audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the learning audit."""
    yield AuditSpec(
        name="learning",
        summary="Curves, overfitting, spikes, gradients per layer and time step, units that never fire.",
        target="glassbench_audits.learning.audit:audit",
        needs=("history",),
        measures=("rise", "gap", "loss_spikes", "rate_spikes", "gradient_ratio", "time_ratio", "dead_units"),
        default=True,
    )

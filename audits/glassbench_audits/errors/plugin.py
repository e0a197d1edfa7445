"""The errors audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the errors audit."""
    yield AuditSpec(
        name="errors",
        summary="Slices where the model does worst, by one to three features, each tested on rows it was not found on.",
        target="glassbench_audits.errors.audit:audit",
        needs=("predictions", "truth"),
        measures=("slices", "error_rate", "mean_absolute_error", "worst_ratio", "detectable_ratio"),
        default=True,
    )

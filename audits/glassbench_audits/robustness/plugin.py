"""The robustness audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the robustness audit."""
    yield AuditSpec(
        name="robustness",
        summary="Accuracy under attacks (FGSM, PGD) and corruptions that fit the rows, overall and per group; fragile features.",
        target="glassbench_audits.robustness.audit:audit",
        needs=("model",),
        measures=("quality", "drop", "worst_drop", "fragile_features"),
    )

"""The performance audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the performance audit."""
    yield AuditSpec(
        name="performance",
        summary="Metrics on held-out rows with intervals, against the simplest baseline; per class, or as errors of values.",
        target="glassbench_audits.performance.audit:audit",
        answers="quality",
        needs=("predictions",),
        # Precision and recall come per class: `performance.recall[name]`.
        measures=("{metric}", "{metric}_baseline", "{metric}_gain", "precision", "recall"),
        higher_is_better=("*_gain", "precision", "recall"),
        shares=("precision", "recall"),
        default=True,
        counted=True,
        weighted=True,
        unknown_outcomes=True,
        recomputed="glassbench_audits.performance.recomputed:recomputed",
        references=("*_baseline", "*_gain"),
    )

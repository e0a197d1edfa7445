"""The data audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the data audit."""
    yield AuditSpec(
        name="data",
        summary="Missing values, duplicates across splits, conflicting and doubtful labels, drift, classes and groups.",
        target="glassbench_audits.data.audit:audit",
        answers="data",
        needs=("training data",),
        measures=(
            "missing",
            "constant_columns",
            "unique_columns",
            "leakage",
            "same_inputs",
            "near_copies",
            "duplicates",
            "repeated_ids",
            "shared_ids",
            "quasi_identified",
            "shared_quasi_identified",
            "conflicts",
            "leaking_columns",
            "hidden_leaks",
            "suspected_leaks",
            "label_errors",
            "label_errors_held_out",
            "suspected_labels",
            "suspected_labels_held_out",
            "drifting",
            "drift_auc",
            "smallest_class",
            "smallest_group",
            "label_rate",
        ),
        default=True,
        row_changes="glassbench_audits.data.row_changes:row_changes",
    )

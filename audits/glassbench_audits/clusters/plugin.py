"""The clusters audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the clusters audit."""
    yield AuditSpec(
        name="clusters",
        summary="What sets each cluster apart, typical and borderline rows, stability, and the composition by group",
        target="glassbench_audits.clusters.audit:audit",
        needs=("predictions",),
        # Sizes, stabilities and shares come per cluster: `clusters.size[cluster 0]`.
        measures=(
            "count",
            "smallest_share",
            "size",
            "stability",
            "cluster_stability",
            "structure_p_value",
            "silhouette",
            "silhouette_shuffled",
            "balance",
            "balance_of_all_rows",
            "imbalance",
            "share",
            "distance",
        ),
        default=True,
        kinds=("clusters",),
    )

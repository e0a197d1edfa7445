"""The audit of exposure, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of exposure."""
    yield AuditSpec(
        name="exposure",
        summary="Which items are recommended beside those that users choose: groups of items, popular ones, and how many at all",
        target="glassbench_audits.exposure.audit:audit",
        answers="differences",
        needs=("predictions",),
        kinds=("rankings",),
        measures=(
            "share",
            "chosen_share",
            "gap",
            "popularity_lift",
            "popularity_lift_baseline",
            "coverage",
            "gini",
        ),
        higher_is_better=("coverage",),
        lower_is_better=("popularity_lift", "gini"),
        shares=("share", "chosen_share", "coverage", "gini"),
        references=("popularity_lift_baseline",),
        default=True,
        weighted=True,
    )

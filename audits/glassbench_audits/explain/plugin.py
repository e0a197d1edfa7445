"""The explanation audit, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the explanation audit."""
    yield AuditSpec(
        name="explain",
        summary="Why the model decides as it does (Captum), and how far that explanation can be trusted",
        target="glassbench_audits.explain.audit:explain",
        answers="reasons",
        needs=("model", "predictions"),
        measures=(
            "completeness_error",
            "infidelity",
            "deletion_advantage",
            "deletion_area",
            "deletion_share",
            "insertion_advantage",
            "insertion_area",
            "insertion_share",
            "stability",
            "max_sensitivity",
            "seed_agreement",
            "seed_overlap",
            "method_agreement",
            "method_overlap",
            "randomization_correlation",
            "contradiction",
            "asked_auc",
            "asked_carried_over",
            "exchange_untold",
            "signal_p_value",
            "skill",
            "skill_share",
            "untrained_share",
            "reliable",
            "weakest_margin",
            "largest_share",
            "interaction_share",
        ),
        default=True,
    )

"""The audit of memorisation, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of memorisation."""
    yield AuditSpec(
        name="memorisation",
        summary="Has a model learnt training rows by heart: texts and planted secrets it reads, or rows it generates",
        target="glassbench_audits.memorisation.audit:audit",
        needs=("model", "predictions", "training data"),
        kinds=("tokens", "generated"),
        modalities=("text", "image"),
        measures=(
            "loss_gap",
            "membership_auc",
            "continued_training",
            "continued_held_out",
            "continued_difference",
            "exposure",
            "canary_p_value",
            "nearest_is_training",
            "nearest_excess",
            "nearest_p_value",
            "copied",
            "copied_held_out",
        ),
        higher_is_better=("*_p_value",),
        lower_is_better=(
            "loss_gap",
            "membership_auc",
            "continued_*",
            "exposure",
            "nearest_is_training",
            "nearest_excess",
            "copied",
        ),
        shares=(
            "membership_auc",
            "continued_training",
            "continued_held_out",
            "*_p_value",
            "nearest_is_training",
            "copied",
            "copied_held_out",
        ),
    )

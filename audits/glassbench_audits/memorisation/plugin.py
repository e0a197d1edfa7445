"""The audit of memorisation, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of memorisation."""
    yield AuditSpec(
        name="memorisation",
        summary="Has a language model learnt training text by heart: losses, exact continuations, exposure of planted secrets",
        target="glassbench_audits.memorisation.audit:audit",
        needs=("model", "predictions", "training data"),
        kinds=("tokens",),
        modalities=("text",),
        measures=(
            "loss_gap",
            "membership_auc",
            "continued_training",
            "continued_held_out",
            "continued_difference",
            "exposure",
            "canary_p_value",
        ),
        higher_is_better=("canary_p_value",),
        lower_is_better=("loss_gap", "membership_auc", "continued_*", "exposure"),
        shares=("membership_auc", "continued_training", "continued_held_out", "canary_p_value"),
    )

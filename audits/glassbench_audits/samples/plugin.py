"""The audit of generated rows, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of generated rows."""
    yield AuditSpec(
        name="samples",
        summary="What a generative model makes of each class: samples, what the class changes, which classes lack variety",
        target="glassbench_audits.samples.audit:audit",
        needs=("model", "predictions", "training data"),
        kinds=("generated",),
        modalities=("image",),
        answers="quality",
        default=True,
        measures=(
            "recognised",
            "class_share",
            "noise_share",
            "class_agreement",
            "training_lack",
            "training_lack_p_value",
            *(f"{name}{beside}" for name in ("coverage", "recall") for beside in ("", "_training", "_gap", "_p_value")),
        ),
        higher_is_better=("recognised*", "class_agreement*", "coverage[[]*", "recall[[]*", "*_p_value*"),
        lower_is_better=("*_gap*", "training_lack[[]*"),
        shares=("recognised*", "class_share", "noise_share", "coverage[[]*", "recall[[]*", "*_training*", "*_p_value*"),
    )

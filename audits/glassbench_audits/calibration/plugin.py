"""The calibration audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the calibration audit."""
    yield AuditSpec(
        name="calibration",
        summary="Do stated probabilities come true: reliability, calibration error, Brier score, conformal sets; per group.",
        target="glassbench_audits.calibration.audit:audit",
        needs=("predictions", "truth"),
        measures=(
            "calibration_error",
            "bias",
            "p_value",
            "brier",
            "confidence_brier",
            "reliability",
            "resolution",
            "uncertainty",
            "coverage",
            "set_size",
        ),
        lower_is_better=("calibration_error", "brier", "confidence_brier", "reliability", "set_size"),
        higher_is_better=("resolution",),
        shares=("calibration_error", "coverage", "p_value"),
        default=True,
    )

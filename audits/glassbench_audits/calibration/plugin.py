"""The calibration audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the calibration audit."""
    yield AuditSpec(
        name="calibration",
        summary="Do probabilities and intervals come true: reliability, calibration error, Brier score, coverage; per group.",
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
            "width",
            "interval_score",
            "pinball_loss",
            "share_below",
            "crossed_quantiles",
        ),
        lower_is_better=(
            "calibration_error",
            "brier",
            "confidence_brier",
            "reliability",
            "set_size",
            "width",
            "interval_score",
            "pinball_loss",
            "crossed_quantiles",
        ),
        higher_is_better=("resolution",),
        shares=("calibration_error", "coverage", "p_value", "share_below", "crossed_quantiles"),
        default=True,
        weighted=True,
    )

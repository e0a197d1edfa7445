"""The fairness audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.hookspecs import hookimpl
from glassbench.specs import AuditSpec

RATES = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "accuracy",
)
VALUES = ("mean_prediction", "mean_error", "mean_absolute_error", "r2")
GAPS = ("demographic_parity", "equalized_odds", "equal_opportunity")


def _measures() -> Iterable[str]:
    """Yield the plain names; each may also come per class, as `name[class]`."""
    for metric in (*RATES, *VALUES, "{metric}"):
        yield metric
    for metric in (*GAPS, *RATES, *VALUES, "{metric}"):
        for gap in ("difference", "ratio"):
            yield f"{metric}_{gap}"
            yield f"{metric}_{gap}_without_small"
    yield "four_fifths"
    yield "four_fifths_without_small"


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the fairness audit."""
    yield AuditSpec(
        name="fairness",
        summary="Rates or errors per group of each sensitive feature and their intersections, the gaps, and how sure each is.",
        target="glassbench_audits.fairness.audit:audit",
        needs=("predictions", "truth", "groups"),
        measures=tuple(_measures()),
        default=True,
    )

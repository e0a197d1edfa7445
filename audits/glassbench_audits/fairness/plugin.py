"""The fairness audit, as the registry sees it."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec

RATES = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
    "false_discovery_rate",
    "false_omission_rate",
    "accuracy",
)
_FALSE = ("positive", "negative", "discovery", "omission")
VALUES = ("mean_prediction", "mean_signed_error", "mean_absolute_error", "r2")
CRITERIA = ("demographic_parity", "equalized_odds", "equal_opportunity")


def _measures() -> Iterable[str]:
    """Yield the plain names; each may also come per class, as `name[class]`."""
    for metric in (*RATES, *VALUES, "{metric}"):
        yield metric
    for gap in ("difference", "difference_without_small", "difference_adjusted"):
        for metric in (*CRITERIA, *RATES, *VALUES, "{metric}"):
            yield f"{metric}_{gap}"
    for gap in ("ratio", "ratio_without_small"):
        for metric in (*CRITERIA, *RATES):
            yield f"{metric}_{gap}"
    for metric in (*RATES, *VALUES):
        yield from (f"{metric}_difference_to_reference", f"{metric}_ratio_to_reference")
    for criterion in (*CRITERIA, *RATES):
        yield f"{criterion}_difference_within"
    yield "four_fifths"
    yield "four_fifths_without_small"


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the fairness audit, that of identity terms, and the optional measures of inequality."""
    yield AuditSpec(
        name="fairness",
        summary="Rates or errors per group of each sensitive feature and their intersections, gaps, and how sure they are.",
        target="glassbench_audits.fairness.audit:audit",
        answers="differences",
        needs=("predictions", "groups"),
        measures=tuple(_measures()),
        higher_is_better=("four_fifths*", "*_ratio", "*_ratio_without_small", "true_positive_rate", "precision", "accuracy"),
        lower_is_better=("*_difference", "*_difference_*", *(f"false_{kind}_rate" for kind in _FALSE)),
        shares=(
            "four_fifths*",
            "*_ratio",
            "*_ratio_without_small",
            *RATES,
            *(f"{name}_difference*" for name in (*CRITERIA, *RATES)),
        ),
        default=True,
        counted=True,
        weighted=True,
        unknown_outcomes=True,
        recomputed="glassbench_audits.fairness.recomputed:recomputed",
    )
    yield AuditSpec(
        name="identity",
        summary="What a text's mention of a group does to its decision: swaps of identity terms, subgroup, BPSN and BNSP areas.",
        target="glassbench_audits.fairness.identity_terms:identity",
        answers="differences",
        needs=("model", "predictions"),
        modalities=("text",),
        measures=("flip_share", "score_shift", "auc", "subgroup_auc", "bpsn_auc", "bnsp_auc"),
    )
    yield AuditSpec(
        name="inequality",
        summary="Generalised entropy, Theil, parts between and within groups, consistency, differential fairness: figures.",
        target="glassbench_audits.fairness.inequality:inequality",
        answers="differences",
        people=True,
        needs=("predictions", "groups"),
        measures=(
            "generalized_entropy",
            "theil",
            "between_group_entropy",
            "within_group_entropy",
            "consistency",
            "differential_fairness",
        ),
        counted=True,
        weighted=True,
        unknown_outcomes=True,
    )

"""The audits of selection rates, as the registry sees them."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the impact ratios of Local Law 144 and the four-fifths rule."""
    yield AuditSpec(
        name="local-law-144",
        summary="Impact ratios as New York City's Local Law 144 asks for them (6 RCNY 5-301): figures, no pass mark.",
        target="glassbench_audits.selection.local_law_144:audit",
        answers="differences",
        needs=("predictions", "groups"),
        kinds=("classes", "labels", "values", "actions"),
        people=True,
        measures=("selection_rate", "scoring_rate", "impact_ratio", "scoring_impact_ratio", "unknown"),
        counted=True,
        unknown_outcomes=True,
    )
    yield AuditSpec(
        name="four-fifths",
        summary="The EEOC's four-fifths rule beside a significance test, with what the rule is wrongly used for.",
        target="glassbench_audits.selection.four_fifths:audit",
        answers="differences",
        needs=("predictions", "groups"),
        kinds=("classes", "labels", "values", "actions"),
        people=True,
        measures=("ratio", "p_value", "lowest_ratio"),
        counted=True,
        unknown_outcomes=True,
    )

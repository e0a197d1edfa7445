"""The audit of exposure: which items are recommended, beside those that users choose."""

from collections.abc import Mapping

import numpy as np

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.contracts.predictions.outputs import RankingOutput
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.settings_types import Level, OpenShare, Share
from glassbench_audits.exposure import exhibits
from glassbench_audits.exposure.shares import (
    POPULAR,
    POPULARITY,
    coverage,
    exposure_of,
    largest,
    popular_items,
    popularity_lift,
    reference_lists,
)

_REFERENCES = (
    "Singh, Joachims (2018): Fairness of exposure in rankings",
    "Abdollahpouri, Mansoury, Burke, Mobasher (2019): The unfairness of popularity bias in recommendation",
)


def audit(subject: Subject, *, tolerance: Share = 0.1, popular: OpenShare = 0.2, level: Level = 0.95) -> AuditResult:
    """Compare how often groups of items are recommended with how often users choose them.

    Recommendations are held against the items that users then chose; where these are not known, against those of their past.

    Args:
        subject: What is examined.
        tolerance: Largest gap between a group's share of recommended places and of choices that a finding lets pass, and the
            share by which recommended items may be more popular than chosen ones.
        popular: The share of items, those with most training interactions, that count as popular.
        level: Confidence level of the intervals.
    """
    if reason := subject.missing(("predictions",)):
        return _not_applicable(reason)
    output = subject.kind.ranking_output(subject.predictions.frame, subject.schema)
    if output is None:
        return _not_applicable("the predictions are no rankings of known items")
    found = reference_lists(output)
    if found is None:
        return _not_applicable("neither what users chose nor their past is known of every row")
    chosen, against = found
    sampling = subject.predictions.sampling
    grouping: Mapping[str, np.ndarray] = {**output.groups, POPULARITY: popular_items(output.popularity, popular)}
    exposed = exposure_of(output, chosen, grouping, sampling, level)
    lift = popularity_lift(output, chosen, sampling, level)
    covered, gini = coverage(output)
    baseline = _baseline_lift(subject, chosen, level)
    first = next(one for one in exposed if one.feature == POPULARITY and one.group == POPULAR)
    return AuditResult(
        findings=(
            *(exhibits.exposure_finding(largest(exposed, feature), tolerance, against) for feature in output.groups),
            exhibits.popularity_finding(lift, baseline, first, tolerance, against),
            exhibits.coverage_finding(covered, gini, len(output.items), len(chosen)),
        ),
        measures=(
            *exhibits.group_measures(exposed),
            Measure.of("exposure.popularity_lift", lift, higher_is_better=False),
            Measure.of("exposure.popularity_lift_baseline", baseline),
            Measure(name="exposure.coverage", value=covered, n=len(chosen), higher_is_better=True),
            Measure(name="exposure.gini", value=gini, n=len(chosen), higher_is_better=False),
        ),
        tables=(exhibits.exposure_table(exposed, against, level),),
        charts=(exhibits.exposure_chart(exposed, against),),
        method=_method(tolerance, popular, level, output, against),
    )


def _baseline_lift(subject: Subject, chosen: np.ndarray, level: float) -> Estimate:
    """Return the lift where everybody is recommended the most popular items."""
    guess = subject.kind.baseline(subject.predictions.frame, subject.schema, None)
    output = None if guess is None else subject.kind.ranking_output(guess.frame, subject.schema)
    if output is None:
        return Estimate(value=None, level=level, undefined="there is no baseline")
    return popularity_lift(output, chosen, subject.predictions.sampling, level)


def _method(tolerance: float, popular: float, level: float, output: RankingOutput, against: str) -> Method:
    return Method(
        summary=(
            f"Each group's share of the recommended places was compared with its share of {against}, user by user; intervals are "
            "over users. Popular items are those with most training interactions."
        ),
        parameters={
            "tolerance": tolerance,
            "popular": popular,
            "level": level,
            "places": int(output.recommended.shape[1]),
            "items": len(output.items),
        },
        references=_REFERENCES,
        cautions=(
            "What users chose may be shaped by what they were shown: equal shares do not prove that nobody was passed over.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Not run."), not_applicable=reason)

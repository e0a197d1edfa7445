"""Whose good parity speaks of: where nobody says which outcome is good for a person, every direction is shown and none judged."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.positive_class import unknown_favourable
from glassbench.contracts.subject import Subject
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.grading import Rules
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.group_frames import good_outcomes
from glassbench_audits.fairness.frames.wording import figure
from glassbench_audits.fairness.next_steps import Advice

PARITY, FOUR_FIFTHS = "demographic_parity", "four_fifths"

_ABOUT = ("selection_rate", PARITY, FOUR_FIFTHS)
"""Measures that speak of the favourable outcome; one with a class in brackets says itself what it speaks of."""

_SHOWN = 4
"""The most outcomes whose ratios one sentence shows."""

Compared = Sequence[tuple[GroupFrame, Sequence[Comparison]]]


def lacking_direction(subject: Subject) -> str | None:
    """Return why parity of decisions cannot be judged, or None: nobody says which outcome is good for a person."""
    selecting = [output for output in subject.class_outputs if output.selects]
    if not selecting or good_outcomes(subject):
        return None
    return unknown_favourable(selecting[0].classes if len(selecting) == 1 else [str(output.name) for output in selecting])


def undirected(measure: Measure, reason: str | None, asked: Sequence[str]) -> Measure:
    """Return a measure with the reason why no gate judges it, where it speaks of a favourable outcome that nobody named.

    Args:
        measure: Any measure of the audit.
        reason: What `lacking_direction` says.
        asked: Criteria that the experiment asks to be judged all the same; a ratio has no direction even then.
    """
    stem = measure.name.removeprefix("fairness.")
    if reason is None or measure.value is None or "[" in stem or not stem.startswith(_ABOUT):
        return measure
    if PARITY in asked and not stem.startswith(FOUR_FIFTHS) and "_ratio" not in stem:
        return measure
    return Measure(**{**vars(measure), "not_judged": reason})


def direction_findings(compared: Compared, reason: str | None, rules: Rules, advice: Advice) -> Iterator[Finding]:
    """Yield for each feature what parity comes to for every outcome that may be the good one.

    No verdict is given, unless the four-fifths rule is broken whichever of two outcomes is good.

    Args:
        compared: Panels over all rows with their comparisons.
        reason: What `lacking_direction` says; nothing is yielded where that is None.
        rules: What is allowed, and the confidence level.
        advice: What is advised on such rows; parity is not asked of features that are no groups of people.
    """
    if reason is None:
        return
    asked = [one for one in compared if len(one[0].by) == 1 and len(one[0].groups) > 1 and one[0].by[0] not in advice.conditions]
    for frame, found in asked:
        told = [c for c in found if c.name.partition("[")[0] == PARITY and len(c.which) == 1]
        told = [c for c in told if c.large_ratio is not None and c.large_ratio.where is not None]
        if told and broken_both_ways(told, rules, len(asked)):
            yield _broken(frame, told, rules, advice)
        elif told:
            yield _direction(frame, told, reason, rules.level)


def broken_both_ways(told: Sequence[Comparison], rules: Rules, features: int) -> bool:
    """Whether the ratios of both of two outcomes lie below what is allowed by more than chance (Bonferroni)."""
    alpha = (1 - rules.level) / features
    ends = [(c.large_ratio.high, c.large_difference.p) for c in told if c.large_ratio is not None]
    return len(told) == 2 and all(
        high is not None and high < rules.ratio - 1e-9 and p is not None and p <= alpha for high, p in ends
    )


def _broken(frame: GroupFrame, told: Sequence[Comparison], rules: Rules, advice: Advice) -> Finding:
    said = "; ".join(_if_good(frame, c, rules.level) for c in told)
    return Finding(
        sentence=(
            f"By {frame.by[0]}, the four-fifths rule is broken whichever outcome is good for a person: {said}. Both ratios are "
            f"below the {rules.ratio:.2f} that the audit allows."
        ),
        grade="concern",
        measures=tuple(f"fairness.{FOUR_FIFTHS}[{frame.metrics[c.which[0]].outcome}]" for c in told),
        weight=0.72,
        by=frame.by,
        answers="differences",
        next_step=advice.remedied("Name the outcome that is good for a person (the setting `favourable`)"),
    )


def _direction(frame: GroupFrame, told: Sequence[Comparison], reason: str, level: float) -> Finding:
    said = "; ".join(_if_good(frame, c, level) for c in told[:_SHOWN])
    more = f"; and {len(told) - _SHOWN} more outcomes" if len(told) > _SHOWN else ""
    names = tuple(f"fairness.{FOUR_FIFTHS}[{frame.metrics[c.which[0]].outcome}]" for c in told[:_SHOWN])
    sentence = f"By {frame.by[0]}, no verdict is given on parity: {reason}. {said[0].upper()}{said[1:]}{more}."
    sure = len(told) == 2
    return Finding(
        sentence=sentence,
        grade="unclear" if sure else "not applicable",
        measures=names,
        weight=0.55 if sure else 0.2,
        by=frame.by,
        answers="differences",
        next_step="Name the outcome that is good for a person: the setting `favourable`.",
    )


def _if_good(frame: GroupFrame, comparison: Comparison, level: float) -> str:
    gap, metric = comparison.large_ratio, frame.metrics[comparison.which[0]]
    assert gap is not None
    assert gap.where is not None
    low, high = (figure(frame, gap.where.metric, g, level) for g in (gap.where.bottom, gap.where.top))
    few, many = (frame.groups[g].words for g in (gap.where.bottom, gap.where.top))
    ratio = f"{gap.value:.2f} [{gap.low:.2f}, {gap.high:.2f}]"
    return f"if “{metric.outcome}” is good, the ratio of its rates is {ratio}: {low} for {few}, {high} for {many}"

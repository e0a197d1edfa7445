"""Sentences a person can act on."""

from collections.abc import Iterator, Mapping, Sequence

from glassbench.contracts.evidence import Finding
from glassbench.contracts.measure_words import measure_words
from glassbench.printable import continued
from glassbench_audits.fairness.charts import chart_title
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.grading import FOUR_FIFTHS, Judgement
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.rates import ASSIGNED, GroupMetric
from glassbench_audits.fairness.frames.wording import figure, gap_value, gap_words, number
from glassbench_audits.fairness.next_steps import Advice

_NAMED = 8
"""The most gaps named in one sentence."""

_OPENINGS = {
    "selection_rate": "“{klass}” is predicted more often for {group}",
    "assignment_rate": "A larger share is assigned to “{klass}” for {group}",
    "true_positive_rate": "Actual “{klass}” is recognised less often for {group}",
    "false_negative_rate": "Actual “{klass}” is missed more often for {group}",
    "false_positive_rate": "Rows that are not “{klass}” are called so more often for {group}",
    "precision": "A predicted “{klass}” is right less often for {group}",
    "false_discovery_rate": "A predicted “{klass}” is wrong more often for {group}",
    "false_omission_rate": "Those not predicted “{klass}” are actual “{klass}” more often for {group}",
    "accuracy": "Decisions{about} are right less often for {group}",
    "mean_signed_error": "Predictions err upwards more, or downwards less, for {group}",
    "mean_absolute_error": "Predictions are further from the truth for {group}",
    "mean_prediction": "Predictions are higher for {group}",
    "return": "Episodes bring less reward for {group}",
    "exact_match": "Answers are right to the letter less often for {group}",
    "word_error_rate": "More words are written wrongly for {group}",
    "quality": "Answers stay further from the truth for {group}",
    "failure_rate": "Episodes end in failure more often for {group}",
}
"""What is said of the group that fares worse, or that has the higher number where neither is better."""


def findings(judged: Sequence[Judgement], level: float, advice: Advice) -> tuple[Finding, ...]:
    """Return one finding per judged gap of each feature; of labels, intersections and strata, concerns and one for the rest.

    Args:
        judged: The judged gaps.
        level: Confidence level.
        advice: What is advised on such rows.
    """
    single = [_finding(j, level, advice) for j in judged if _plain(j)]
    crossed = [j for j in judged if not _plain(j)]
    beyond = [_finding(j, level, advice) for j in crossed if j.grade == "concern"]
    sets = dict.fromkeys(_breakdown(j) for j in crossed)
    rest = [f for of in sets for f in _rest([j for j in crossed if _breakdown(j) == of and j.grade != "concern"], of, level)]
    return tuple(sorted([*single, *beyond, *rest], key=lambda f: -f.weight))


def size_findings(frame: GroupFrame, compared: Sequence[Comparison], most: int) -> Iterator[Finding]:
    """Yield what must be said about the groups themselves: too many of them, only one, or too small ones."""
    feature = " and ".join(frame.by)
    if len(frame.groups) > most:
        sentence = f"{feature} has {len(frame.groups)} groups, too many to compare: merge values that belong together."
        yield Finding(sentence=sentence, grade="unclear", weight=0.5)
    small = sorted({g for c in compared for g in c.left_out}, key=lambda g: -int(frame.rows[g]))
    if small and len(frame.groups) > 1:
        said = ", ".join(f"“{frame.groups[g].label}” (n {frame.rows[g]:,})" for g in small[:6])
        more = f" and {len(small) - 6} more" if len(small) > 6 else ""
        sentence = (
            f"Groups by {feature} that are too small to judge, for some rates or all: {said}{more}. They are shown, but left out "
            "of the headline gaps."
        )
        yield Finding(sentence=sentence, grade="unclear", weight=0.2 if len(frame.by) == 1 else 0.1)


def measure_name(judgement: Judgement) -> str:
    """Return the name of the measure that carries a judged gap."""
    stem, _, klass = judgement.name.partition("[")
    stem = FOUR_FIFTHS if stem == FOUR_FIFTHS else f"{stem}_difference"
    return f"fairness.{stem}{'_without_small' if judgement.comparison.left_out else ''}{f'[{klass}' if klass else ''}"


def sentence(judgement: Judgement, level: float) -> str:
    """Say who is treated how, with figures, and what that comes to."""
    within = judgement.frame.within
    return ("" if within is None else f"Within {within.words}: ") + _sentence(judgement, level)


def _sentence(judgement: Judgement, level: float) -> str:
    gap, frame = judgement.gap, judgement.frame
    if gap.where is None:
        criterion = measure_words(judgement.name)
        return f"By {' and '.join(frame.by)}, {criterion} cannot be compared: {gap.undefined}."
    k, top, bottom = gap.where.metric, gap.where.top, gap.where.bottom
    metric = frame.metrics[k]
    if top == bottom or (gap.value == 0 and judgement.name != FOUR_FIFTHS):
        same = number(float(frame.value[k, top]), metric)
        few = f"Too few {frame.cluster_word} to rule out a difference: by" if judgement.grade == "unclear" else "By"
        of = "" if metric.klass is None else f" of “{metric.klass}”"
        return f"{few} {' and '.join(frame.by)}, the {metric.words}{of} is {same} in every group. {_tail(judgement)}"
    first, last = (bottom, top) if metric.higher_is_better else (top, bottom)
    (one, figures), (other, beside) = ((frame.groups[g].words, figure(frame, k, g, level)) for g in (first, last))
    apart = judgement.comparison.large_difference.value
    alike = apart is not None and not float(gap_value(apart, metric))
    if alike or judgement.grade == "ok":
        opening = _alike(judgement, metric, "is alike" if alike else "differs little")
        said = f"{opening}: {figures} for {one}, {beside} for {other}"
    else:
        opening = _opening(metric, one)
        if judgement.grade == "unclear" and not gap.low:
            opening = f"Too few {frame.cluster_word} to be sure that {continued(opening)}"
        said = f"{opening}: {metric.words} {figures} against {beside} for {other}"
    rule = "Four-fifths rule: " if judgement.name == FOUR_FIFTHS else ""
    return f"{rule}{said} ({frame.sizes(k, first, last)}). {_tail(judgement)}"


def _opening(metric: GroupMetric, group: str) -> str:
    """Say who fares worse, or for whom a number is higher where neither is better; numbers without a sentence are named."""
    otherwise = f"{{words}} is {'lower' if metric.higher_is_better else 'higher'} for {{group}}"
    said = _OPENINGS.get("assignment_rate" if metric.words == ASSIGNED else metric.name, otherwise)
    words = metric.words[:1].upper() + metric.words[1:]
    about = f" on “{metric.klass}”" if metric.klass is not None else ""
    return said.format(klass=metric.outcome, group=group, words=words, about=about)


def _alike(judgement: Judgement, metric: GroupMetric, how: str) -> str:
    """Say that a number is alike or nearly so: nobody has more, as far as it matters."""
    of = f" of “{metric.outcome}”" if metric.outcome else ""
    return f"{metric.words[:1].upper()}{metric.words[1:]}{of} {how} by {' and '.join(judgement.frame.by)}"


def _tail(j: Judgement) -> str:
    assert j.gap.where is not None
    assert j.gap.value is not None
    assert j.gap.low is not None
    assert j.gap.high is not None
    metric = j.frame.metrics[j.gap.where.metric]
    if j.name == FOUR_FIFTHS:
        said, allowed = f"The ratio, {j.gap.value:.2f} [{j.gap.low:.2f}, {j.gap.high:.2f}],", f"{j.threshold:.2f}"
        beyond, within = "is below", "is not below"
    else:
        said = f"The gap, {gap_words(j.gap.value, j.gap.low, j.gap.high, metric)},"
        allowed = number(j.threshold, metric).replace(" %", " points")
        beyond, within = "is above", "is within"
    if j.grade == "concern":
        return f"{said} {beyond} the {allowed} that the audit allows."
    if j.grade == "ok":
        return f"{said} {within} the {allowed} that the audit allows."
    return f"{said} cannot be told from the {allowed} that the audit allows{_remedy(j)}."


def _remedy(j: Judgement) -> str:
    if j.more_rows is not None:
        return f"; {j.more_rows.words(j.frame.cluster_word)}"
    half_sure = j.gap.low is not None and j.gap.low > j.threshold and j.name != FOUR_FIFTHS
    return " once the number of comparisons is allowed for" if half_sure else ""


def _finding(j: Judgement, level: float, advice: Advice) -> Finding:
    shown = None if j.gap.where is None or j.frame.within is not None else chart_title(j.frame, j.gap.where.metric)
    return Finding(
        sentence=sentence(j, level),
        grade=j.grade,
        measures=(measure_name(j), *_behind(j)),
        weight=_weight(j),
        by=j.frame.by if j.frame.within is None else None,
        between=_between(j),
        chart=shown,
        next_step=advice.about(j),
        answers="differences",
    )


def _behind(j: Judgement) -> tuple[str, ...]:
    """Return the number of each group whose gap it is."""
    if j.gap.where is None or j.frame.within is not None:
        return ()
    return (f"fairness.{j.frame.metrics[j.gap.where.metric].measure}",)


def _between(j: Judgement) -> tuple[Mapping[str, str], ...]:
    """Return the groups that lie furthest apart, the one with the highest number first."""
    if j.gap.where is None or j.frame.within is not None:
        return ()
    return tuple(j.frame.groups[g].mapping for g in dict.fromkeys((j.gap.where.top, j.gap.where.bottom)))


def _plain(j: Judgement) -> bool:
    """Whether a gap is one of a single feature over all rows, and not of one of several labels."""
    return len(j.frame.by) == 1 and j.frame.within is None and "[" not in j.name


def _breakdown(j: Judgement) -> str:
    """Say by which features groups are formed, and within which strata."""
    features = " and ".join(j.frame.by)
    return features if j.frame.within is None else f"{features} within {' and '.join(j.frame.within.by)}"


def _weight(j: Judgement) -> float:
    """Fails before doubts before passes, wide gaps before narrow; single features before intersections."""
    base = {"concern": 0.7, "unclear": 0.3, "ok": 0.1}.get(j.grade, 0.0)
    size = min(1.0, j.comparison.large_difference.value or 0.0) if j.threshold <= 1 else 0.5
    single = len(j.frame.by) == 1 and j.frame.within is None
    return round((base + 0.3 * size) * (1.0 if single else 0.9) * (0.95 if j.name == FOUR_FIFTHS else 1), 4)


def _rest(judged: Sequence[Judgement], breakdown: str, level: float) -> Iterator[Finding]:
    """Yield one finding for what intersections or strata leave open and one for what they pass."""
    for grade, opening in (
        ("unclear", "some gaps cannot be judged yet"),
        ("ok", "gaps are within what is allowed"),
    ):
        these = [j for j in judged if j.grade == grade]
        if these:
            said = "; ".join(_brief(j) for j in these[:_NAMED])
            more = f"; and {len(these) - _NAMED} more" if len(these) > _NAMED else ""
            alone = " between the groups that are large enough" if any(j.comparison.left_out for j in these) else ""
            words = f"By {breakdown}, {opening}{alone}: {said}{more}."
            names = tuple(dict.fromkeys(measure_name(j) for j in these))
            weight = 0.25 if grade == "unclear" else 0.1
            yield Finding(sentence=words, grade=these[0].grade, measures=names, weight=weight, answers="differences")


def _brief(j: Judgement) -> str:
    stem, _, klass = j.name.partition("[")
    name = (
        measure_words(stem)
        + (f" of “{klass[:-1]}”" if klass else "")
        + (f" within {j.frame.within.label}" if j.frame.within is not None else "")
    )
    if j.gap.where is None or j.gap.value is None or j.gap.low is None or j.gap.high is None:
        return f"{name} ({j.gap.undefined})"
    if j.name == FOUR_FIFTHS:
        return f"{name} ratio {j.gap.value:.2f} [{j.gap.low:.2f}, {j.gap.high:.2f}]"
    return f"{name} {gap_words(j.gap.value, j.gap.low, j.gap.high, j.frame.metrics[j.gap.where.metric])}"

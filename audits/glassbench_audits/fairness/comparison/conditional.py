"""What remains of the gaps while control features are held fixed: tables, measures and reversals."""

import math
from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench_audits.fairness.comparison.adjusted import Adjusted, adjusted
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.gaps import Gap
from glassbench_audits.fairness.comparison.grading import FOUR_FIFTHS, Judgement
from glassbench_audits.fairness.comparison.measures import gap_measures, group_measures
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.wording import gap_words

Compared = Sequence[tuple[GroupFrame, tuple[Comparison, ...]]]


def held_fixed(overall: Sequence[Judgement], within: Compared, level: float) -> dict[tuple[str, str], Adjusted]:
    """Return, by feature and criterion, the difference of the pair that lies widest apart, with the strata held fixed.

    Args:
        overall: The judged gaps over all rows.
        within: Panels and comparisons of every stratum.
        level: Confidence level.
    """
    found = {}
    for j in overall:
        parts = [frame for frame, _ in within if frame.by == j.frame.by]
        if parts and j.name != FOUR_FIFTHS and j.gap.where is not None:
            pair = adjusted(j.frame, parts, j.gap.where, level)
            if pair is not None:
                found[j.frame.by[0], j.name] = pair
    return found


def conditional_measures(
    within: Compared, fixed: dict[tuple[str, str], Adjusted], known: set[tuple[str, ...]], level: float
) -> Iterator[Measure]:
    """Yield the gaps of every stratum, rates that no intersection has already, and the differences with strata held fixed.

    Args:
        within: Panels and comparisons of every stratum.
        fixed: What `held_fixed` returned.
        known: Combinations of features whose groups were measured anyway, each sorted.
        level: Confidence level.
    """
    for frame, compared in within:
        assert frame.within is not None
        if tuple(sorted((*frame.within.by, *frame.by))) not in known:
            yield from group_measures(frame, level)
        for comparison in compared:
            yield from gap_measures(frame, comparison, level)
    for (feature, criterion), pair in fixed.items():
        value, low, high = pair.within
        frame = next(frame for frame, _ in within if frame.by == (feature,))
        metric = frame.metrics[pair.where.metric]
        yield Measure(
            name=f"fairness.{criterion}_difference_adjusted",
            value=value,
            low=low,
            high=high,
            level=level,
            n=int(sum(p.rows.sum() for p, _ in within if p.by == (feature,))),
            by=(feature,),
            unit=metric.unit,
        )


def conditional_tables(
    overall: Sequence[Judgement], judged: Sequence[Judgement], fixed: dict[tuple[str, str], Adjusted]
) -> Iterator[Table]:
    """Yield one table per feature: each judged gap over all rows, within every stratum, and with strata held fixed.

    Args:
        overall: The judged gaps over all rows.
        judged: The judged gaps within strata.
        fixed: What `held_fixed` returned.
    """
    for by in dict.fromkeys(j.frame.by for j in judged):
        inside = [j for j in judged if j.frame.by == by]
        rows = []
        for whole in (j for j in overall if j.frame.by == by):
            rows.append(_row(whole, "all rows"))
            rows += [_row(j, j.frame.within.label) for j in inside if j.name == whole.name and j.frame.within is not None]
            pair = fixed.get((by[0], whole.name))
            if pair is not None:
                between = _between(whole.frame, whole.gap)
                rows.append((_words(whole.name), "held fixed", None, *pair.within, between, None, None))
        control = " and ".join(_control(inside))
        yield Table(
            title=f"Gaps by {by[0]} within {control}",
            columns=("criterion", control, "rows", "value", "low", "high", "between", "p, corrected", "grade"),
            rows=tuple(rows),
            note=(
                "“Held fixed” is the difference of the two groups farthest apart over all rows, averaged over the strata with "
                "the weights of Mantel and Haenszel; below 0 it points the other way."
            ),
        )


def reversals(fixed: dict[tuple[str, str], Adjusted], overall: Sequence[Judgement], control: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each difference that points the other way, or is gone, once strata are held fixed (Simpson 1951)."""
    for j in overall:
        pair = fixed.get((j.frame.by[0], j.name))
        if pair is not None and j.name != FOUR_FIFTHS and (pair.reversed or pair.vanishes):
            names = (f"fairness.{j.name}_difference", f"fairness.{j.name}_difference_adjusted")
            sentence = _reversal(j.frame, pair, " and ".join(control))
            yield Finding(sentence=sentence, grade="unclear", measures=names, weight=0.75, by=j.frame.by)


def _reversal(frame: GroupFrame, pair: Adjusted, control: str) -> str:
    metric = frame.metrics[pair.where.metric]
    top, bottom = (frame.groups[g].words for g in (pair.where.top, pair.where.bottom))
    value, low, high = pair.within
    turned = f"the other way in {pair.opposite} of {pair.strata} strata"
    opening, within = (
        ("Simpson's reversal", f"it is lower, by {gap_words(-value, -high, -low, metric)}, {turned}")
        if pair.reversed
        else ("A gap that the strata explain", f"the difference is {gap_words(value, low, high, metric)}, {turned}")
    )
    return (
        f"{opening}: over all rows the {metric.words} is higher for {top} than for {bottom}, by "
        f"{gap_words(*pair.overall, metric)}; "
        f"with {control} held fixed {within}. The overall gap comes from how the groups spread over {control}."
    )


def _row(j: Judgement, stratum: str) -> tuple[str | float | int | None, ...]:
    gap = j.gap
    ends = (None if x is None or not math.isfinite(x) else x for x in (gap.value, gap.low, gap.high))
    return (_words(j.name), stratum, int(j.frame.rows.sum()), *ends, _between(j.frame, gap), j.p, str(j.grade))


def _between(frame: GroupFrame, gap: Gap) -> str | None:
    if gap.where is None:
        return gap.undefined
    if gap.where.top == gap.where.bottom:
        return "all alike"
    return f"{frame.groups[gap.where.top].label} and {frame.groups[gap.where.bottom].label}"


def _control(judged: Sequence[Judgement]) -> tuple[str, ...]:
    within = judged[0].frame.within
    return () if within is None else within.by


def _words(criterion: str) -> str:
    return measure_words(criterion)

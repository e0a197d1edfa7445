"""What the audit of exposure shows: measures, findings, a table and a chart."""

import math
from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.estimate import Estimate
from glassbench.stats.grade import Grade
from glassbench.stats.percent import in_percent
from glassbench.stats.verdict import judge
from glassbench_audits.exposure.shares import Exposed

TITLE = "Exposure of groups of items"

_WORDS: dict[Grade, str] = {"ok": "within", "concern": "beyond", "unclear": "neither clearly within nor clearly beyond"}


def group_measures(exposed: Sequence[Exposed]) -> Iterator[Measure]:
    """Yield the shares and the gap of each group."""
    for one in exposed:
        named = f"[{one.feature}: {one.group}]"
        yield Measure.of(f"exposure.share{named}", one.share)
        yield Measure.of(f"exposure.chosen_share{named}", one.chosen)
        yield Measure.of(f"exposure.gap{named}", one.gap)


def exposure_finding(one: Exposed, tolerance: float, against: str) -> Finding:
    """Return how much more or less a group is recommended than it is chosen.

    Args:
        one: The group with the largest gap of its feature.
        tolerance: The largest gap that is let pass.
        against: What users chose, in words.
    """
    grade, gap = gap_grade(one.gap, tolerance), one.gap.value or 0.0
    interval = "" if one.gap.low is None or one.gap.high is None else _interval(one.gap.low, one.gap.high, gap, one.gap.level)
    sentence = (
        f"Items with {one.feature} “{one.group}” hold {in_percent(one.share.value)} of the recommended places and "
        f"{in_percent(one.chosen.value)} of {against}: {abs(100 * gap):.0f} points {'more' if gap >= 0 else 'less'}{interval}, "
        f"{_WORDS[grade]} the tolerance of {100 * tolerance:.0f} points."
    )
    step = "Ask why, and rank again with a share for the group that is recommended less." if grade == "concern" else ""
    measures = (f"exposure.gap[{one.feature}: {one.group}]",)
    return Finding(
        sentence=sentence, grade=grade, measures=measures, weight=0.7, chart=TITLE, next_step=step, answers="differences"
    )


def popularity_finding(lift: Estimate, baseline: Estimate, popular: Exposed, tolerance: float, against: str) -> Finding:
    """Return how much more popular recommended items are than those that users choose.

    Args:
        lift: By what share they are more popular.
        baseline: The same of recommending the most popular items to everybody.
        popular: The popular items.
        tolerance: The largest share that is let pass.
        against: What users chose, in words.
    """
    if lift.value is None:
        return Finding(sentence=f"Popularity cannot be judged: {lift.undefined}.", grade="unclear", weight=0.4)
    grade = judge(lift, tolerance, "at_most").grade
    way = "more" if lift.value >= 0 else "less"
    interval = "" if lift.low is None or lift.high is None else _interval(lift.low, lift.high, lift.value, lift.level)
    beside = "" if baseline.value is None else f"; recommending the most popular items to everybody: {in_percent(baseline.value)}"
    sentence = (
        f"Recommended items are {in_percent(abs(lift.value))} {way} popular than {against}{interval}, {_WORDS[grade]} the "
        f"tolerance of {in_percent(tolerance)}{beside}. The {popular.items} most popular items hold "
        f"{in_percent(popular.share.value)} of the recommended places and {in_percent(popular.chosen.value)} of {against}."
    )
    step = "Lower the weight of popular items in training, or rank again with a share for others." if grade == "concern" else ""
    measures = ("exposure.popularity_lift",)
    return Finding(
        sentence=sentence, grade=grade, measures=measures, weight=0.7, chart=TITLE, next_step=step, answers="differences"
    )


def coverage_finding(covered: float, gini: float, items: int, users: int) -> Finding:
    """Return how many items anybody is recommended."""
    sentence = (
        f"{in_percent(covered)} of {items:,} items are recommended to at least one of {users:,} users; the Gini coefficient of "
        f"how often items are recommended is {gini:.2f} (0: all alike, 1: one item only)."
    )
    return Finding(
        sentence=sentence, grade="ok", measures=("exposure.coverage", "exposure.gini"), weight=0.3, answers="differences"
    )


def gap_grade(gap: Estimate, tolerance: float) -> Grade:
    """Return what a gap in either direction means: a concern where the whole interval lies beyond the tolerance."""
    grades = (judge(gap, tolerance, "at_most").grade, judge(gap, -tolerance, "at_least").grade)
    return "concern" if "concern" in grades else "unclear" if "unclear" in grades else "ok"


def exposure_table(exposed: Sequence[Exposed], against: str, level: float) -> Table:
    """Return every group with its shares and gap."""
    rows = tuple(
        (one.feature, one.group, one.items, one.share.value, one.chosen.value, one.gap.value, one.gap.low, one.gap.high)
        for one in exposed
    )
    low, high = (f"{in_percent(level)} {end}" for end in ("low", "high"))
    columns = ("item feature", "group", "items", "share of recommended places", f"share of {against}", "gap", low, high)
    note = (
        "Places count by rank, 1 / log2(1 + place); each user counts alike. Intervals hold for all groups of a feature at once."
    )
    return Table(title=TITLE, columns=columns, rows=rows, note=note)


def exposure_chart(exposed: Sequence[Exposed], against: str) -> Chart:
    """Return the gap of every group as a point with its interval."""
    rows = tuple(
        {"y": f"{one.feature}: {one.group}", "x": one.gap.value, "low": one.gap.low, "high": one.gap.high}
        for one in exposed
        if one.gap.value is not None and one.gap.low is not None
    )
    return Chart(
        kind="intervals",
        title=TITLE,
        message=f"Right of the line a group is recommended more often than its share of {against}, left of it less often.",
        rows=rows,
        x_title="share of recommended places minus share of choices",
        y_title="group of items",
        reference=(0.0, "as chosen"),
    )


def _interval(low: float, high: float, value: float, level: float) -> str:
    """Return an interval in points, as seen from the side on which the value lies."""
    ends = (low, high) if value >= 0 else (-high, -low)
    percent = in_percent(level, 0 if math.isclose(100 * level, round(100 * level)) else 1)
    return f" ({percent} interval {100 * ends[0]:.0f} to {100 * ends[1]:.0f})"

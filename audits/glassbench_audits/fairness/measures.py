"""Measures from frames and comparisons."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TypedDict

from glassbench.evidence import Measure
from glassbench.stats.estimate import Estimate
from glassbench_audits.fairness.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.families import Comparison
from glassbench_audits.fairness.gaps import Gap
from glassbench_audits.fairness.group_frame import GroupFrame, critical
from glassbench_audits.fairness.stacked_frame import confusion_part


def overall_measures(frame: GroupFrame, level: float) -> Iterator[Measure]:
    """Yield every metric over all rows."""
    (value, low, high), n = frame.overall(critical(level))
    few = frame.overall_unsupported()
    for k, metric in enumerate(frame.metrics):
        yield Measure(
            name=f"fairness.{metric.measure}",
            **_estimate(value[k], low[k], high[k], f"there are no {metric.of}", few[k]),
            level=level,
            n=int(n[k]),
            unit=metric.unit,
            higher_is_better=metric.higher_is_better,
        )


def group_measures(frame: GroupFrame, level: float) -> Iterator[Measure]:
    """Yield every metric of every group."""
    value, low, high = frame.limits(critical(level))
    for k, metric in enumerate(frame.metrics):
        for g, group in enumerate(frame.groups):
            yield Measure(
                name=f"fairness.{metric.measure}",
                **_estimate(
                    value[k, g],
                    low[k, g],
                    high[k, g],
                    f"the group has no {metric.of}",
                    None if frame.unsupported is None else frame.unsupported[k, g],
                ),
                level=level,
                n=int(frame.n[k, g]),
                by=group.by if frame.within is None else (*frame.within.by, *group.by),
                group=group.mapping if frame.within is None else {**frame.within.mapping, **group.mapping},
                unit=metric.unit,
                higher_is_better=metric.higher_is_better,
            )


def gap_measures(frame: GroupFrame, comparison: Comparison, level: float) -> Iterator[Measure]:
    """Yield difference and ratio over all groups, and over those large enough."""
    stem, _, klass = comparison.name.partition("[")
    suffix = f"[{klass}" if klass else ""
    for label, gap, better in (
        ("difference", comparison.difference, False),
        ("ratio", comparison.ratio, True),
        ("difference_without_small", comparison.large_difference, False),
        ("ratio_without_small", comparison.large_ratio, True),
    ):
        if gap is not None:
            yield _gap(f"fairness.{stem}_{label}{suffix}", frame, comparison, gap, level, better)


def four_fifths_measures(frame: GroupFrame, comparison: Comparison, level: float, lacking: str | None) -> Iterator[Measure]:
    """Yield the four-fifths ratio: the ratio of selection rates, divided from whole numbers.

    Rates are rounded before `demographic_parity_ratio` divides them, so that .36 / .45 falls a hair below 0.8; here
    (36 x 100) / (45 x 100) does not.

    Args:
        frame: The numbers per group.
        comparison: How far the groups lie apart by one criterion; only demographic parity has the ratio.
        level: Confidence level.
        lacking: Why it is not known which outcome is favourable, or None. Each outcome then has a ratio of its own, with its name
            in brackets, and the one without is undefined.
    """
    counted, (stem, _, klass) = confusion_part(frame), comparison.name.partition("[")
    if stem != "demographic_parity" or counted is None or (klass and lacking is None):
        return
    suffix = "" if lacking is None or len(comparison.which) > 1 else f"[{frame.metrics[comparison.which[0]].outcome}]"
    for name, gap in (("four_fifths", comparison.ratio), ("four_fifths_without_small", comparison.large_ratio)):
        if gap is None:
            continue
        if lacking is not None and not klass:
            yield _gap(f"fairness.{name}", frame, comparison, Gap(value=None, undefined=lacking), level, True)
        if lacking is None or suffix:
            if gap.where is not None:
                gap = replace(gap, value=_exact(counted, gap))
            yield _gap(f"fairness.{name}{suffix}", frame, comparison, gap, level, True)


def _exact(frame: ConfusionFrame, gap: Gap) -> float:
    assert gap.where is not None
    k, top, bottom = gap.where.metric, gap.where.top, gap.where.bottom
    part, whole = frame.part[k], frame.n[k]
    return (int(part[bottom]) * int(whole[top])) / (int(part[top]) * int(whole[bottom]))


def _gap(name: str, frame: GroupFrame, comparison: Comparison, gap: Gap, level: float, better: bool) -> Measure:
    reason = gap.undefined or "undefined"
    point = math.nan if gap.value is None else gap.value
    low, high = (math.nan if end is None else end for end in (gap.low, gap.high))
    is_ratio = "_ratio" in name or "four_fifths" in name
    return Measure(
        name=name,
        **_estimate(point, low, high, reason, gap.unsupported),
        level=level,
        n=frame.total(comparison.which[0]),
        by=frame.by,
        group=None if frame.within is None else frame.within.mapping,
        unit=None if is_ratio else frame.metrics[comparison.which[0]].unit,
        higher_is_better=better,
    )


class _Known(TypedDict):
    value: float | None
    low: float | None
    high: float | None
    undefined: str | None
    unsupported: str | None


def _estimate(value: float, low: float, high: float, reason: str, few: str | None) -> _Known:
    found = Estimate.of(value, low, high, undefined=reason, unsupported=few)
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "undefined": found.undefined,
        "unsupported": found.unsupported,
    }

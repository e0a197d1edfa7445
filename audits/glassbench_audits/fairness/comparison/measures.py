"""Measures from frames and comparisons."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.stats.estimate import Estimate
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.gaps import Gap
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.stacked_frame import counted_numbers


def overall_measures(frame: GroupFrame, level: float) -> Iterator[Measure]:
    """Yield every metric over all rows."""
    (value, low, high), n = frame.overall(critical(level))
    few = frame.overall_unsupported()
    for k, metric in enumerate(frame.metrics):
        found = Estimate.of(
            value[k], low[k], high[k], level=level, n=int(n[k]), undefined=f"there are no {metric.of}", unsupported=few[k]
        )
        yield Measure.of(f"fairness.{metric.measure}", found, unit=metric.unit, higher_is_better=metric.higher_is_better)


def group_measures(frame: GroupFrame, level: float) -> Iterator[Measure]:
    """Yield every metric of every group."""
    stratum = frame.within
    by = frame.by if stratum is None else (*stratum.by, *frame.by)
    groups = [group.mapping if stratum is None else {**stratum.mapping, **group.mapping} for group in frame.groups]
    few = np.full(frame.n.shape, None) if frame.unsupported is None else frame.unsupported
    every = zip(*(part.tolist() for part in (*frame.limits(critical(level)), frame.n, few)), strict=True)
    for metric, numbers in zip(frame.metrics, every, strict=True):
        name, lacking = f"fairness.{metric.measure}", f"the group has no {metric.of}"
        for group, value, low, high, n, unsupported in zip(groups, *numbers, strict=True):
            found = Estimate.of(value, low, high, level=level, n=int(n), undefined=lacking, unsupported=unsupported)
            yield Measure.of(name, found, by=by, group=group, unit=metric.unit, higher_is_better=metric.higher_is_better)


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
    counted, (stem, _, klass) = counted_numbers(frame), comparison.name.partition("[")
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


def _exact(counted: tuple[np.ndarray, np.ndarray], gap: Gap) -> float:
    assert gap.where is not None
    k, top, bottom = gap.where.metric, gap.where.top, gap.where.bottom
    part, whole = (numbers[k].tolist() for numbers in counted)
    return float((part[bottom] * whole[top]) / (part[top] * whole[bottom]))


def _gap(name: str, frame: GroupFrame, comparison: Comparison, gap: Gap, level: float, better: bool) -> Measure:
    is_ratio = "_ratio" in name or "four_fifths" in name
    found = Estimate(
        value=gap.value,
        low=_end(gap, gap.low),
        high=_end(gap, gap.high),
        level=level,
        n=frame.total(comparison.which[0]),
        undefined=(gap.undefined or "undefined") if gap.value is None else None,
        unsupported=gap.unsupported if gap.value is not None else None,
    )
    return Measure.of(
        name,
        found,
        by=frame.by,
        group=None if frame.within is None else frame.within.mapping,
        unit=None if is_ratio else frame.metrics[comparison.which[0]].unit,
        higher_is_better=better,
    )


def _end(gap: Gap, end: float | None) -> float | None:
    """Return an end of a gap's interval, None where nothing bounds it."""
    return None if gap.value is None or end is None or not math.isfinite(end) else end

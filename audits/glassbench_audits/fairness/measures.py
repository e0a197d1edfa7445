"""Measures from panels and comparisons."""

import math
from collections.abc import Iterator

from glassbench.evidence import Measure
from glassbench_audits.fairness.families import Comparison
from glassbench_audits.fairness.gaps import Gap
from glassbench_audits.fairness.panel import Panel, critical


def group_measures(panel: Panel, level: float) -> Iterator[Measure]:
    """Yield every line of every group."""
    value, low, high = panel.limits(critical(level))
    for k, line in enumerate(panel.lines):
        for g, group in enumerate(panel.groups):
            known = math.isfinite(value[k, g])
            yield Measure(
                name=f"fairness.{line.measure}",
                value=float(value[k, g]) if known else None,
                low=float(low[k, g]) if known else None,
                high=float(high[k, g]) if known else None,
                level=level,
                n=int(panel.n[k, g]),
                by=group.by,
                group=group.mapping,
                unit=line.unit,
                higher_is_better=line.higher_is_better,
                undefined=None if known else f"the group has no {line.of}",
            )


def gap_measures(panel: Panel, comparison: Comparison, level: float) -> Iterator[Measure]:
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
            yield _gap(f"fairness.{stem}_{label}{suffix}", panel, gap, level, better)


def _gap(name: str, panel: Panel, gap: Gap, level: float, better: bool) -> Measure:
    return Measure(
        name=name,
        value=gap.value,
        low=gap.low,
        high=gap.high,
        level=level,
        n=int(panel.rows.sum()),
        by=panel.groups[0].by,
        higher_is_better=better,
        undefined=gap.undefined,
    )

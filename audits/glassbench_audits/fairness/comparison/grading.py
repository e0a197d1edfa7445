"""From gaps to grades: sure to be beyond what is allowed, sure to be within, or not to be told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.stats.grade import Grade
from glassbench.stats.more_rows import MoreRows, more_rows
from glassbench.stats.p_values import holm
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.gaps import Gap
from glassbench_audits.fairness.frames.group_frame import GroupFrame

FOUR_FIFTHS = "four_fifths"

PARITY = ("demographic_parity", FOUR_FIFTHS)
"""What is judged where a decision about a person is made, that is where it is known which outcome is favourable."""

JUDGED = ("false_negative_rate", "false_positive_rate", "precision", "false_omission_rate", "accuracy")
"""What is judged of classes: whether errors are shared. The false discovery rate has precision's gap."""

JUDGED_VALUES = ("mean_signed_error", "mean_absolute_error")
PARITY_OF_VALUES = ("mean_prediction",)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is allowed and how sure a verdict must be.

    Args:
        level: Confidence level.
        difference: Largest difference of shares allowed between two groups.
        ratio: Smallest ratio of selection rates allowed.
        value: Largest difference of values allowed, in their own unit.
        judged: The criteria that carry a verdict.
    """

    level: float
    difference: float
    ratio: float
    value: float
    judged: tuple[str, ...] = (*JUDGED, *PARITY, *JUDGED_VALUES, *PARITY_OF_VALUES)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One gap held against what is allowed.

    Args:
        frame: The numbers per group.
        comparison: The criterion.
        name: What was judged: the criterion, or `four_fifths` for its ratio.
        gap: The gap between the groups large enough.
        threshold: What is allowed.
        p: The p-value against chance, corrected for everything judged in this audit (Holm 1979).
        verdict: What it came to.
        more_rows: How many more rows, or clusters where rows hang together, would settle it, or None.
    """

    frame: GroupFrame
    comparison: Comparison
    name: str
    gap: Gap
    threshold: float
    p: float | None
    grade: Grade
    more_rows: MoreRows | None = None


def judge(compared: Sequence[tuple[GroupFrame, Sequence[Comparison]]], rules: Rules) -> tuple[Judgement, ...]:
    """Judge the headline gaps of all frames together.

    A gap fails when its whole interval is beyond what is allowed and chance alone is ruled out after the correction; it
    passes when its whole interval is within; else the evidence is insufficient. Under no difference at all between any
    groups, the chance of any fail in the audit is at most 1 - level.
    """
    chosen = [(frame, c, name) for frame, found in compared for c in found for name in _names(c, rules)]
    tests = list(dict.fromkeys((frame.within, frame.by, c.which) for frame, c, _ in chosen))
    p = {(frame.within, frame.by, c.which): c.large_difference.p for frame, c, _ in chosen}
    values = holm(np.array([np.nan if p[t] is None else p[t] for t in tests], dtype=float))
    corrected = {t: None if math.isnan(v) else float(v) for t, v in zip(tests, values, strict=True)}
    return tuple(_judgement(frame, c, name, corrected[(frame.within, frame.by, c.which)], rules) for frame, c, name in chosen)


def _more_rows(gap: Gap, threshold: float, rows: int, level: float) -> MoreRows | None:
    if gap.value is None or gap.low is None or gap.high is None:
        return None
    return more_rows(gap.value, gap.low, gap.high, rows, threshold, level)


def _names(comparison: Comparison, rules: Rules) -> tuple[str, ...]:
    both = (comparison.name, FOUR_FIFTHS) if comparison.name == "demographic_parity" else (comparison.name,)
    return tuple(name for name in both if name in rules.judged)


def _judgement(frame: GroupFrame, comparison: Comparison, name: str, p: float | None, rules: Rules) -> Judgement:
    quotient = name == FOUR_FIFTHS and comparison.large_ratio is not None
    gap = comparison.large_ratio if quotient else comparison.large_difference
    assert gap is not None
    threshold = rules.ratio if quotient else rules.value if frame.metrics[comparison.which[0]].scaled else rules.difference
    grade = _grade(gap, threshold, p is not None and p <= 1 - rules.level, below_is_beyond=quotient)
    held = int(frame.rows.sum()) if frame.clusters is None else frame.clusters
    more = _more_rows(gap, threshold, held, rules.level) if grade == "unclear" else None
    return Judgement(
        frame=frame,
        comparison=comparison,
        name=name,
        gap=gap,
        threshold=threshold,
        p=p,
        grade=grade,
        more_rows=more,
    )


def _grade(gap: Gap, threshold: float, beyond_chance: bool, *, below_is_beyond: bool) -> Grade:
    if gap.low is None or gap.high is None:
        return "unclear"
    # A ratio of exactly four fifths is allowed; floats may put it a hair below.
    beyond = gap.high < threshold - 1e-9 if below_is_beyond else gap.low > threshold
    within = gap.low >= threshold - 1e-9 if below_is_beyond else gap.high <= threshold
    if beyond and beyond_chance:
        return "concern"
    return "ok" if within else "unclear"

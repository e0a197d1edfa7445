"""Figures in words."""

import math

from glassbench.stats.percent import bare_percent
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.rates import GroupMetric

SHARES = frozenset(
    {"selection_rate", "true_positive_rate", "false_positive_rate", "false_negative_rate", "precision", "accuracy", "exact_match"}
)


def number(value: float | None, metric: GroupMetric) -> str:
    """Write a share in per cent, anything else with three significant digits and its unit.

    Example:
        >>> number(0.4054, GroupMetric("accuracy", "accuracy", "rows", True))
        '41 %'
    """
    if value is None or not math.isfinite(value):
        return "unknown"
    if in_shares(metric):
        return f"{bare_percent(value)} %"
    return f"{value:.3g}{f' {metric.unit}' if metric.unit else ''}"


def interval(low: float | None, high: float | None, metric: GroupMetric) -> str:
    """Write an interval in brackets, without clusters."""
    if low is None or high is None or not (math.isfinite(low) or math.isfinite(high)):
        return "[unknown]"
    if in_shares(metric):
        return f"[{bare_percent(low)}, {bare_percent(high)}]"
    return f"[{low:.3g}, {high:.3g}]"


def figure(frame: GroupFrame, metric: int, group: int, level: float) -> str:
    """Write a group's number with its interval: "41 % [22, 64]"."""
    value, low, high = frame.limits(critical(level))
    what = frame.metrics[metric]
    ends = interval(float(low[metric, group]), float(high[metric, group]), what)
    return f"{number(float(value[metric, group]), what)} {ends}"


def gap_value(value: float, metric: GroupMetric) -> str:
    """Write a difference as its sentence shows it, without unit: points of shares, else three significant digits."""
    return bare_percent(value) if in_shares(metric) else f"{value:.3g}"


def gap_words(value: float, low: float, high: float, metric: GroupMetric) -> str:
    """Write a difference: "22 points [3, 40]" for shares, else in the unit of the number."""
    if in_shares(metric):
        return f"{bare_percent(value)} points {interval(low, high, metric)}"
    return f"{number(value, metric)} {interval(low, high, metric)}"


def in_shares(metric: GroupMetric) -> bool:
    """Whether a number is written in per cent."""
    return metric.share or metric.proportion or metric.name in SHARES

"""Figures in words."""

import math

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
    if _share(metric):
        return f"{percent(value)} %"
    return f"{value:.3g}{f' {metric.unit}' if metric.unit else ''}"


def percent(share: float) -> str:
    """Write a share as per cent without the sign: whole numbers, below 10 with one decimal."""
    scaled = 100 * share
    return f"{scaled:.1f}" if 0 < abs(scaled) < 9.95 and round(scaled, 1) != round(scaled) else f"{scaled:.0f}"


def interval(low: float | None, high: float | None, metric: GroupMetric) -> str:
    """Write an interval in brackets, without clusters."""
    if low is None or high is None or not (math.isfinite(low) or math.isfinite(high)):
        return "[unknown]"
    if _share(metric):
        return f"[{percent(low)}, {percent(high)}]"
    return f"[{low:.3g}, {high:.3g}]"


def figure(frame: GroupFrame, metric: int, group: int, level: float) -> str:
    """Write a group's number with its interval: "41 % [22, 64]"."""
    value, low, high = frame.limits(critical(level))
    what = frame.metrics[metric]
    ends = interval(float(low[metric, group]), float(high[metric, group]), what)
    return f"{number(float(value[metric, group]), what)} {ends}"


def gap_value(value: float, metric: GroupMetric) -> str:
    """Write a difference as its sentence shows it, without unit: points of shares, else three significant digits."""
    return percent(value) if _share(metric) else f"{value:.3g}"


def gap_words(value: float, low: float, high: float, metric: GroupMetric) -> str:
    """Write a difference: "22 points [3, 40]" for shares, else in the unit of the number."""
    if _share(metric):
        return f"{percent(value)} points {interval(low, high, metric)}"
    return f"{number(value, metric)} {interval(low, high, metric)}"


def _share(metric: GroupMetric) -> bool:
    return metric.share or metric.proportion or metric.name in SHARES

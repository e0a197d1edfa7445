"""What chance alone shows: the widest gap among groups that are all alike."""

from collections.abc import Sequence

import numpy as np

from glassbench_audits.fairness.group_frame import GroupFrame
from glassbench_audits.fairness.studentized_range import WIDEST_RATIO, mean_span, span_beyond


def against_chance(
    frame: GroupFrame,
    which: Sequence[int],
    taking_part: np.ndarray,
    spread: np.ndarray,
    gap: float | None,
    replicates: int,
    generator: np.random.Generator,
) -> tuple[float, float] | None:
    """Return how often groups that are all alike show as wide a gap, and the gap they show on average; None without a gap.

    The largest of many differences is above 0 even where nothing is there; this is by how much. Where every number is close to
    normal the distribution of the span of normal numbers is computed, else numbers are drawn. Metrics are taken as independent.

    Args:
        frame: The numbers per group.
        which: Positions of the metrics.
        taking_part: Which groups have a number and take part `(metrics, groups)`.
        spread: What `frame.null_std` says of all metrics `(metrics, groups)`.
        gap: The widest difference seen.
        replicates: How many draws, where numbers are drawn.
        generator: Source of the draws.
    """
    if gap is None:
        return None
    spreads = [spread[k, taking_part[k]] for k in which if taking_part[k].sum() >= 2]
    if all(np.isfinite(each).all() and 0 < each.max() <= WIDEST_RATIO * each.min() for each in spreads):
        return span_beyond(spreads, gap), mean_span(spreads)
    drawn = frame.null(which, replicates, generator)
    known = taking_part[list(which)] & np.isfinite(drawn)
    spans = (np.where(known, drawn, -np.inf).max(axis=2) - np.where(known, drawn, np.inf).min(axis=2)).max(axis=1)
    return (1 + int((spans >= gap - 1e-12).sum())) / (1 + replicates), float(spans.mean())

"""What chance alone shows: the widest gap among groups that are all alike."""

from collections.abc import Sequence

import numpy as np

from glassbench_audits.fairness.comparison.studentized_range import WIDEST_RATIO, Normals, mean_span, span_beyond
from glassbench_audits.fairness.frames.group_frame import GroupFrame

_TWELVE_DIGITS = "{:.12g}".format


def against_chance(
    frame: GroupFrame,
    which: Sequence[int],
    taking_part: np.ndarray,
    normals: Sequence[Normals | None],
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
        normals: What `normal_lines` says of all metrics.
        gap: The widest difference seen.
        replicates: How many draws, where numbers are drawn.
        generator: Source of the draws.
    """
    if gap is None:
        return None
    spans = [normals[k] for k in which if np.count_nonzero(taking_part[k]) >= 2]
    known = [each for each in spans if each is not None]
    if len(known) == len(spans):
        return span_beyond(known, gap), mean_span(known)
    drawn = frame.null(which, replicates, generator)
    among = taking_part[list(which)] & np.isfinite(drawn)
    widths = (np.where(among, drawn, -np.inf).max(axis=2) - np.where(among, drawn, np.inf).min(axis=2)).max(axis=1)
    return (1 + int((widths >= gap - 1e-12).sum())) / (1 + replicates), float(widths.mean())


def normal_lines(frame: GroupFrame, taking_part: np.ndarray) -> tuple[Normals | None, ...]:
    """Return each metric's numbers as they would vary if every group were alike; None where not all are close to normal.

    Args:
        frame: The numbers per group.
        taking_part: Which groups have a number and take part `(metrics, groups)`.
    """
    every = frame.null_std(range(len(frame.metrics)))
    known: dict[tuple[str, ...], Normals] = {}
    return tuple(_normals(spread[among], known) for spread, among in zip(every, taking_part, strict=True))


def _normals(spread: np.ndarray, known: dict[tuple[str, ...], Normals]) -> Normals | None:
    """Return numbers of some spreads, the same object for spreads seen before: a rate varies as 1 minus it does."""
    if not len(spread) or not np.isfinite(spread).all() or not 0 < spread.max() <= WIDEST_RATIO * spread.min():
        return None
    key = tuple(map(_TWELVE_DIGITS, spread.tolist()))
    if key not in known:
        known[key] = Normals(spread)
    return known[key]

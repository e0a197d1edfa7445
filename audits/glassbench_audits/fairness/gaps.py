"""Gaps between groups: the largest difference, the smallest ratio, and intervals that allow for the choice of the widest."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from glassbench.intervals import Limits, mover_difference, mover_ratio
from glassbench_audits.fairness.panel import Panel, critical

Combine = Callable[[Limits, Limits], tuple[np.ndarray, np.ndarray]]

_PAIRS = 2_000
"""Beyond so many pairs of groups, the bound of Šidák (1967) takes the place of the resampled one."""


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """Where a gap is widest.

    Args:
        line: Position of the line in the panel.
        top, bottom: Positions of the groups with the highest and the lowest number.
    """

    line: int
    top: int
    bottom: int


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A difference or a ratio between groups.

    Args:
        value: The point value, None where `undefined` says why.
        low, high: Ends of its interval.
        where: Between which groups, and on which line.
        p: How often groups that are all alike would show as wide a gap or a wider one; differences only.
        chance: The gap that groups which are all alike would show on average; differences only.
        undefined: Why there is no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    where: Extremes | None = None
    p: float | None = None
    chance: float | None = None
    undefined: str | None = None


def difference(panel: Panel, which: Sequence[int], keep: np.ndarray, level: float) -> Gap:
    """Return the largest difference between two groups, over the lines `which`.

    The upper end comes from the widest pair alone. The lower end holds for all pairs at once, so that looking for the
    widest of many does not make a gap out of chance: its critical value is the largest studentised deviation that
    resampling shows over all pairs. Each pair's interval recovers its width from those of the two groups.

    Args:
        panel: The numbers per group.
        which: Positions of the lines.
        keep: Which groups take part `(lines, groups)`.
        level: Confidence level.
    """
    which, value, reason = _selected(panel, which, keep)
    if reason:
        return Gap(value=None, undefined=reason)
    spans = np.nanmax(value, axis=1) - np.nanmin(value, axis=1)
    line = int(np.nanargmax(spans))
    where = Extremes(line=which[line], top=int(np.nanargmax(value[line])), bottom=int(np.nanargmin(value[line])))
    lows, _ = _pairs(panel, which, keep, simultaneous(panel, which, keep, level), mover_difference)
    _, highs = _pairs(panel, which, keep, critical(level), mover_difference)
    low, high = max(0.0, float(np.nanmax(lows))), float(np.nanmax(highs))
    return Gap(value=float(spans[line]), low=low, high=high, where=where)


def ratio(panel: Panel, which: Sequence[int], keep: np.ndarray, level: float) -> Gap:
    """Return the smallest ratio between two groups over the lines `which`, by the way of `difference`.

    A line on which every group has 0 has no ratio and is left out.
    """
    which, value, reason = _selected(panel, which, keep)
    if reason:
        return Gap(value=None, undefined=reason)
    top, bottom = np.nanmax(value, axis=1), np.nanmin(value, axis=1)
    quotients = np.divide(bottom, top, out=np.full(len(top), np.nan), where=top > 0)
    if not np.isfinite(quotients).any():
        return Gap(value=None, undefined=f"the {panel.lines[which[0]].words} is 0 in every group")
    line = int(np.nanargmin(quotients))
    where = Extremes(line=which[line], top=int(np.nanargmax(value[line])), bottom=int(np.nanargmin(value[line])))
    _, highs = _pairs(panel, which, keep, simultaneous(panel, which, keep, level), mover_ratio)
    lows, _ = _pairs(panel, which, keep, critical(level), mover_ratio)
    low, high = float(np.nanmin(lows)), min(1.0, float(np.nanmin(highs)))
    return Gap(value=float(quotients[line]), low=low, high=high, where=where)


def against_chance(
    panel: Panel, which: Sequence[int], keep: np.ndarray, gap: Gap, replicates: int, generator: np.random.Generator
) -> tuple[float, float] | None:
    """Return the p-value of a difference, and the difference that chance alone shows on average; None if undefined.

    The largest of many differences is above 0 even where nothing is there; this is by how much. Lines are drawn as if
    they were independent.
    """
    if gap.value is None:
        return None
    drawn = np.where(keep[list(which)], panel.null(which, replicates, generator), np.nan)
    filled_top, filled_bottom = np.nan_to_num(drawn, nan=-np.inf), np.nan_to_num(drawn, nan=np.inf)
    spans = (filled_top.max(axis=2) - filled_bottom.min(axis=2)).max(axis=1)
    beyond = int((spans >= gap.value - 1e-12).sum())
    return (1 + beyond) / (1 + replicates), float(spans.mean())


def simultaneous(panel: Panel, which: Sequence[int], keep: np.ndarray, level: float) -> float:
    """Return the critical value that holds for every pair of groups on every line at once.

    The level's quantile of the largest studentised deviation among resamples; never more than the bound of Šidák (1967), which
    knows nothing of how the pairs hang together.
    """
    taken = [np.flatnonzero(keep[k] & np.isfinite(panel.value[k])) for k in which]
    pairs = sum(math.comb(len(t), 2) for t in taken)
    z = critical(level)
    if pairs <= 1:
        return z
    bound = float(ndtri(0.5 + 0.5 * level ** (1 / pairs)))
    if pairs > _PAIRS or not len(panel.draws):
        return bound
    _, low, high = panel.limits(z)
    widest = np.zeros(len(panel.draws))
    for k, groups in zip(which, taken, strict=True):
        first, second = np.triu_indices(len(groups), 1)
        deviation = np.nan_to_num(panel.draws[:, k][:, groups] - panel.value[k, groups])
        variance = ((high[k, groups] - low[k, groups]) / (2 * z)) ** 2
        spread = np.sqrt(variance[first] + variance[second])
        apart = np.abs(deviation[:, first] - deviation[:, second])
        studentised = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)  # what never varies has no error
        np.maximum(widest, studentised.max(axis=1, initial=0), out=widest)
    return min(bound, max(z, float(np.quantile(widest, level))))


def _pairs(panel: Panel, which: Sequence[int], keep: np.ndarray, z: float, combine: Combine) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals of every ordered pair of groups `(which, groups, groups)`, NaN where there is no pair."""
    value, low, high = (np.where(keep[list(which)], part[list(which)], np.nan) for part in panel.limits(z))
    lows, highs = combine((value[:, :, None], low[:, :, None], high[:, :, None]), (value[:, None], low[:, None], high[:, None]))
    usable = np.isfinite(value)[:, :, None] & np.isfinite(value)[:, None] & ~np.eye(value.shape[1], dtype=bool)
    return np.where(usable, lows, np.nan), np.where(usable, highs, np.nan)


def _selected(panel: Panel, which: Sequence[int], keep: np.ndarray) -> tuple[list[int], np.ndarray, str | None]:
    """Return the lines two groups have, their numbers (NaN where a group is left out), and why one has no comparison."""
    value = np.where(keep[list(which)], panel.value[list(which)], np.nan)
    enough = np.isfinite(value).sum(axis=1) >= 2
    lines = [k for k, ok in zip(which, enough, strict=True) if ok]
    comparable = {panel.lines[k].name for k in lines}
    lacking = [k for k in which if panel.lines[k].name not in comparable]
    return lines, value[enough], _too_few(panel, lacking[0], keep) if lacking else None


def _too_few(panel: Panel, line: int, keep: np.ndarray) -> str:
    words, of = panel.lines[line].words, panel.lines[line].of
    if len(panel.groups) == 1:
        return f"there is only one group, {panel.groups[0].words}"
    if np.isfinite(panel.value[line]).sum() < 2:
        return f"fewer than two groups have a {words}: the others have no {of}"
    return f"fewer than two groups are large enough to compare their {words}"

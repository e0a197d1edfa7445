"""Gaps between groups: the largest difference, the smallest ratio, and intervals that allow for the choice of the widest."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench.stats.intervals import Limits, mover_difference, mover_ratio
from glassbench_audits.fairness.comparison.critical_values import simultaneous
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """Where a gap is widest.

    Args:
        metric: Position of the metric in the frame.
        top, bottom: Positions of the groups with the highest and the lowest number.
    """

    metric: int
    top: int
    bottom: int


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A difference or a ratio between groups.

    Args:
        value: The point value, None where `undefined` says why.
        low, high: Ends of its interval.
        where: Between which groups, and on which metric.
        p: How often groups that are all alike would show as wide a gap or a wider one; differences only.
        chance: The gap that groups which are all alike would show on average; differences only.
        undefined: Why there is no value.
        unsupported: Why the value carries no interval and no verdict may be based on it.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    where: Extremes | None = None
    p: float | None = None
    chance: float | None = None
    undefined: str | None = None
    unsupported: str | None = None


def gaps(frame: GroupFrame, criteria: Sequence[Sequence[int]], keep: np.ndarray, level: float) -> tuple[tuple[Gap, Gap], ...]:
    """Return the largest difference and the smallest ratio between two groups by every criterion, over all its metrics.

    The end of an interval that speaks against a gap comes from the widest pair alone; the end that claims one allows for the
    choice of the widest (`simultaneous`). Each pair's interval recovers its width from those of the two groups. A metric that
    is 0 in every group has no ratio and is left out.

    Args:
        frame: The numbers per group.
        criteria: Positions of each criterion's metrics.
        keep: Which groups take part `(metrics, groups)`.
        level: Confidence level.
    """
    taking_part = keep & np.isfinite(frame.value)
    reasons = [_lacking(frame, which, taking_part) for which in criteria]
    sizes = [len(which) for which in criteria]
    metrics = np.concatenate([np.asarray(which, dtype=int) for which in criteria])
    z = np.repeat(simultaneous(frame, criteria, taking_part, level), sizes)[:, None]
    claimed, plain = frame.limits(z, metrics), frame.limits(critical(level))
    plain = plain[0][metrics], plain[1][metrics], plain[2][metrics]
    with np.errstate(invalid="ignore"):  # numbers that are no shares may have no end, and their ratio is asked for by nobody
        differences, quotients = _laid(frame.value[metrics], _facing(claimed), _facing(plain), taking_part[metrics])
    places = np.split(np.arange(len(metrics)), np.cumsum(sizes)[:-1])
    found = []
    for which, reason, place in zip(criteria, reasons, places, strict=True):
        if reason:
            found.append((Gap(value=None, undefined=reason), Gap(value=None, undefined=reason)))
            continue
        few = _unsupported(frame, which, taking_part)
        pair = _largest(differences, place.tolist(), metrics), _smallest(quotients, place.tolist(), metrics, frame)
        found.append((_bare(pair[0], few), _bare(pair[1], few)))
    return tuple(found)


def ratios_to_highest(frame: GroupFrame, metric: int, keep: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of each group's ratio to the highest number of a metric, each `(groups,)`.

    Which group is highest in fact is not known. The low end therefore holds against every other group, and the high end is
    the least of those against any, at the critical value that allows for the choice among all pairs (`simultaneous`). Of two
    groups the lower one's interval is that of the smallest ratio.

    Args:
        frame: The numbers per group.
        metric: The position of the metric.
        keep: Which groups take part `(metrics, groups)`.
        level: Confidence level.
    """
    taking_part = keep & np.isfinite(frame.value)
    z = simultaneous(frame, [(metric,)], taking_part, level)[:, None]
    _, highs = mover_ratio(*_facing(frame.limits(z, [metric])))
    lows, _ = mover_ratio(*_facing(frame.limits(critical(level), [metric])))
    pairs = _pairs(taking_part[[metric]])
    return (np.where(pairs, ends, 1.0).min(axis=2)[0] for ends in (lows, highs))  # type: ignore[return-value]


def _unsupported(frame: GroupFrame, which: Sequence[int], taking_part: np.ndarray) -> str | None:
    """Return why a gap carries no interval: a group that takes part has too few events."""
    if frame.unsupported is None:
        return None
    for k in which:
        for g in np.flatnonzero(taking_part[k]):
            if frame.unsupported[k, g] is not None:
                return f"{frame.groups[g].words}: {frame.unsupported[k, g]}"
    return None


def _bare(gap: Gap, few: str | None) -> Gap:
    return gap if few is None else replace(gap, low=None, high=None, unsupported=few)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Laid:
    """Gaps of metrics, each `(metrics,)`: the point, the ends, and between which groups; NaN where there is none."""

    value: list[float]
    low: list[float]
    high: list[float]
    top: list[int]
    bottom: list[int]

    def gap(self, at: int, metric: int, low: float, high: float) -> Gap:
        return Gap(
            value=self.value[at], low=low, high=high, where=Extremes(metric=metric, top=self.top[at], bottom=self.bottom[at])
        )


_Facing = tuple[Limits, Limits]


def _laid(value: np.ndarray, claimed: _Facing, plain: _Facing, among: np.ndarray) -> tuple[_Laid, _Laid]:
    """Return the largest differences and the smallest ratios of metrics."""
    pairs = _pairs(among)
    top, bottom = np.where(among, value, -np.inf), np.where(among, value, np.inf)
    highest, lowest, some = top.max(axis=1), bottom.min(axis=1), pairs.any(axis=(1, 2))
    where = {"top": top.argmax(axis=1).tolist(), "bottom": bottom.argmin(axis=1).tolist()}
    differences = _Laid(
        value=np.where(some, highest - lowest, np.nan).tolist(),
        low=np.where(pairs, mover_difference(*claimed)[0], -np.inf).max(axis=(1, 2)).tolist(),
        high=np.where(pairs, mover_difference(*plain)[1], -np.inf).max(axis=(1, 2)).tolist(),
        **where,
    )
    ratios = _Laid(
        value=np.divide(lowest, highest, out=np.full(len(value), np.nan), where=some & (highest > 0)).tolist(),
        low=np.where(pairs, mover_ratio(*plain)[0], np.inf).min(axis=(1, 2)).tolist(),
        high=np.where(pairs, mover_ratio(*claimed)[1], np.inf).min(axis=(1, 2)).tolist(),
        **where,
    )
    return differences, ratios


def _largest(laid: _Laid, place: Sequence[int], metrics: np.ndarray) -> Gap:
    at = max((at for at in place if not math.isnan(laid.value[at])), key=laid.value.__getitem__)
    return laid.gap(at, int(metrics[at]), max(0.0, _end(max, laid.low, place)), _end(max, laid.high, place))


def _smallest(laid: _Laid, place: Sequence[int], metrics: np.ndarray, frame: GroupFrame) -> Gap:
    there = [at for at in place if not math.isnan(laid.value[at])]
    if not there:
        return Gap(value=None, undefined=f"the {frame.metrics[metrics[place[0]]].words} is 0 in every group")
    at = min(there, key=laid.value.__getitem__)
    return laid.gap(at, int(metrics[at]), _end(min, laid.low, place), min(1.0, _end(min, laid.high, place)))


def _end(outermost: Callable[[Sequence[float]], float], ends: Sequence[float], place: Sequence[int]) -> float:
    """Return the outermost end of some metrics, NaN where one of them has none."""
    chosen = [ends[at] for at in place]
    return math.nan if any(map(math.isnan, chosen)) else outermost(chosen)


def _facing(limits: Limits) -> _Facing:
    """Return limits `(metrics, groups)` so that every group meets every other: `(metrics, groups, 1)` and
    `(metrics, 1, groups)`."""
    value, low, high = limits
    return (value[:, :, None], low[:, :, None], high[:, :, None]), (value[:, None], low[:, None], high[:, None])


def _pairs(among: np.ndarray) -> np.ndarray:
    """Return which ordered pairs of groups take part `(metrics, groups, groups)`."""
    together: np.ndarray = among[:, :, None] & among[:, None] & ~np.eye(among.shape[1], dtype=bool)
    return together


def _lacking(frame: GroupFrame, which: Sequence[int], taking_part: np.ndarray) -> str | None:
    """Return why a criterion has no gap: a number it speaks of is had by fewer than two groups, on all metrics of that name."""
    enough = {frame.metrics[k].name for k in which if np.count_nonzero(taking_part[k]) >= 2}
    lacking = [k for k in which if frame.metrics[k].name not in enough]
    return _too_few(frame, lacking[0]) if lacking else None


def _too_few(frame: GroupFrame, metric: int) -> str:
    words, of = frame.metrics[metric].words, frame.metrics[metric].of
    if len(frame.groups) == 1:
        return f"there is only one group, {frame.groups[0].words}"
    if np.isfinite(frame.value[metric]).sum() < 2:
        return f"fewer than two groups have a {words}: the others have no {of}"
    return f"fewer than two groups are large enough to compare their {words}"

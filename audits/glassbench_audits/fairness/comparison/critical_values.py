"""Critical values for the end of a gap's interval that claims a gap: groups were picked because they lie apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, reduce

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical

CLAIMED = 0.7
"""The part of 1 - level by which the end that claims a gap may err where the other end cannot: 3.5 of 5 %, not all of it."""

_MOST = 2_000
"""Beyond so many pairs of groups, Bonferroni's bound takes the place of the resampled one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """The pairs of groups on one metric, `p` of them, each in both orders `(2, p)`.

    Args:
        apart: How far the first group's number lies above the second's; the second order has the opposite sign `(2, p)`.
        spread: Standard errors of that, from the ends of both groups' intervals that face each other `(2, p)`.
        moved: How far resamples move the number of each group that takes part `(groups, replicates)`.
        first, second: Positions of each pair's groups among these `(p,)`.
    """

    apart: np.ndarray
    spread: np.ndarray
    moved: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @cached_property
    def bound(self) -> np.ndarray:
        """What no studentised deviation is above, in each resample `(replicates,)`."""
        return np.asarray(np.ptp(self.moved, axis=0) * self.inverse.max())

    @cached_property
    def inverse(self) -> np.ndarray:
        """1 over standard errors; 0 where nothing varies `(2, p)`."""
        return _inverse(self.spread)

    def largest(self, taking_part: np.ndarray | None, replicates: np.ndarray) -> np.ndarray:
        """Return the largest studentised deviation in some resamples, among pairs and orders `(2, p)` that take part."""
        moved = self.moved[:, replicates]
        difference = moved[self.first] - moved[self.second]
        deviation = np.stack([difference * self.inverse[0][:, None], difference * -self.inverse[1][:, None]])
        among = deviation.reshape(-1, len(replicates)) if taking_part is None else deviation[taking_part]
        return np.asarray(among.max(axis=0, initial=-np.inf))


def simultaneous(frame: GroupFrame, criteria: Sequence[Sequence[int]], keep: np.ndarray, level: float) -> np.ndarray:
    """Return for each criterion the critical value at which the interval of its widest gap ends on the side that claims a gap.

    The gap in question is the true distance between the highest and the lowest of the groups. Looking for the widest of many
    pairs must not make a gap out of chance, so the value is a quantile of the largest studentised deviation that resampling
    shows over the pairs that may be the widest: those whose own interval reaches up to a gap that is surely there (Chernozhukov,
    Lee and Rosen 2013). A gap too narrow to be missed from above, because the other end never lies below it, leaves more of the
    error to this end, 3.5 of 5 %. For two groups the distribution of an absolute difference takes the place of resampling.

    Args:
        frame: The numbers per group.
        criteria: Positions of each criterion's metrics.
        keep: Which groups take part `(metrics, groups)`.
        level: Confidence level.
    """
    alike = _mirrors(frame, keep)
    pairs = pairs_of(frame, keep, critical(level), alike)
    done: dict[tuple[int, ...], float] = {}
    for which in criteria:
        same = tuple(alike[k] for k in which)
        if same not in done:
            done[same] = _simultaneous([pairs[k] for k in which if pairs[k].apart.size], level)
    return np.array([done[tuple(alike[k] for k in which)] for which in criteria])


def _mirrors(frame: GroupFrame, keep: np.ndarray) -> list[int]:
    """Return for each metric the first one that is it or 1 minus it, such as the true and the false negative rate.

    Differences of mirrored numbers are the same with the other sign, and both orders of each pair are looked at.
    """
    alike = list(range(len(frame.value)))
    seen: dict[tuple[bytes, bytes], int] = {}
    for k in alike:
        rests_on = (keep[k].tobytes(), frame.n[k].tobytes())
        first = seen.setdefault(rests_on, k)
        if first != k and _add_up(frame.value, first, k) and _add_up(frame.draws, first, k):
            alike[k] = first
    return alike


def _add_up(numbers: np.ndarray, first: int, second: int) -> bool:
    return bool(np.abs(numbers[first] + numbers[second] - 1).max(initial=0) < 1e-12)


def _simultaneous(pairs: Sequence[Pairs], level: float) -> float:
    z, count = critical(level), sum(each.apart.shape[1] for each in pairs)
    if count == 0:
        return z
    if count == 1:
        return folded(float((pairs[0].apart * pairs[0].inverse).max()), level)
    least = z * max(float(each.spread.max()) for each in pairs)
    beyond = max(float(((each.apart - least) * each.inverse).max()) for each in pairs)
    resampled = count <= _MOST and pairs[0].moved.shape[1] > 0
    ends = _among_widest(pairs, level) if resampled else _bonferroni(2 * count, level)
    return float(np.clip(beyond, max(float(ndtri(1 - CLAIMED * (1 - level))), ends[0]), max(z, ends[1])))


def folded(apart: float, level: float) -> float:
    """Return the critical value for two groups, by how many standard errors they lie apart.

    Inverts the test of an absolute difference: at no difference it is two-sided, and one-sided where the other end of the
    interval cannot lie below the truth; 3.5 of 5 % are missed there. Where both ends can err each has its half of the error.

    Args:
        apart: The absolute difference in standard errors.
        level: Confidence level.

    Example:
        >>> [round(folded(x, 0.95), 2) for x in (1.0, 2.5, 3.5, 5.0)]
        [2.11, 1.82, 1.81, 1.96]
    """
    alpha = CLAIMED * (1 - level)
    z, alone = critical(level), critical(1 - alpha)
    if apart <= alone:
        return alone

    def missed(truth: float) -> float:
        return float(ndtr(truth - apart) + ndtr(-truth - apart)) - alpha

    if missed(z) >= 0:
        return apart - float(brentq(missed, 0.0, z))
    return min(z, apart - z)


def pairs_of(frame: GroupFrame, keep: np.ndarray, z: float, alike: Sequence[int]) -> tuple[Pairs, ...]:
    """Return the pairs of groups that take part and have an interval, metric by metric.

    Args:
        frame: The numbers per group.
        keep: Which groups take part `(metrics, groups)`.
        z: Critical value of the groups' own intervals.
        alike: The metric whose pairs stand for each metric's.
    """
    value, low, high = frame.limits(z)
    below, above = ((value - low) / z) ** 2, ((high - value) / z) ** 2
    taking_part = keep & np.isfinite(below + above)
    found: dict[int, Pairs] = {}
    for k in dict.fromkeys(alike):
        moved = frame.draws[k] - value[k, :, None]
        if not np.isfinite(moved.sum()):
            moved[~np.isfinite(moved)] = 0
        numbers, among = (value[k], below[k], above[k], moved), taking_part[k]
        found[k] = _line_pairs(*(numbers if among.all() else (part[among] for part in numbers)))
    return tuple(found[k] for k in alike)


def _line_pairs(value: np.ndarray, below: np.ndarray, above: np.ndarray, moved: np.ndarray) -> Pairs:
    first, second = _two_of(len(value))
    apart = value[first] - value[second]
    return Pairs(
        apart=np.array([apart, -apart]),
        spread=np.sqrt([below[first] + above[second], below[second] + above[first]]),
        moved=moved,
        first=first,
        second=second,
    )


@lru_cache(maxsize=64)
def _two_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of all pairs among so many groups."""
    rows, columns = np.nonzero(np.arange(count)[:, None] < np.arange(count))
    return rows, columns


def _among_widest(pairs: Sequence[Pairs], level: float) -> np.ndarray:
    """Return the quantiles over the pairs and orders that may be the widest: that reach up to a gap that is surely there."""
    ends = _quantiles(pairs, None, level)
    reach = ends[0]
    there = max(float((each.apart - reach * each.spread).max()) for each in pairs)
    taking_part = [each.apart + reach * each.spread >= there for each in pairs]
    return ends if all(part.all() for part in taking_part) else _quantiles(pairs, taking_part, level)


def _quantiles(pairs: Sequence[Pairs], taking_part: Sequence[np.ndarray] | None, level: float) -> np.ndarray:
    """Return two high quantiles of the largest studentised deviation among those that take part (None for all), never above
    Bonferroni's bounds.

    Only the resamples that may lie highest are looked into: first those with the highest bounds, then all others whose bound
    reaches the quantile that these leave possible.
    """
    bound = np.max([each.bound for each in pairs], axis=0)
    many = len(bound)
    ranks = [many + 1 - math.ceil(share * many) for share in (1 - CLAIMED * (1 - level), 0.5 + level / 2)]
    cut = max(many - 2 * max(ranks), 0)
    order = np.argpartition(bound, cut)
    likely, others = order[cut:], order[:cut]
    highest = np.sort(_largest(pairs, taking_part, likely))
    others = others[bound[others] >= highest[-max(ranks)]]
    if len(others):
        highest = np.sort(np.concatenate([highest, _largest(pairs, taking_part, others)]))
    count = sum(each.apart.size for each in pairs) if taking_part is None else sum(map(np.count_nonzero, taking_part))
    return np.asarray(np.minimum([highest[-rank] for rank in ranks], _bonferroni(count, level)))


def _largest(pairs: Sequence[Pairs], taking_part: Sequence[np.ndarray] | None, replicates: np.ndarray) -> np.ndarray:
    parts = [None] * len(pairs) if taking_part is None else taking_part
    return reduce(np.maximum, (each.largest(part, replicates) for each, part in zip(pairs, parts, strict=True)))


@cache
def _bonferroni(count: int, level: float) -> np.ndarray:
    """Return the bounds for the end that errs alone and for one of two that err, for so many pairs and orders."""
    return np.asarray(-ndtri(np.array([CLAIMED, 0.5]) * (1 - level) / count))


def _inverse(spread: np.ndarray) -> np.ndarray:
    """Return 1 over standard errors; 0 where nothing varies."""
    inverse: np.ndarray = np.divide(1, spread, out=np.zeros(spread.shape), where=spread > 0)
    return inverse

"""Critical values for the end of a gap's interval that claims a gap: groups were picked because they lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from glassbench_audits.fairness.group_frame import GroupFrame, critical

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
        moved: How far resamples move each group's number `(replicates, groups)`.
        first, second: Positions of each pair's groups `(p,)`.
    """

    apart: np.ndarray
    spread: np.ndarray
    moved: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @cached_property
    def studentised(self) -> tuple[np.ndarray, np.ndarray]:
        """How far resamples move each pair's difference, in standard errors, in both orders `(replicates, p)`."""
        difference = self.moved[:, self.first] - self.moved[:, self.second]
        return difference * _inverse(self.spread[0]), difference * -_inverse(self.spread[1])

    @cached_property
    def farthest(self) -> np.ndarray:
        """The largest studentised deviation among all pairs and orders `(replicates,)`."""
        return self.largest(np.ones(self.apart.shape, dtype=bool))

    def largest(self, taking_part: np.ndarray) -> np.ndarray:
        """Return the largest studentised deviation among pairs and orders `(2, p)` that take part, `(replicates,)`."""
        parts = [s if part.all() else s[:, part] for s, part in zip(self.studentised, taking_part, strict=True)]
        return np.asarray(np.max([part.max(axis=1, initial=-np.inf) for part in parts], axis=0))


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
    pairs = pairs_of(frame, keep, critical(level))
    return np.array([_simultaneous([pairs[k] for k in which if pairs[k].apart.size], level) for which in criteria])


def _simultaneous(pairs: Sequence[Pairs], level: float) -> float:
    z, count = critical(level), sum(each.apart.shape[1] for each in pairs)
    if count == 0:
        return z
    if count == 1:
        return folded(float((pairs[0].apart * _inverse(pairs[0].spread)).max()), level)
    least = z * max(float(each.spread.max()) for each in pairs)
    beyond = max(float(((each.apart - least) * _inverse(each.spread)).max()) for each in pairs)
    resampled = count <= _MOST and len(pairs[0].moved) > 0
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


def pairs_of(frame: GroupFrame, keep: np.ndarray, z: float) -> tuple[Pairs, ...]:
    """Return the pairs of groups that take part and have an interval, metric by metric."""
    value, low, high = frame.limits(z)
    below, above = ((value - low) / z) ** 2, ((high - value) / z) ** 2
    taking_part = keep & np.isfinite(below + above)
    moved = frame.draws - value
    moved[~np.isfinite(moved)] = 0
    return tuple(
        _line_pairs(value[k], below[k], above[k], moved[:, k], np.flatnonzero(taking_part[k])) for k in range(len(value))
    )


def _line_pairs(value: np.ndarray, below: np.ndarray, above: np.ndarray, moved: np.ndarray, groups: np.ndarray) -> Pairs:
    rows, columns = np.nonzero(np.arange(len(groups))[:, None] < np.arange(len(groups)))
    first, second = groups[rows], groups[columns]
    apart = value[first] - value[second]
    return Pairs(
        apart=np.array([apart, -apart]),
        spread=np.sqrt([below[first] + above[second], below[second] + above[first]]),
        moved=moved,
        first=first,
        second=second,
    )


def _among_widest(pairs: Sequence[Pairs], level: float) -> np.ndarray:
    """Return the quantiles over the pairs and orders that may be the widest: that reach up to a gap that is surely there."""
    count = 2 * sum(each.apart.shape[1] for each in pairs)
    ends = _quantiles(np.max([each.farthest for each in pairs], axis=0), count, level)
    reach = ends[0]
    there = max(float((each.apart - reach * each.spread).max()) for each in pairs)
    taking_part = [each.apart + reach * each.spread >= there for each in pairs]
    if all(part.all() for part in taking_part):
        return ends
    largest = np.max([each.largest(part) for each, part in zip(pairs, taking_part, strict=True)], axis=0)
    return _quantiles(largest, sum(int(part.sum()) for part in taking_part), level)


def _quantiles(largest: np.ndarray, count: int, level: float) -> np.ndarray:
    places = [int(np.ceil(share * len(largest))) - 1 for share in (1 - CLAIMED * (1 - level), 0.5 + level / 2)]
    return np.asarray(np.minimum(np.partition(largest, places)[places], _bonferroni(count, level)))


def _bonferroni(count: int, level: float) -> np.ndarray:
    """Return the bounds for the end that errs alone and for one of two that err, for so many pairs and orders."""
    return np.asarray(-ndtri(np.array([CLAIMED, 0.5]) * (1 - level) / count))


def _inverse(spread: np.ndarray) -> np.ndarray:
    """Return 1 over standard errors; 0 where nothing varies."""
    inverse: np.ndarray = np.divide(1, spread, out=np.zeros(spread.shape), where=spread > 0)
    return inverse

"""Gaps with the strata held fixed: one difference per pair of groups, and whether it points the other way than overall."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench_audits.fairness.comparison.gaps import Extremes
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """The difference between two groups with the strata held fixed, beside the one over all rows.

    Args:
        where: The metric and the groups, of which the first is higher over all rows; positions in the overall frame.
        overall: The difference over all rows with the ends of its interval.
        within: The weighted mean of the strata's differences with the ends of its interval.
        opposite: In how many strata the second group is higher.
        strata: In how many strata both groups have the number.
    """

    where: Extremes
    overall: tuple[float, float, float]
    within: tuple[float, float, float]
    opposite: int
    strata: int

    @property
    def reversed(self) -> bool:
        """Whether the difference surely points one way over all rows and surely the other way within the strata."""
        return self.overall[1] > 0 > self.within[2]

    @property
    def vanishes(self) -> bool:
        """Whether the difference is surely there over all rows, but within strata surely smaller and not told from none."""
        return self.overall[1] > 0 and self.within[1] <= 0 <= self.within[2] < self.overall[1]


def adjusted(frame: GroupFrame, within: Sequence[GroupFrame], where: Extremes, level: float) -> Adjusted | None:
    """Return the difference of a pair of groups within strata, weighted as Mantel and Haenszel do; None if no stratum has both.

    The interval recovers its width from those of every stratum's two numbers, which are independent.

    Args:
        frame: The numbers over all rows.
        within: The same numbers within each stratum.
        where: The metric and the pair of groups.
        level: Confidence level.
    """
    z = critical(level)
    found = [pair for part in within if (pair := _pair(part, frame, where, z)) is not None]
    if not found:
        return None
    top, bottom, weights = (np.array(each) for each in zip(*found, strict=True))
    weights = weights / weights.sum()
    apart = top[:, 0] - bottom[:, 0]
    return Adjusted(
        where=where,
        overall=difference(frame, where, z),
        within=_difference((top, bottom), weights),
        opposite=int((apart < 0).sum()),
        strata=len(found),
    )


def difference(frame: GroupFrame, where: Extremes, z: float) -> tuple[float, float, float]:
    """Return the difference of two groups over all rows with the ends of its interval at a critical value."""
    top, bottom = (np.array(frame.limits(z))[:, where.metric, g] for g in (where.top, where.bottom))
    return _difference((top[None], bottom[None]), np.ones(1))


def _pair(part: GroupFrame, frame: GroupFrame, where: Extremes, z: float) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Return number and ends of both groups in a stratum, and the stratum's weight."""
    labels = [group.values for group in part.groups]
    wanted = [frame.groups[g].values for g in (where.top, where.bottom)]
    if not all(values in labels for values in wanted):
        return None
    first, second = (labels.index(values) for values in wanted)
    limits = np.array(part.limits(z))[:, where.metric]
    n, m = (float(part.n[where.metric, g]) for g in (first, second))
    if not (np.isfinite(limits[:, first]).all() and np.isfinite(limits[:, second]).all()):
        return None
    return limits[:, first], limits[:, second], n * m / (n + m)


def _difference(pair: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> tuple[float, float, float]:
    """Return the weighted difference with its interval, from number and ends of both groups `(strata, 3)`."""
    (p, p_low, p_high), (q, q_low, q_high) = (tuple(each.T) for each in pair)
    value = float(weights @ (p - q))
    below = float(np.sqrt(weights**2 @ ((p - p_low) ** 2 + (q_high - q) ** 2)))
    above = float(np.sqrt(weights**2 @ ((p_high - p) ** 2 + (q - q_low) ** 2)))
    return value, value - below, value + above

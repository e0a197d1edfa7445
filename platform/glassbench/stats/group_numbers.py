"""The numbers of groups that a gap between groups is the widest of."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

GapKind = Literal["difference", "ratio"]
"""A gap is the largest difference, or the smallest ratio, over pairs of groups."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupNumbers:
    """The numbers of the groups that a gap is the widest of.

    Args:
        value: The number of each group `(k,)`.
        draws: The same in each resample `(b, k)`.
        metric: Which metric each number is of `(k,)`; groups are compared within a metric.
        n: On how many rows each rests `(k,)`; infinite where it is no share.
    """

    value: np.ndarray
    draws: np.ndarray
    metric: np.ndarray
    n: np.ndarray

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of every ordered pair of groups of one metric whose numbers are known, in most resamples too."""
        known = np.isfinite(self.value) & (np.isfinite(self.draws).mean(axis=0) >= 0.5)
        alike = (self.metric[:, None] == self.metric) & known[:, None] & known & ~np.eye(len(known), dtype=bool)
        first, second = np.nonzero(alike)
        return first, second

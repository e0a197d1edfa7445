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

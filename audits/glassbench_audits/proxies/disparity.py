"""Does the model lean on an input more in one group than in the others?"""

from dataclasses import dataclass

import numpy as np

from glassbench.stats.intervals import percentile, resampled_weights
from glassbench_audits.proxies.groups import Groups


@dataclass(frozen=True, eq=False, kw_only=True)
class Disparity:
    """Mean |attribution| in each group minus that in all others, each array `(groups, units)`.

    Args:
        difference: The point value.
        low, high: Ends of its interval.
        p: Chance of as clear a difference in any group and unit where membership has nothing to do with attributions.
        mean: Mean |attribution| over all rows `(units,)`.
    """

    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    mean: np.ndarray


def disparity(
    attributions: np.ndarray, groups: Groups, generator: np.random.Generator, *, permutations: int, replicates: int, level: float
) -> Disparity:
    """Return how differently the model leans on its inputs between groups, corrected by the largest of shuffled differences.

    Args:
        attributions: Attributions `(n, units)` of `groups.rows`.
        groups: The groups.
        generator: Draws shuffles and resamples.
        permutations: Shuffles behind the p-values (Westfall and Young 1993, single step).
        replicates, level: Resamples of rows behind the intervals, and their level.
    """
    size = np.abs(attributions)
    difference = _differences(groups.marks, size)
    scale = _scale(groups.marks, size)
    null = np.array([np.abs(_differences(m, size) / scale).max() for m in groups.shuffled(permutations, generator)])
    drawn = [
        _differences(groups.marks * row[:, None], size, (1 - groups.marks) * row[:, None])
        for block in resampled_weights(len(size), replicates, generator)
        for row in block
    ]
    low, high = percentile(np.array(drawn), level)
    reached = null[:, None, None] >= np.abs(difference / scale) - 1e-9
    return Disparity(
        difference=difference,
        low=low,
        high=high,
        p=(1 + reached.sum(axis=0)) / (1 + permutations),
        mean=size.mean(axis=0),
    )


def _differences(inside: np.ndarray, size: np.ndarray, outside: np.ndarray | None = None) -> np.ndarray:
    """Return the weighted mean inside minus outside each group `(groups, units)`; NaN where a resample misses a side."""
    rest = 1 - inside if outside is None else outside
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = inside.T @ size / inside.sum(axis=0)[:, None] - rest.T @ size / rest.sum(axis=0)[:, None]
    return means


def _scale(marks: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the standard error of each difference by chance `(groups, units)`; infinite where a unit does not vary."""
    inside = marks.sum(axis=0)
    parts = np.sqrt(1 / inside + 1 / (len(marks) - inside))
    scale: np.ndarray = parts[:, None] * size.std(axis=0)
    return np.where(scale > 1e-12, scale, np.inf)

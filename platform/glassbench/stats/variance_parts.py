"""How much of a number's variation between runs is due to settings, and how much to the seed."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from glassbench.stats.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class VarianceParts:
    """The variance of a number over settings and seeds.

    Args:
        seeds: Standard deviation over seeds at equal settings.
        settings: Share of the variance of one run that settings explain, 0 to 1; None where only seeds vary.
    """

    seeds: Estimate
    settings: Estimate | None


def variance_parts(values: np.ndarray, level: float = 0.95) -> VarianceParts | None:
    """Return the parts of the variance of numbers `(settings, seeds)`; None with fewer than two seeds.

    The standard deviation over seeds has the interval of a chi-squared variance, the share of settings that of the F ratio of a
    one-way layout (Searle 1971, Linear Models, chapter 9); both suppose normal numbers.

    Raises:
        ValueError: A number is missing.
    """
    if not np.isfinite(values).all():
        raise ValueError("each setting needs a number for each seed")
    count, seeds = values.shape
    if seeds < 2:
        return None
    within = float(values.var(axis=1, ddof=1).mean())
    free = count * (seeds - 1)
    tails = stats.chi2.ppf([0.5 + level / 2, 0.5 - level / 2], free)
    low, high = np.sqrt(within * free / tails)
    spread = Estimate.of(within**0.5, float(low), float(high), level=level, n=count * seeds)
    return VarianceParts(seeds=spread, settings=_share_of_settings(values, within, level) if count > 1 else None)


def _share_of_settings(values: np.ndarray, within: float, level: float) -> Estimate:
    count, seeds = values.shape
    between = seeds * float(values.mean(axis=1).var(ddof=1))
    if within == 0:
        share = 1.0 if between > 0 else float("nan")
        return Estimate.of(share, share, share, level=level, n=count, undefined="all runs gave the same number")
    ratio, free = between / within, count * (seeds - 1)
    ends = [ratio / float(stats.f.ppf(p, count - 1, free)) for p in (0.5 + level / 2, 0.5 - level / 2)]
    low, value, high = (max(0.0, (f - 1) / (f - 1 + seeds)) for f in (ends[0], ratio, ends[1]))
    return Estimate.of(value, low, high, level=level, n=count)


def importance(settings: Sequence[Mapping[str, Any]], values: np.ndarray) -> dict[str, float]:
    """Return the share of the variance between settings that each setting explains alone, of a full grid.

    It is the sum of squares of the setting's main effect over that of all combinations; what is missing to 1 is interaction.

    Args:
        settings: The combinations, each with the same keys.
        values: The mean number of each `(combinations,)`.

    Example:
        >>> grid = [{"a": a, "b": b} for a in (0, 1) for b in (0, 1)]
        >>> importance(grid, np.array([0.0, 1.0, 2.0, 3.0]))
        {'a': 0.8, 'b': 0.2}
    """
    total = float(((values - values.mean()) ** 2).sum())
    found = {}
    for name in settings[0] if settings else ():
        told = [repr(combination[name]) for combination in settings]
        groups = [values[[place for place, value in enumerate(told) if value == each]] for each in dict.fromkeys(told)]
        main = sum(len(group) * float(group.mean() - values.mean()) ** 2 for group in groups)
        found[name] = round(main / total, 12) if total > 0 else 0.0
    return found


def frontier(points: np.ndarray) -> list[int]:
    """Return which points no other dominates, each coordinate the higher the better; `(candidates, objectives)`.

    Example:
        >>> frontier(np.array([[1.0, 0.0], [0.5, 0.5], [0.4, 0.4], [0.0, 1.0]]))
        [0, 1, 3]
    """
    dominated = {
        one
        for one, other in itertools.permutations(range(len(points)), 2)
        if (points[other] >= points[one]).all() and (points[other] > points[one]).any()
    }
    return [place for place in range(len(points)) if place not in dominated]

"""Areas under the ROC curve with their limits."""

from collections.abc import Sequence

import numpy as np

from glassbench.stats.inference import Inference, logit_limits, rate_limits, undefined
from glassbench.stats.sampling import Sampling


def ranks(score: np.ndarray) -> tuple[int, np.ndarray]:
    """Return how many different scores there are, and how many lie below that of each row `(n,)`; equal ones count once.

    Numbers in single precision are sorted together with their places, each pair packed into one whole number: that takes a
    fifth of the time of sorting places by numbers.

    Args:
        score: Scores `(n,)`.
    """
    with np.errstate(over="ignore"):
        single = score.astype(np.float32)
    if len(score) >= 2**32 or not len(score) or not np.array_equal(single, score):
        values, level = np.unique(score, return_inverse=True)
        return len(values), level
    bits = (single + 0).view(np.uint32)  # adding 0 makes of -0 the 0 that it equals
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(2**31))
    packed = ordered.astype(np.uint64) << np.uint64(32)
    packed |= np.arange(len(score), dtype=np.uint64)
    packed.sort()
    places = packed.astype(np.uint32).astype(np.intp)  # the lower half of each pair
    packed >>= np.uint64(32)
    level = np.empty(len(score), dtype=np.intp)
    level[places] = rank = np.concatenate([[0], np.cumsum(packed[1:] != packed[:-1])])
    return int(rank[-1]) + 1, level


def placements(score: np.ndarray, member: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the area under the ROC curve of one class, and each row's placement `(n,)`.

    The placement of a row is the share of rows on the other side that it is ranked rightly against, ties one half (DeLong,
    DeLong and Clarke-Pearson 1988). The area is the mean placement of either side. Rows are sorted once.

    Args:
        score: Scores of the class `(n,)`.
        member: Whether each row is of it `(n,)`, rows on both sides.
        weight: How many rows each stands for `(n,)`.
    """
    count, level = ranks(score)
    inside, outside = (np.bincount(level, weights=weight * side, minlength=count) for side in (member, ~member))
    below = (np.cumsum(outside) - outside / 2) / outside.sum()
    above = 1 - (np.cumsum(inside) - inside / 2) / inside.sum()
    return float(inside @ below / inside.sum()), np.where(member, below[level], above[level])


def area(scores: np.ndarray, truth: np.ndarray, sampling: Sampling, classes: Sequence[int], unsupported: str | None) -> Inference:
    """Return the area under the ROC curve, of several classes the mean of each against the rest (`mean_area`).

    Args:
        scores: Scores `(n, classes)`.
        truth: Index of each row's class `(n,)`.
        sampling: How the rows were sampled.
        classes: Whose areas are meant; those without rows on both sides are left out.
        unsupported: Why there are too few events for an interval, or None.
    """
    return mean_area([(scores[:, k], truth == k) for k in classes], sampling, unsupported)


def mean_area(pairs: Sequence[tuple[np.ndarray, np.ndarray]], sampling: Sampling, unsupported: str | None) -> Inference:
    """Return the mean of several areas under the ROC curve over the same rows.

    Student's interval on the logit scale, by DeLong's variance. Toward one half the variance of each side's placements is drawn
    to that of a share, the more the fewer rows that side has: a handful of rows that all rank high says little of how low
    another one may rank, and DeLong's interval alone then misses in up to 15 % of samples (docs/explanation/calibration.md).
    Scores that are all the same rank nothing, whatever rows are drawn: both ends of their interval are 0.5.

    Args:
        pairs: For each area the scores `(n,)` and whether each row is ranked high rightly `(n,)`; those without rows on both
            sides are left out.
        sampling: How the rows were sampled.
        unsupported: Why there are too few events for an interval, or None.
    """
    total, found = sampling.weight.sum(), []
    for score, member in pairs:
        inside = float(sampling.weight[member].sum())
        if 0 < inside < total:
            found.append((*placements(score, member, sampling.weight), member, inside))
    if not found:
        return undefined(sampling.n)
    value = float(np.mean([one[0] for one in found]))
    influence = sum(
        (placed - area_of) * total / np.where(member, inside, total - inside) for area_of, placed, member, inside in found
    ) / len(found)
    spread = sampling.spread(np.asarray(influence))
    least = min(min(sampling.count(member), sampling.count(~member)) for _, _, member, _ in found)
    sides = [_sides(placed, member, sampling) for _, placed, member, _ in found]
    added = [_added(one[0], both) for one, both in zip(found, sides, strict=True)]
    wide = (spread.error**2 + sum(added) / len(found) ** 2) ** 0.5
    tied = all(bool((placed == 0.5).all()) for _, placed, _, _ in found)
    df = _freedom(sides[0]) if len(found) == 1 and not sampling.clustered else least - 1

    def limits(z: float) -> tuple[float, float]:
        if unsupported is not None:
            return np.nan, np.nan
        if tied:
            return value, value
        if not 0 < value < 1:
            return rate_limits(value, least, z)
        errors = (wide, spread.error) if value >= 0.5 else (spread.error, wide)
        return logit_limits(value, errors, df, z)

    return Inference(
        value=value,
        error=spread.error,
        n=sampling.n,
        limits=limits,
        unsupported=unsupported,
        influence=np.asarray(influence),
        freedom=spread.freedom if sampling.survey else None,
    )


def _sides(placed: np.ndarray, member: np.ndarray, sampling: Sampling) -> list[tuple[float, float]]:
    """Return rows, of a survey as many of equal weight, and variance of the placements of either side."""
    found = []
    for side in (member, ~member):
        off, n = placed[side], sampling.size(side)
        held = sampling.weight[side] * (n / sampling.weight[side].sum())
        off -= held @ off / n
        off *= off
        found.append((float(n), float(held @ off / max(n - 1, 1))))
    return found


def _added(area_of: float, sides: list[tuple[float, float]]) -> float:
    """Return what drawing each side's variance to that of a share adds to the variance of an area."""
    added = 0.0
    for n, variance in sides:
        drawn = min(n / 8, n**0.5 / 2)
        added += drawn / (n + drawn) * max(area_of * (1 - area_of) - variance, 0) / n
    return added


def _freedom(sides: list[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a difference of two means (Satterthwaite 1946), from rows and variance of either side."""
    squares = [(n, variance / n) for n, variance in sides]
    parts = sum(square**2 / max(n - 1, 1) for n, square in squares)
    return sum(square for _, square in squares) ** 2 / parts if parts > 0 else min(n for n, _ in squares) - 1

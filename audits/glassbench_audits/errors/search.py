"""The search for slices with large errors, over one to three conditions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

MOST_CONDITIONS = 800
"""Conditions that are combined; with more, those that stand out most by themselves."""

BEAM = 400
"""About how many pairs of conditions are refined by a third, the best of each two features."""

ALIKE = 0.5
"""Slices that share this much of the rows in either are taken for one."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A slice that stands out where it was looked for.

    Args:
        conditions: Positions of its conditions, ascending.
        excess: How many standard errors its errors lie above the mean, less what the best of all slices of that many conditions
            reaches by chance, about `sqrt(2 log slices)`; runs of bins that overlap count as the bins they are made of.
    """

    conditions: tuple[int, ...]
    excess: float


def search(
    errors: np.ndarray, met: np.ndarray, features: Sequence[str], *, atoms: int, fewest: int, most: int, depth: int
) -> list[Found]:
    """Return the slices whose errors stand out most, no two of them alike.

    Single conditions and pairs are searched exhaustively, triples by refining the best pairs (as SliceFinder and SliceLine do).

    Args:
        errors: The error of each row `(n,)`.
        met: Which rows meet each condition, bool `(n, conditions)`.
        features: The feature of each condition; a slice has one condition per feature.
        atoms: How many conditions do not consist of others.
        fewest: The fewest rows of a slice.
        most: How many slices at most.
        depth: The most conditions of a slice, 1 to 3.
    """
    if not met.shape[1] or errors.std() == 0:
        return []
    rows = met.astype(np.float32)
    measured = _measured(errors, fewest)
    alone = measured.standing(rows.sum(axis=0), measured.errors @ rows)
    kept = np.sort(np.argsort(-alone, kind="stable")[:MOST_CONDITIONS])
    candidates = [
        Found(conditions=(int(i),), excess=float(z)) for i, z in zip(kept, alone[kept] - _chance(atoms, 1), strict=True)
    ]
    names = np.array(features, dtype=object)[kept]
    if depth > 1:
        pairs = _best_pairs(rows[:, kept], measured, names, _chance(atoms, 2))
        candidates += [Found(conditions=(int(kept[i]), int(kept[j])), excess=z) for i, j, z in pairs]
        if depth > 2:
            triples = _best_triples(rows[:, kept], measured, names, pairs, _chance(atoms, 3))
            candidates += [Found(conditions=tuple(int(kept[i]) for i in places), excess=z) for places, z in triples]
    candidates.sort(key=lambda found: (-found.excess, found.conditions))
    return _unlike(candidates, met, most)


def members(met: np.ndarray, conditions: Sequence[int]) -> np.ndarray:
    """Return which rows meet all of some conditions, bool `(n,)`."""
    return np.asarray(met[:, list(conditions)].all(axis=1))


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two slices, bool `(n,)`, share most of their rows."""
    either = int((a | b).sum())
    return either > 0 and int((a & b).sum()) / either > ALIKE


def overlapping(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether most rows of the smaller of two slices, bool `(n,)`, are in the other too."""
    smaller = min(int(a.sum()), int(b.sum()))
    return smaller > 0 and int((a & b).sum()) / smaller > ALIKE


@dataclass(frozen=True, eq=False, kw_only=True)
class _Measured:
    """The errors of some rows, and how far a mean over part of them stands out.

    Args:
        errors: The errors, 0 or 1 as they are, others standardised, float32 `(n,)`.
        rate: The share of ones; None where errors are not 0 or 1.
        fewest: The fewest rows of a slice.
    """

    errors: np.ndarray
    rate: float | None
    fewest: int

    def standing(self, n: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Return how many standard errors the errors of each slice lie above all; -inf for small slices.

        Of shares the signed root of the likelihood ratio, which for few rows is nearer to the normal than a share is.
        """
        whole = len(self.errors)
        large = (n >= self.fewest) & (n <= whole - self.fewest)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = (whole - 1) / (whole - n)  # rows are drawn without replacement
            z = sums / np.sqrt(n / drawn) if self.rate is None else _root(sums, n, self.rate) * np.sqrt(drawn)
        return np.where(large, z, -np.inf)


def _measured(errors: np.ndarray, fewest: int) -> _Measured:
    if np.isin(errors, (0.0, 1.0)).all():
        return _Measured(errors=errors.astype(np.float32), rate=float(errors.mean()), fewest=fewest)
    return _Measured(errors=((errors - errors.mean()) / errors.std()).astype(np.float32), rate=None, fewest=fewest)


def _root(ones: np.ndarray, n: np.ndarray, rate: float) -> np.ndarray:
    """Return the signed root of the likelihood ratio of a share against a rate."""
    share = ones / n
    likelihood = xlogy(ones, share / rate) + xlogy(n - ones, (1 - share) / (1 - rate))
    return np.asarray(np.sign(share - rate) * np.sqrt(np.maximum(2 * likelihood, 0)))


def _chance(atoms: int, conditions: int) -> float:
    """Return about how far the best of all slices stands out where errors do not depend on the features."""
    return math.sqrt(2 * math.log(max(2, math.comb(atoms, conditions))))


def _best_pairs(rows: np.ndarray, measured: _Measured, names: np.ndarray, chance: float) -> list[tuple[int, int, float]]:
    """Return the best pairs of conditions of each two features: what hides behind a third feature is seldom best overall."""
    z = measured.standing(rows.T @ rows, rows.T @ (rows * measured.errors[:, None]))
    features, codes = np.unique(names, return_inverse=True)
    first, second = np.nonzero(np.triu(codes[:, None] != codes[None, :], k=1) & np.isfinite(z))
    if not len(first):
        return []
    values = z[first, second]
    both = np.minimum(codes[first], codes[second]) * len(features) + np.maximum(codes[first], codes[second])
    order = np.lexsort((-values, both))
    starts = np.flatnonzero(np.diff(both[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    kept = order[place < max(2, BEAM // len(starts))]
    return [(int(i), int(j), float(v) - chance) for i, j, v in zip(first[kept], second[kept], values[kept], strict=True)]


def _best_triples(
    rows: np.ndarray, measured: _Measured, names: np.ndarray, pairs: Sequence[tuple[int, int, float]], chance: float
) -> list[tuple[tuple[int, ...], float]]:
    if not pairs:
        return []
    first, second = (np.array([pair[k] for pair in pairs]) for k in (0, 1))
    both = rows[:, first] * rows[:, second]
    z = measured.standing(both.T @ rows, (both * measured.errors[:, None]).T @ rows)
    z[(names[first][:, None] == names) | (names[second][:, None] == names)] = -np.inf
    found = {tuple(sorted((int(first[pair]), int(second[pair]), k))): z for pair, k, z in _highest(z)}
    return [(conditions, value - chance) for conditions, value in found.items()]


def _highest(z: np.ndarray) -> list[tuple[int, int, float]]:
    """Return the largest finite values of a matrix with their places, the largest first."""
    best = np.argpartition(-z, min(BEAM, z.size - 1), axis=None)[:BEAM]
    order = best[np.argsort(-z.ravel()[best], kind="stable")]
    places = zip(*np.unravel_index(order, z.shape), strict=True)
    return [(int(i), int(j), float(z[i, j])) for i, j in places if np.isfinite(z[i, j])]


def _unlike(candidates: Sequence[Found], met: np.ndarray, most: int) -> list[Found]:
    kept: list[Found] = []
    inside: list[np.ndarray] = []
    for candidate in candidates:
        rows = members(met, candidate.conditions)
        if not any(alike(rows, other) for other in inside):
            kept.append(candidate)
            inside.append(rows)
        if len(kept) == most:
            break
    return kept

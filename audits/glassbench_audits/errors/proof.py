"""Whether a slice's errors are larger than those of other rows, on rows that it was not found on."""

import numpy as np
from scipy.stats import hypergeom

from glassbench.stats.intervals import Limits, bootstrap, mover_difference, mover_ratio, wilson


def p_values(
    errors: np.ndarray,
    inside: np.ndarray,
    generator: np.random.Generator,
    *,
    shares: bool,
    replicates: int = 1999,
    clusters: np.ndarray | None = None,
) -> np.ndarray:
    """Return the chance of mean errors as large in each slice, if rows in and out of it did not differ `(slices,)`.

    Where errors are 0 or 1, Fisher's exact test; else permutations of the errors; where rows hang together, the signs of the
    deviations of whole clusters are flipped.

    Args:
        errors: The error of each row `(n,)`.
        inside: Which rows are in each slice, bool `(n, slices)`.
        generator: Source of the permutations.
        shares: Whether errors are 0 or 1.
        replicates: How many permutations.
        clusters: Which cluster each row is of `(n,)`, or None.
    """
    if not inside.shape[1]:
        return np.empty(0)
    if clusters is not None:
        return _flipped(errors, inside, clusters, generator, replicates)
    if shares:
        n, sizes = len(errors), inside.sum(axis=0)
        return np.asarray(hypergeom.sf(errors @ inside - 1, n, int(errors.sum()), sizes))
    return _permuted(errors, inside, generator, replicates)


def _permuted(errors: np.ndarray, inside: np.ndarray, generator: np.random.Generator, replicates: int) -> np.ndarray:
    rows, observed = inside.astype(float), errors @ inside
    larger, block = np.zeros(inside.shape[1]), max(1, 4_000_000 // max(1, len(errors)))
    for start in range(0, replicates, block):
        drawn = generator.permuted(np.tile(errors, (min(block, replicates - start), 1)), axis=1)
        larger += (drawn @ rows >= observed - 1e-9 * np.abs(observed)).sum(axis=0)
    return np.asarray((1 + larger) / (1 + replicates))


def _flipped(
    errors: np.ndarray, inside: np.ndarray, clusters: np.ndarray, generator: np.random.Generator, replicates: int
) -> np.ndarray:
    share = inside.mean(axis=0)
    _, codes = np.unique(clusters, return_inverse=True)
    scores = np.zeros((codes.max() + 1, inside.shape[1]))
    np.add.at(scores, codes, (errors - errors.mean())[:, None] * (inside - share))
    signs = generator.choice([-1.0, 1.0], size=(replicates, len(scores)))
    larger = (signs @ scores >= scores.sum(axis=0) - 1e-12).sum(axis=0)
    return np.asarray((1 + larger) / (1 + replicates))


def contrast(
    errors: np.ndarray,
    inside: np.ndarray,
    generator: np.random.Generator,
    *,
    shares: bool,
    level: float,
    clusters: np.ndarray | None,
) -> tuple[Limits, Limits, Limits, Limits]:
    """Return mean errors in a slice and outside it, their difference and their ratio, each with its interval.

    Args:
        errors: The error of each row `(n,)`.
        inside: Which rows are in the slice, bool `(n,)`.
        generator: Source of the resamples.
        shares: Whether errors are 0 or 1.
        level: Confidence level.
        clusters: Which cluster each row is of `(n,)`, or None.
    """
    mine, others = (
        _mean(errors[rows], generator, shares, level, None if clusters is None else clusters[rows]) for rows in (inside, ~inside)
    )
    difference = (mine[0] - others[0], *mover_difference(mine, others))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (mine[0] / others[0], *mover_ratio(mine, others))
    return mine, others, difference, ratio


def _mean(errors: np.ndarray, generator: np.random.Generator, shares: bool, level: float, clusters: np.ndarray | None) -> Limits:
    value = np.array(errors.mean())
    if shares and clusters is None:
        low, high = wilson(errors.sum(), np.array(len(errors)), level)
        return value, low, high
    codes = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    low, high = bootstrap(lambda w: w @ errors / np.maximum(w.sum(1), 1e-12), len(errors), generator, level=level, clusters=codes)
    return value, np.asarray(low), np.asarray(high)

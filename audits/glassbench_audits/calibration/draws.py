"""Draws behind calibration errors: resampled rows, and truths drawn by the stated probabilities."""

import numpy as np

from glassbench.stats.intervals import resampled_weights
from glassbench_audits.calibration.bins import Bins, squared_error

EXACT = 20_000
"""The most rows that are drawn one by one; with more, the counts of bins are drawn."""

_NORMAL = 25
"""Variance of a count from which on it is taken as normal."""


def resampled(
    stated: np.ndarray, came: np.ndarray, member: np.ndarray, generator: np.random.Generator, replicates: int
) -> np.ndarray:
    """Return the mean squared calibration error of resampled rows `(replicates,)`.

    Up to 20,000 rows themselves are resampled. With more, the counts of each bin and outcome are drawn (multinomial, exactly as
    resampling rows moves them) and the sum of the stated probabilities in each is taken as normal given its count.

    Args:
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        member: The bin of each row `(n,)`.
        generator: Source of the draws.
        replicates: How many.
    """
    if len(stated) > EXACT:
        return _by_counts(stated, came, member, generator, replicates)
    inside = np.eye(member.max() + 1)[member]
    sums = np.concatenate([inside, inside * stated[:, None], inside * came[:, None]], axis=1)
    values = []
    for weights in resampled_weights(len(stated), replicates, generator):
        n, p, y = np.split(weights @ sums, 3, axis=1)
        safe = np.maximum(n, 1)
        values.append(squared_error(n, p / safe, y / safe))
    return np.concatenate(values)


def under_null(
    stated: np.ndarray, member: np.ndarray, whole: Bins, generator: np.random.Generator, replicates: int
) -> np.ndarray:
    """Return the mean squared calibration error where every stated probability is true `(replicates,)`.

    The sum of the truths over a bin is all that counts. Up to 20,000 rows truths are drawn one by one; with more, each bin's sum
    as normal with its mean and variance, or as binomial where that variance is small.

    Args:
        stated: Probabilities `(n,)`.
        member: The bin of each row `(n,)`.
        whole: The bins.
        generator: Source of the draws.
        replicates: How many.
    """
    if len(stated) <= EXACT:
        drawn = np.zeros((replicates, len(whole.n)))
        block = max(1, 4_000_000 // len(stated))
        inside = np.eye(len(whole.n))[member]
        for start in range(0, replicates, block):
            size = min(block, replicates - start)
            drawn[start : start + size] = (generator.random((size, len(stated))) < stated) @ inside
    else:
        mean, variance = whole.n * whole.stated, np.bincount(member, stated * (1 - stated))
        normal = np.round(mean + generator.standard_normal((replicates, len(mean))) * np.sqrt(variance))
        few = generator.binomial(whole.n, np.clip(whole.stated, 0, 1), size=(replicates, len(mean)))
        drawn = np.where(variance >= _NORMAL, np.clip(normal, 0, whole.n), few)
    return squared_error(whole.n, whole.stated, drawn / whole.n)


def _by_counts(
    stated: np.ndarray, came: np.ndarray, member: np.ndarray, generator: np.random.Generator, replicates: int
) -> np.ndarray:
    cell = 2 * member + (came > 0)
    size = 2 * (int(member.max()) + 1)
    n = np.bincount(cell, minlength=size)
    safe = np.maximum(n, 1)
    mean = np.bincount(cell, stated, minlength=size) / safe
    spread = np.sqrt(np.bincount(cell, (stated - mean[cell]) ** 2, minlength=size) / safe)
    drawn = generator.multinomial(len(stated), n / len(stated), size=replicates)
    sums = drawn * mean + np.sqrt(drawn) * spread * generator.standard_normal(drawn.shape)
    rows, true = drawn.reshape(replicates, -1, 2).sum(axis=2), drawn[:, 1::2]
    total = np.maximum(rows, 1)
    return squared_error(rows, sums.reshape(replicates, -1, 2).sum(axis=2) / total, true / total)

"""Stated probabilities in bins of equal mass, and how far from the truth they lie."""

from dataclasses import dataclass

import numpy as np

from glassbench.stats.intervals import resampled_weights
from glassbench_audits.calibration.cluster_bins import ClusterBins


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Rows by stated probability.

    Args:
        n: Rows in each bin `(bins,)`.
        stated: Mean stated probability `(bins,)`.
        observed: Share that came true `(bins,)`.
    """

    n: np.ndarray
    stated: np.ndarray
    observed: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Error:
    """How far stated probabilities lie from the truth, as a root mean square over rows.

    Args:
        value: The estimate, freed of the part that chance alone puts there; 0 where nothing is left.
        low, high: Its interval.
        p: The chance of an error as large if every stated probability were true.
    """

    value: float
    low: float
    high: float
    p: float


def assign(stated: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each row `(n,)`: bins of equal mass, rows with the same probability in the same bin.

    Args:
        stated: Probabilities `(n,)`.
        bins: How many bins at most; there are fewer where probabilities repeat.

    Example:
        >>> assign(np.array([0.1, 0.9, 0.1, 0.9]), 4).tolist()
        [0, 1, 0, 1]
    """
    edges = np.unique(np.quantile(stated, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    _, found = np.unique(np.searchsorted(edges, stated, side="left"), return_inverse=True)
    return np.asarray(found)


def summarise(stated: np.ndarray, came: np.ndarray, member: np.ndarray) -> Bins:
    """Return the mean stated probability and the observed share of each bin.

    Args:
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        member: The bin of each row `(n,)`.
    """
    n = np.bincount(member)
    return Bins(n=n, stated=np.bincount(member, stated) / n, observed=np.bincount(member, came) / n)


def squared_error(n: np.ndarray, stated: np.ndarray, observed: np.ndarray, *, debias: bool = True) -> np.ndarray:
    """Return the mean squared calibration error over bins, all arguments `(..., bins)`.

    A bin's squared gap is expected to be its variance even where nothing is wrong; that part is taken off (Kumar, Liang and
    Ma 2019, "Verified uncertainty calibration"). Bins with one row say nothing and count nothing.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = (observed - stated) ** 2
        chance = observed * (1 - observed) / (n - 1) if debias else 0.0
        each = np.where(n > 1, n * (gap - chance), 0.0)
    total = np.where(n > 1, n, 0).sum(axis=-1)
    return np.asarray(each.sum(axis=-1) / np.maximum(total, 1))


def calibration_error(
    stated: np.ndarray,
    came: np.ndarray,
    generator: np.random.Generator,
    *,
    bins: int,
    level: float,
    replicates: int,
    clusters: np.ndarray | None = None,
) -> Error:
    """Estimate the calibration error with its interval and its p-value.

    The interval is the basic bootstrap's: how far resampled estimates lie from what they estimate, the gap within this
    sample. The p-value comes from truths drawn by the stated probabilities themselves; where rows hang together, from deviations
    that change sign by whole clusters, which are then resampled too.

    Args:
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        generator: Source of the draws.
        bins: Bins of equal mass.
        level: Confidence level.
        replicates: Resamples, and draws under the null.
        clusters: Which cluster each row is of `(n,)`, where rows hang together.
    """
    member = assign(stated, bins)
    whole = summarise(stated, came, member)
    if clusters is None:
        estimate = float(squared_error(whole.n, whole.stated, whole.observed))
        again = _resampled(stated, came, member, generator, replicates)
        null = _under_null(stated, member, whole, generator, replicates)
    else:
        summed = ClusterBins.of(came - stated, member, clusters)
        estimate = float(summed.error()[0])
        again, null = summed.resampled(replicates, generator), summed.flipped(replicates, generator)
    plain = float(squared_error(whole.n, whole.stated, whole.observed, debias=False))
    low, high = np.quantile(again - plain, [0.5 - level / 2, 0.5 + level / 2])
    ends = [float(np.sqrt(max(0.0, estimate - end))) for end in (high, low)]
    p = (1 + int((null >= estimate - 1e-15).sum())) / (1 + replicates)
    return Error(value=float(np.sqrt(max(0.0, estimate))), low=ends[0], high=ends[1], p=float(p))


def brier_parts(stated: np.ndarray, came: np.ndarray, bins: int) -> tuple[float, float, float]:
    """Return reliability, resolution and uncertainty of the Brier score (Murphy 1973), from binned probabilities.

    The Brier score of probabilities that are constant within each bin is reliability minus resolution plus uncertainty.
    """
    whole = summarise(stated, came, assign(stated, bins))
    share, rate = whole.n / whole.n.sum(), float(came.mean())
    reliability = float(share @ (whole.stated - whole.observed) ** 2)
    return reliability, float(share @ (whole.observed - rate) ** 2), rate * (1 - rate)


def _resampled(
    stated: np.ndarray, came: np.ndarray, member: np.ndarray, generator: np.random.Generator, replicates: int
) -> np.ndarray:
    inside = np.eye(member.max() + 1)[member]
    sums = np.concatenate([inside, inside * stated[:, None], inside * came[:, None]], axis=1)
    values = []
    for weights in resampled_weights(len(stated), replicates, generator):
        n, p, y = np.split(weights @ sums, 3, axis=1)
        safe = np.maximum(n, 1)
        values.append(squared_error(n, p / safe, y / safe))
    return np.concatenate(values)


def _under_null(
    stated: np.ndarray, member: np.ndarray, whole: Bins, generator: np.random.Generator, replicates: int
) -> np.ndarray:
    """Draw truths by the stated probabilities; the sum over a bin is all that counts."""
    drawn = np.zeros((replicates, len(whole.n)))
    block = max(1, 4_000_000 // len(stated))
    inside = np.eye(len(whole.n))[member]
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        drawn[start : start + size] = (generator.random((size, len(stated))) < stated) @ inside
    return squared_error(whole.n, whole.stated, drawn / whole.n)

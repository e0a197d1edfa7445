"""The calibration error with its interval and its p-value."""

from dataclasses import dataclass

import numpy as np

from glassbench_audits.calibration.bins import assign, squared_error, summarise
from glassbench_audits.calibration.cluster_bins import ClusterBins
from glassbench_audits.calibration.draws import EXACT, resampled, under_null


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


def calibration_error(
    stated: np.ndarray,
    came: np.ndarray,
    generator: np.random.Generator,
    *,
    bins: int,
    level: float,
    replicates: int,
    clusters: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> Error:
    """Estimate the calibration error with its interval and its p-value.

    The interval is the basic bootstrap's: how far resampled estimates lie from what they estimate, the gap within this
    sample. The p-value comes from truths drawn by the stated probabilities themselves; where rows hang together, it is the larger
    one of two: from deviations that change sign by whole clusters, and (up to 20,000 rows) from truths drawn by the stated
    probabilities that come true together within clusters. Whole clusters are then resampled too.

    Args:
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        generator: Source of the draws.
        bins: Bins of equal mass.
        level: Confidence level.
        replicates: Resamples, and draws under the null.
        clusters: Which cluster each row is of `(n,)`, where rows hang together or have weights.
        weight: What each row weighs, with a mean of 1 `(n,)`; None where rows count alike.
    """
    member = assign(stated, bins)
    whole = summarise(stated, came, member)
    if clusters is None:
        estimate = float(squared_error(whole.n, whole.stated, whole.observed))
        again = resampled(stated, came, member, generator, replicates)
        null = [under_null(stated, member, whole, generator, replicates)]
    else:
        summed = ClusterBins.of(came - stated, member, clusters, weight)
        estimate = float(summed.error()[0])
        again, null = summed.resampled(replicates, generator), [summed.flipped(replicates, generator)]
        if len(stated) <= EXACT:
            codes = np.unique(clusters, return_inverse=True)[1]
            null.append(summed.stated_true(stated, came, member, codes, replicates, generator))
    plain = float(squared_error(whole.n, whole.stated, whole.observed, debias=False)) if weight is None else summed.plain
    low, high = np.quantile(again - plain, [0.5 - level / 2, 0.5 + level / 2])
    ends = [float(np.sqrt(max(0.0, estimate - end))) for end in (high, low)]
    p = max((1 + int((drawn >= estimate - 1e-15).sum())) / (1 + replicates) for drawn in null)
    return Error(value=float(np.sqrt(max(0.0, estimate))), low=ends[0], high=ends[1], p=float(p))

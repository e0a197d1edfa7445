"""Stated probabilities in bins of equal mass, and how far from the truth they lie."""

from dataclasses import dataclass

import numpy as np


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
    return np.asarray(np.searchsorted(edges, stated, side="left"))


def summarise(stated: np.ndarray, came: np.ndarray, member: np.ndarray, weight: np.ndarray | None = None) -> Bins:
    """Return the mean stated probability and the observed share of each bin.

    Args:
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        member: The bin of each row `(n,)`.
        weight: What each row weighs `(n,)`; None where rows count alike.
    """
    n, one = np.bincount(member), np.ones(len(member)) if weight is None else weight
    held = np.bincount(member, one)
    return Bins(n=n, stated=np.bincount(member, one * stated) / held, observed=np.bincount(member, one * came) / held)


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


def brier_parts(stated: np.ndarray, came: np.ndarray, bins: int, weight: np.ndarray | None = None) -> tuple[float, float, float]:
    """Return reliability, resolution and uncertainty of the Brier score (Murphy 1973), from binned probabilities.

    The Brier score of probabilities that are constant within each bin is reliability minus resolution plus uncertainty.
    """
    member, one = assign(stated, bins), np.ones(len(came)) if weight is None else weight
    whole, mass = summarise(stated, came, member, weight), np.bincount(member, one)
    share, rate = mass / mass.sum(), float((one * came).mean() / one.mean())
    reliability = float(share @ (whole.stated - whole.observed) ** 2)
    return reliability, float(share @ (whole.observed - rate) ** 2), rate * (1 - rate)

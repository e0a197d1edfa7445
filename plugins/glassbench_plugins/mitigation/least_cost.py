"""The threshold of least cost on some rows, and those that could be the best on all rows like them."""

from dataclasses import dataclass

import numpy as np

MOST = 101
"""Thresholds that are tried at most, quantiles of the scores."""

_REPLICATES, _SEED, _LEVEL, _ROWS = 500, 20261129, 0.95, 10_000


@dataclass(frozen=True, kw_only=True)
class LeastCost:
    """A threshold.

    Args:
        threshold: Scores from which the positive class is decided.
        cost: Mean cost per row there.
        low, high: The lowest and the highest threshold that could be the best.
    """

    threshold: float
    cost: float
    low: float
    high: float


def least_cost(score: np.ndarray, truth: np.ndarray, held: np.ndarray, false_negative: float, false_positive: float) -> LeastCost:
    """Return the threshold of least mean cost; of several, the middle one.

    Whether another could be the best is tested by the largest studentized excess of its cost over that of any threshold, with
    critical values from a multiplier bootstrap of each, so that the best is in the set with a probability of at least 95 %
    (Romano and Shaikh 2006; Chernozhukov, Chetverikov and Kato 2013).

    Args:
        score: Scores of the positive class `(n,)`, 0 to 1.
        truth: Whether each row is of it, bool `(n,)`.
        held: What each row counts `(n,)`.
        false_negative, false_positive: Costs.
    """
    tried = thresholds(score)
    costs = row_costs(score, truth, tried, false_negative, false_positive)
    share = held / held.sum()
    mean = share @ costs
    best = np.flatnonzero(np.isclose(mean, mean.min(), rtol=0, atol=1e-12))
    chosen = int(best[len(best) // 2])
    kept = tried[could_be_best(costs, mean, share)]
    return LeastCost(
        threshold=float(tried[chosen]),
        cost=float(mean[chosen]),
        low=min(float(kept.min()), float(tried[chosen])),
        high=float(kept.max()),
    )


def thresholds(score: np.ndarray) -> np.ndarray:
    """Return the thresholds to be tried, rising: midpoints between scores or, of many, quantiles of them; and both ends."""
    distinct = np.unique(score)
    middle = (distinct[1:] + distinct[:-1]) / 2
    if len(middle) > MOST:
        middle = np.unique(np.quantile(middle, np.linspace(0, 1, MOST)))
    return np.concatenate([[0.0], middle, [np.nextafter(max(1.0, float(distinct[-1])), np.inf)]])


def row_costs(
    score: np.ndarray, truth: np.ndarray, tried: np.ndarray, false_negative: float, false_positive: float
) -> np.ndarray:
    """Return what each row costs at each threshold `(n, thresholds)`."""
    positive = score[:, None] >= tried
    wrong = np.where(truth[:, None], ~positive * false_negative, positive * false_positive)
    return np.asarray(wrong, dtype=np.float64)


def could_be_best(costs: np.ndarray, mean: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return which thresholds could cost least `(thresholds,)`, bool.

    Args:
        costs: What each row costs at each `(n, thresholds)`.
        mean: The mean of each.
        share: What each row counts, with a sum of 1 `(n,)`.
    """
    generator = np.random.default_rng(_SEED)
    centred = share[:, None] * (costs - mean)
    moved = np.zeros((_REPLICATES, len(mean)))
    for start in range(0, len(costs), _ROWS):
        part = centred[start : start + _ROWS]
        moved += generator.standard_normal((_REPLICATES, len(part))) @ part
    covariance = centred.T @ centred
    variance = np.diag(covariance)
    kept = np.zeros(len(mean), dtype=bool)
    for place in range(len(mean)):
        spread = np.sqrt(np.maximum(variance + variance[place] - 2 * covariance[place], 0))
        other = spread > 1e-12
        if not other.any():
            kept[place] = True
            continue
        excess = (mean[place] - mean[other]) / spread[other]
        chance = ((moved[:, [place]] - moved[:, other]) / spread[other]).max(axis=1)
        kept[place] = excess.max() <= np.quantile(chance, _LEVEL)
    return kept

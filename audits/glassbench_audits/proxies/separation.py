"""Can the groups be told apart from numbers about the rows?"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from glassbench.stats.intervals import bootstrap
from glassbench_audits.proxies.groups import Groups, p_value

FOLDS = 5
RIDGE = 1.0


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How well the groups of a feature are told apart.

    Args:
        auc: Area under the ROC curve of telling a group from the rest, averaged over the groups; 0.5 is chance.
        low, high: Ends of its interval.
        p: Chance of an area as large where membership has nothing to do with the numbers.
        n: Rows.
    """

    auc: float
    low: float
    high: float
    p: float
    n: int


def separation(
    values: np.ndarray, groups: Groups, generator: np.random.Generator, *, permutations: int, replicates: int, level: float
) -> Separation:
    """Return how well numbers `(n, d)` about rows tell the groups apart, on rows that the rule was not fitted to.

    The rule is kernel ridge regression on the marks of the groups, cross-fitted in five parts; its predictions are a fixed
    matrix times the marks, so the permutation test refits it for every shuffle at the cost of a product, and is exact.

    Args:
        values: Numbers about each row of `groups.rows`, `(n, d)`.
        groups: The groups.
        generator: Draws the parts, the shuffles and the resamples.
        permutations: Shuffles of membership behind the p-value.
        replicates: Resamples of rows behind the interval.
        level: Its level.
    """
    smoother = cross_fitted(values, generator)
    centred = groups.marks - groups.marks.mean(axis=0)
    scores = smoother @ centred
    auc = float(mean_auc(scores, groups.marks))
    null = [float(mean_auc(smoother @ (marks - marks.mean(axis=0)), marks)) for marks in groups.shuffled(permutations, generator)]
    low, high = bootstrap(
        lambda weights: weighted_auc(scores, groups.marks, weights), len(scores), generator, replicates=replicates, level=level
    )
    return Separation(auc=auc, low=float(low), high=float(high), p=p_value(auc, np.array(null)), n=len(scores))


def cross_fitted(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the matrix `(n, n)` that takes marks to their predictions, no row's own part taking part in its prediction.

    The kernel is the mean of a linear one and a Gaussian one (its width the median distance), so both straight and bent
    relations are seen. Parts do not look at the groups, so that shuffled membership is treated as the true one is.
    """
    kernel, n = _kernel(values), len(values)
    part = generator.permutation(n) % FOLDS
    smoother = np.zeros((n, n))
    for fold in range(FOLDS):
        out, rest = np.flatnonzero(part == fold), np.flatnonzero(part != fold)
        system = kernel[np.ix_(rest, rest)] + RIDGE * np.eye(len(rest))
        smoother[np.ix_(out, rest)] = np.linalg.solve(system, kernel[np.ix_(rest, out)]).T
    return smoother


def _kernel(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    held = spread > 1e-12
    if not held.any():
        return np.zeros((len(values), len(values)))
    scaled = (values[:, held] - values[:, held].mean(axis=0)) / spread[held]
    distances = pdist(scaled, "sqeuclidean")
    width = max(float(np.median(distances)), 1e-12)
    kernel: np.ndarray = (scaled @ scaled.T / scaled.shape[1] + np.exp(-squareform(distances) / width)) / 2
    return kernel


def mean_auc(scores: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each column's scores for its marks, averaged over columns, each `(n, groups)`.

    Example:
        >>> scores = np.array([[0.1], [0.4], [0.35], [0.8]])
        >>> float(mean_auc(scores, np.array([[0.0], [0.0], [1.0], [1.0]])))
        0.75
    """
    inside = marks.sum(axis=0)
    outside = len(marks) - inside
    ranks = (rankdata(scores, axis=0) * marks).sum(axis=0)
    mean: np.ndarray = ((ranks - inside * (inside + 1) / 2) / (inside * outside)).mean()
    return mean


def weighted_auc(scores: np.ndarray, marks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `mean_auc` under rows weighted by each row of `weights` `(b, n)`, `(b,)`; NaN where a group is empty."""
    areas = []
    for column, mark in zip(scores.T, marks.T, strict=True):
        values, place = np.unique(column, return_inverse=True)
        inside, outside = (_summed(weights * chosen, place, len(values)) for chosen in (mark, 1 - mark))
        below = outside.cumsum(axis=1) - outside / 2
        total = inside.sum(axis=1) * outside.sum(axis=1)
        won = (inside * below).sum(axis=1)
        areas.append(np.divide(won, total, out=np.full_like(won, np.nan), where=total > 0))
    mean: np.ndarray = np.mean(areas, axis=0)
    return mean


def _summed(weights: np.ndarray, place: np.ndarray, values: int) -> np.ndarray:
    """Return the weights `(b, values)` that fall on each distinct value."""
    if len(place) == values:
        ordered: np.ndarray = weights[:, np.argsort(place)]
        return ordered
    total = np.zeros((len(weights), values))
    np.add.at(total.T, place, weights.T)
    return total

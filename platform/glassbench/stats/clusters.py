"""Shares of rows that hang together in clusters: how sure they are, and what chance alone shows between groups."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from glassbench.stats.intervals import Limits, score_interval

CROSSED = 0.1
"""Share of clusters with rows of several groups from which clusters are taken to lie across groups."""

MANY = 2_000
"""Clusters beyond which their sums are taken as normal."""

_LEAST_FREEDOM = 4
"""Degrees of freedom that survey weights leave at least: those of the fewest rows from which an interval is given."""

_CELLS = 4_000_000
"""Numbers drawn at a time."""


def cluster_sums(values: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Sum values `(n,)` or `(n, k)` by cluster, `(clusters,)` or `(clusters, k)`.

    Args:
        values: What is summed.
        clusters: Which cluster each row is of `(n,)`, any whole numbers.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    if values.ndim == 1:
        return np.bincount(codes, weights=values)
    return np.stack([np.bincount(codes, weights=column) for column in values.T], axis=1)


def effective_clusters(sizes: np.ndarray) -> np.ndarray:
    """Return how many equal clusters would say as much as clusters of unequal sizes do, along the first axis.

    The square of the sum over the sum of squares (Carter, Schnepel and Steigerwald 2017, without the part that differs between
    clusters); 0 where all sizes are 0.

    Example:
        >>> effective_clusters(np.array([5.0, 5.0, 5.0])), effective_clusters(np.array([9.0, 1.0])).round(2)
        (np.float64(3.0), np.float64(1.22))
    """
    squares = np.square(sizes, dtype=float).sum(axis=0)
    return np.asarray(np.divide(np.square(sizes.sum(axis=0)), squares, out=np.zeros(np.shape(squares)), where=squares > 0))[()]


def leverage(sizes: np.ndarray) -> np.ndarray:
    """Return by how much to raise each cluster's deviation from a mean that it takes part in, along the first axis.

    A cluster of a share h of all rows pulls the mean towards itself, so that it seems to deviate by 1 - h of what it does (Bell
    and McCaffrey 2002). Clusters of one size keep their deviations; at most a hundred times.

    Example:
        >>> leverage(np.array([5.0, 5.0, 5.0])).tolist(), leverage(np.array([9.0, 0.5, 0.5])).round(2).tolist()
        ([1.0, 1.0, 1.0], [6.67, 0.7, 0.7])
    """
    total, some = sizes.sum(axis=0), np.maximum((sizes > 0).sum(axis=0), 1)
    part = np.divide(sizes, total, out=np.zeros(np.shape(sizes)), where=total > 0)
    return np.asarray(np.minimum((1 - 1 / some) / np.maximum(1 - part, 1e-12), 100.0))


def freedom(sizes: np.ndarray, *, survey: bool = False) -> np.ndarray:
    """Return the degrees of freedom of the standard error of a mean over clusters of unequal sizes, along the first axis.

    Args:
        sizes: Rows of each cluster; of a survey their weight.
        survey: Whether sizes are survey weights, as of `weighted_freedom`.
    """
    if not survey:
        return effective_clusters(sizes) - 1
    return weighted_freedom(*((np.asarray(sizes, dtype=float) ** power).sum(axis=0) for power in (1, 2, 4)))


def weighted_freedom(first: np.ndarray, second: np.ndarray, fourth: np.ndarray) -> np.ndarray:
    """Return the degrees of freedom of the standard error of a weighted mean, from sums of powers of the weights.

    What a weight multiplies varies with its square, so that a few large ones leave few degrees of freedom (Satterthwaite 1946,
    for values of one variance). At least four where so many rows of equal weight say as much: an interval that a
    single row makes nearly endless tells nobody anything (docs/explanation/calibration.md).
    """
    kish, own = (np.divide(a**2, b, out=np.ones(np.shape(a)), where=b > 0) - 1 for a, b in ((first, second), (second, fourth)))
    return np.asarray(np.maximum(own, np.minimum(kish, _LEAST_FREEDOM)))[()]


def effective_rows(part: np.ndarray, whole: np.ndarray, rows: np.ndarray | int | None = None) -> np.ndarray:
    """Return how many independent rows would make a share vary as much as clusters make it vary (Kish 1965).

    At most the rows there are; where every cluster says the same, the number of clusters with rows.

    Args:
        part: Rows of each cluster that count, along the first axis; of a survey their weight.
        whole: Rows of each cluster they are a part of, same shape; of a survey their weight.
        rows: How many rows there are in all, of a survey, where weights are no numbers of rows. Where every cluster says the
            same it rests on as many clusters of equal weight as would say as much.

    Example:
        >>> float(effective_rows(np.array([5.0, 0, 5, 0]), np.array([5.0, 5, 5, 5])))
        3.0
    """
    total, seen = whole.sum(axis=0).astype(float), (whole > 0).sum(axis=0)
    share = np.divide(part.sum(axis=0), total, out=np.zeros(np.shape(total)), where=total > 0)
    squares = np.square(part - share * whole).sum(axis=0)
    alike, most = (seen, total) if rows is None else (effective_clusters(whole), np.asarray(rows, dtype=float))
    return _varying_alike(share, total, squares, seen, alike, most)


def _varying_alike(
    share: np.ndarray, total: np.ndarray, squares: np.ndarray, seen: np.ndarray, alike: np.ndarray, most: np.ndarray
) -> np.ndarray:
    """Return how many independent rows vary as much as a sum of squared deviations, `alike` where nothing varies."""
    varies = (squares > 0) & (share > 0) & (share < 1) & (seen > 1)
    found = share * (1 - share) * total**2 * (seen - 1) / np.where(varies, squares * seen, 1)
    return np.asarray(np.minimum(np.where(varies, found, alike), most))[()]


def weighted_rows(part: tuple[np.ndarray, np.ndarray], whole: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Return how many independent rows of one weight would make a share vary as much as independent rows with weights do.

    As `effective_rows` with a cluster for each row, from sums alone: of linearization (Binder 1983).

    Args:
        part: Sums of the weights of rows that count, and of their squares, any shape.
        whole: Those of the rows they are a part of.
        rows: How many rows these are.

    Example:
        >>> bool(weighted_rows((np.array(5.0), np.array(5.0)), (np.array(10.0), np.array(10.0)), np.array(10)) == 9)
        True
    """
    total, every = (np.asarray(numbers, dtype=float) for numbers in whole)
    share = np.divide(part[0], total, out=np.zeros(total.shape), where=total > 0)
    squares = (1 - 2 * share) * part[1] + share**2 * every
    alike = np.divide(total**2, every, out=np.zeros(total.shape), where=every > 0)
    return _varying_alike(share, total, squares, np.asarray(rows), alike, np.asarray(rows, dtype=float))


def clustered_share(part: np.ndarray, whole: np.ndarray, level: float = 0.95, rows: np.ndarray | int | None = None) -> Limits:
    """Return shares with score intervals for as many rows as would vary so much, by Student's t of the clusters.

    Args:
        part: Rows of each cluster that count, along the first axis.
        whole: Rows of each cluster they are a part of, same shape.
        level: Confidence level.
        rows: Of a survey how many rows there are, as of `effective_rows`.
    """
    total = whole.sum(axis=0).astype(float)
    share = np.divide(part.sum(axis=0), total, out=np.full(np.shape(total), np.nan), where=total > 0)
    t = student(float(ndtri(0.5 + level / 2)), freedom(whole, survey=rows is not None))
    return share, *score_interval(share, effective_rows(part, whole, rows), t)


def student(z: float | np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return critical values of Student's t that are exceeded as often as `z` of the normal distribution.

    Args:
        z: Critical values of the normal distribution.
        df: Degrees of freedom, taken as 1 at least; infinite where the normal distribution serves.
    """
    few = np.maximum(np.where(np.isfinite(df), df, 1), 1)
    return np.where(np.isfinite(df), stdtrit(few, ndtr(z)), z)


def between_groups(
    part: np.ndarray, whole: np.ndarray, draws: int, generator: np.random.Generator, *, survey: bool = False
) -> np.ndarray:
    """Draw the shares of groups as if group and share had nothing to do with each other `(draws, groups)`.

    Each cluster deviates from the share of all rows. Where clusters lie within groups, their deviations are shuffled among all
    clusters, scaled by how much a cluster of that size varies; for clusters of one size this is the exact permutation test. Where
    many lie across groups, or rows have weights, which may go with what is counted, the deviations of a cluster keep their groups
    and change sign together (Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for inference with clustered
    errors"). With more than 2,000 clusters sums are drawn as normal.

    Args:
        part: Rows that count, by cluster and group `(clusters, groups)`.
        whole: Rows they are a part of `(clusters, groups)`.
        draws: How many.
        generator: Source of the draws.
        survey: Whether rows are summed by survey weights.

    Returns:
        Shares, NaN where a group has no rows.
    """
    total = whole.sum(axis=0).astype(float)
    rows = float(total.sum())
    share = float(part.sum()) / rows if rows else np.nan
    deviation = part - share * whole
    if len(part) > MANY:
        moved = generator.multivariate_normal(
            np.zeros(len(total)), deviation.T @ deviation, size=draws, method="eigh", check_valid="ignore"
        )
    elif survey or crossed(whole):
        moved = _signs(deviation, draws, generator)
    else:
        moved = _shuffles(deviation, whole, share, draws, generator)
    return np.asarray(share + np.divide(moved, total, out=np.full(moved.shape, np.nan), where=total > 0))


def shuffled_clusters(part: np.ndarray, whole: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Draw the shares of groups as whole clusters would have them that were dealt to the groups anew `(draws, groups)`.

    Each group gets as many clusters as it has, with their sizes: the exact permutation test where clusters of all groups are
    alike in size and share (Fisher 1935), however unequal sizes are.

    Args:
        part: Rows that count, by cluster and group `(clusters, groups)`; each cluster lies within one group.
        whole: Rows they are a part of `(clusters, groups)`.
        draws: How many.
        generator: Source of the draws.

    Returns:
        Shares, NaN where a group has no rows.
    """
    cluster, group = np.nonzero(whole)
    counts = np.stack([part[cluster, group], whole[cluster, group]]).astype(float)
    places = (group[:, None] == np.arange(whole.shape[1])).astype(float)
    step, shares = max(1, _CELLS // max(len(group), 1)), []
    for start in range(0, draws, step):
        order = generator.permuted(np.broadcast_to(np.arange(len(group)), (min(step, draws - start), len(group))), axis=1)
        hits, rows = (numbers[order] @ places for numbers in counts)
        shares.append(np.divide(hits, rows, out=np.full(hits.shape, np.nan), where=rows > 0))
    return np.concatenate(shares)


def crossed(whole: np.ndarray) -> bool:
    """Whether many clusters lie across groups, from their rows by cluster and group `(clusters, groups)`."""
    return bool(((whole > 0).sum(axis=1) > 1).sum() > CROSSED * max(1, (whole.sum(axis=1) > 0).sum()))


def _signs(deviation: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    return np.asarray((2.0 * generator.integers(0, 2, size=(draws, len(deviation))) - 1) @ deviation)


def _shuffles(deviation: np.ndarray, whole: np.ndarray, share: float, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Shuffle standardised deviations among the places that clusters take in groups."""
    cluster, group = np.nonzero(whole)
    size = whole[cluster, group].astype(float)
    apart = deviation[cluster, group] * leverage(size)
    scale = np.sqrt(size + correlation(apart, size, share) * size * (size - 1))
    standard = apart / scale
    places = np.zeros((len(size), whole.shape[1]))
    places[np.arange(len(size)), group] = scale
    step = max(1, _CELLS // max(len(size), 1))
    return np.concatenate(
        [
            generator.permuted(np.broadcast_to(standard, (min(step, draws - start), len(size))), axis=1) @ places
            for start in range(0, draws, step)
        ]
    )


def correlation(deviation: np.ndarray, size: np.ndarray, share: float) -> float:
    """Return how alike the rows of a cluster are, 0 to 1: the intraclass correlation, by moments.

    Args:
        deviation: By how many rows each cluster lies above the share of all `(k,)`.
        size: Its rows `(k,)`.
        share: The share of all rows.
    """
    pairs, spread = float((size * (size - 1)).sum()), share * (1 - share)
    if pairs <= 0 or not spread > 0:
        return 0.0
    return float(np.clip((np.square(deviation).sum() / spread - size.sum()) / pairs, 0, 1))


def by_group(values: np.ndarray, groups: np.ndarray, many: int, clusters: np.ndarray) -> np.ndarray:
    """Sum values `(n,)` by cluster and group `(clusters, groups)`.

    Args:
        values: What is summed.
        groups: The group of each row, numbered from 0 `(n,)`.
        many: How many groups there are.
        clusters: Which cluster each row is of `(n,)`, any whole numbers.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    rows = int(codes.max(initial=-1)) + 1
    return np.bincount(codes * many + groups, weights=values, minlength=rows * many).reshape(rows, many)


def design_effect(values: np.ndarray, clusters: np.ndarray) -> float:
    """Return how many times the variance of a mean is that of independent rows, 1 at least (Kish 1965).

    Args:
        values: Numbers, or several columns of them, `(n,)` or `(n, k)`; of several the mean effect.
        clusters: Which cluster each row is of `(n,)`.
    """
    table = np.asarray(values, dtype=float).reshape(len(values), -1)
    centred = table - table.mean(axis=0)
    squares, sums = np.square(centred).sum(), np.square(cluster_sums(centred, clusters)).sum()
    return max(1.0, float(sums / squares)) if squares > 0 else _largest_effect(clusters)


def _largest_effect(clusters: np.ndarray) -> float:
    sizes = np.unique(clusters, return_counts=True)[1]
    return float(np.square(sizes, dtype=float).sum() / max(1, sizes.sum()))


def numbered(clusters: np.ndarray | None, rows: np.ndarray | Sequence[int] | slice) -> np.ndarray | None:
    """Return the clusters of some rows, numbered from 0; None where rows are independent."""
    return None if clusters is None else np.unique(clusters[rows], return_inverse=True)[1]


def one_of_each(clusters: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the position of one row of each cluster `(clusters,)`, drawn at random, in order."""
    order = generator.permutation(len(clusters))
    return np.sort(order[np.unique(clusters[order], return_index=True)[1]])

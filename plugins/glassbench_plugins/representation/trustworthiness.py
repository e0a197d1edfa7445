"""Whether rows that are near in a code are near in truth; one number per row, so that means can be resampled."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

_ROWS = 3_000


def intrusions(rows: np.ndarray, codes: np.ndarray, neighbours: int) -> np.ndarray:
    """Return how far down the list of true neighbours those in the code stand, `(n,)`; 1 minus its mean is trustworthiness.

    Venna and Kaski (2001), as scikit-learn has it, taken apart by row. NaN for all where there are too few rows or more than
    3,000, since it takes a table of all pairs.

    Args:
        rows: `(n, d)`.
        codes: `(n, m)`.
        neighbours: How many neighbours.
    """
    n = len(rows)
    if not neighbours < n / 2 or n > _ROWS:
        return np.full(n, np.nan)
    squared = (rows**2).sum(axis=1)
    apart = squared[:, None] + squared - 2 * rows @ rows.T
    np.fill_diagonal(apart, -np.inf)  # a row comes first on its own list
    ranks = np.argsort(np.argsort(apart, axis=1, kind="stable"), axis=1)
    near = NearestNeighbors(n_neighbors=neighbours).fit(codes).kneighbors(return_distance=False)
    excess = np.maximum(np.take_along_axis(ranks, near, axis=1) - neighbours, 0).sum(axis=1)
    return np.asarray(excess * 2 / (neighbours * (2 * n - 3 * neighbours - 1)))


def hits(codes: np.ndarray, labels: np.ndarray | None, neighbours: int) -> np.ndarray:
    """Return the share of each row's neighbours in the code that have its label `(n,)`; NaN where there are none."""
    if labels is None or len(codes) <= neighbours:
        return np.full(len(codes), np.nan)
    near = NearestNeighbors(n_neighbors=neighbours).fit(codes).kneighbors(return_distance=False)
    return np.asarray((labels[near] == labels[:, None]).mean(axis=1))

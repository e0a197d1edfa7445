"""Which training rows are neighbours of each other."""

import numpy as np
from sklearn.neighbors import NearestNeighbors


def mutual_neighbours(vectors: np.ndarray, count: int) -> np.ndarray:
    """Return rows that are each other's neighbours, `(n, count)`, repeated where there are fewer.

    A row that many others have among their nearest, though they are far from it, joins nobody so; where no neighbour has a row
    among its own, the nearest one stands in.

    Args:
        vectors: Rows `(n, d)`.
        count: How many nearest rows count as neighbours; all others where there are fewer.
    """
    count = min(count, len(vectors) - 1)
    near = NearestNeighbors(n_neighbors=count).fit(vectors).kneighbors(return_distance=False)
    n = len(near)
    pairs = np.repeat(np.arange(n), count) * n + near.ravel()
    mutual = np.isin(near.ravel() * n + np.repeat(np.arange(n), count), pairs).reshape(near.shape)
    mutual[~mutual.any(axis=1), 0] = True
    kept = [row[keep] for row, keep in zip(near, mutual, strict=True)]
    return np.stack([np.resize(row, count) for row in kept])

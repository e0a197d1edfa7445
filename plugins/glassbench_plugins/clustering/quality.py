"""What says how good a clustering is without labels: columns per row, and the metrics that are sums of them."""

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples

NOISE = "noise"
"""The decision of a row that belongs to no cluster."""

COLUMNS = ("silhouette", "distance", "spread", "crowding")
_ROWS = 10_000


def row_columns(vectors: np.ndarray, codes: np.ndarray) -> pd.DataFrame:
    """Return what the metrics below need of each row, so that they are weighted sums and can be resampled.

    Args:
        vectors: Rows `(n, d)`.
        codes: Cluster of each row `(n,)`; -1 for rows in none, whose columns are NaN.

    Returns:
        `silhouette`: of the row among these rows (Rousseeuw 1987), of the first 10,000 rows only. `distance`: to the mean of
        its cluster. `spread`: squared distance of that mean from the mean of all. `crowding`: how much a unit of its
        cluster's mean distance adds to the Davies-Bouldin index.
    """
    frame = pd.DataFrame(np.nan, index=range(len(codes)), columns=list(COLUMNS))
    held = np.flatnonzero(codes >= 0)
    if not len(held):
        return frame
    names, own = np.unique(codes[held], return_inverse=True)
    kept = vectors[held]
    centres = np.stack([kept[own == k].mean(axis=0) for k in range(len(names))])
    distance = np.linalg.norm(kept - centres[own], axis=1)
    frame.loc[held, "distance"] = distance
    frame.loc[held, "spread"] = ((centres - kept.mean(axis=0)) ** 2).sum(axis=1)[own]
    frame.loc[held, "crowding"] = _crowding(centres, np.bincount(own, distance) / np.bincount(own))[own]
    first = slice(0, _ROWS)
    if 2 <= len(np.unique(own[first])) < len(own[first]):
        frame.loc[held[first], "silhouette"] = silhouette_samples(kept[first], own[first])
    return frame


def silhouette(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean silhouette of rows in clusters, `(b,)`: 1 well apart, 0 on the border, negative nearer to another."""
    values = frame["silhouette"].to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    return _quotient(weights[:, known] @ values[known], weights[:, known].sum(axis=1))


def calinski_harabasz(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the variance between clusters over the variance within, each by its degrees of freedom, `(b,)`.

    Caliński and Harabasz (1974). Centres are those of all rows under every row of weights.
    """
    held, codes = _held(frame)
    weights = weights[:, held]
    n, clusters = weights.sum(axis=1), (_sums(weights, codes) > 0).sum(axis=1)
    between = weights @ frame["spread"].to_numpy()[held]
    within = weights @ frame["distance"].to_numpy()[held] ** 2
    return _quotient(between * (n - clusters), within * (clusters - 1))


def davies_bouldin(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return how alike each cluster is to its most similar one on average, `(b,)`; lower is better.

    Davies and Bouldin (1979). Centres, and which cluster is most similar, are those of all rows under every row of weights.
    """
    held, codes = _held(frame)
    weights = weights[:, held]
    crowding = np.array([frame["crowding"].to_numpy()[held][codes == k][0] for k in range(codes.max(initial=-1) + 1)])
    if len(crowding) < 2:
        return np.full(len(weights), np.nan)
    mean = _quotient(_sums(weights * frame["distance"].to_numpy()[held], codes), _sums(weights, codes))
    return np.asarray(np.nansum(mean * crowding, axis=1))


def assigned(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of rows that belong to a cluster, `(b,)`."""
    member = (frame["y_pred"].astype(str) != NOISE).to_numpy(dtype=np.float64)
    return _quotient(weights @ member, weights.sum(axis=1))


def _crowding(centres: np.ndarray, scatter: np.ndarray) -> np.ndarray:
    """Return the coefficient of each cluster's mean distance in the Davies-Bouldin index `(clusters,)`."""
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    np.fill_diagonal(apart, np.inf)
    closeness = 1 / np.maximum(apart, 1e-12)
    worst = ((scatter[:, None] + scatter) * closeness).argmax(axis=1)
    own = closeness[np.arange(len(centres)), worst]
    return np.asarray((own + np.bincount(worst, own, minlength=len(centres))) / len(centres))


def _held(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows belong to a cluster, and the cluster of each of these."""
    held = (frame["y_pred"].astype(str) != NOISE).to_numpy()
    return held, pd.factorize(frame["y_pred"].astype(str)[held])[0]


def _sums(weights: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return sums of weights `(b, n)` per cluster `(b, clusters)`."""
    return np.asarray(weights @ np.eye(codes.max(initial=-1) + 1)[codes])


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    defined = denominator > 0
    return np.where(defined, numerator / np.where(defined, denominator, 1), np.nan)

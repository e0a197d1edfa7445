"""How far clusters agree with labels, where there are any, from weighted counts of rows by cluster and label."""

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment


def adjusted_rand_index(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return how often pairs of rows are together, or apart, in both, corrected for chance, `(b,)`.

    Hubert and Arabie (1985): 1 for the same partition, 0 for what chance gives.
    """
    counts = contingency(frame, weights)
    n = counts.sum(axis=(1, 2))
    both, cluster, label = (_pairs(x) for x in (counts.reshape(len(counts), -1), counts.sum(axis=2), counts.sum(axis=1)))
    expected = cluster * label / np.maximum(n * (n - 1) / 2, 1e-300)
    largest = (cluster + label) / 2
    apart = np.abs(largest - expected) > 1e-12
    return np.where(apart, (both - expected) / np.where(apart, largest - expected, 1), 1.0)


def normalized_mutual_information(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the information that clusters and labels share, over the mean of their entropies, `(b,)`.

    As scikit-learn has it; 1 for the same partition, 0 for independent ones.
    """
    counts = contingency(frame, weights)
    shares = counts / counts.sum(axis=(1, 2), keepdims=True)
    cluster, label, both = (_entropy(x) for x in (shares.sum(axis=2), shares.sum(axis=1), shares.reshape(len(shares), -1)))
    mean = (cluster + label) / 2
    return np.where(mean > 0, (cluster + label - both) / np.where(mean > 0, mean, 1), 1.0)


def matched_accuracy(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of rows whose label is that of their cluster, clusters matched one to one with labels as well as can be.

    The match is made anew under every row of weights (Kuhn 1955), `(b,)`.
    """
    counts = contingency(frame, weights)
    best = [table[linear_sum_assignment(table, maximize=True)].sum() for table in counts]
    total: np.ndarray = counts.sum(axis=(1, 2))
    return np.asarray(np.asarray(best) / total)


def contingency(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the weight of rows by decision and truth `(b, clusters, labels)`."""
    rows, clusters = pd.factorize(frame["y_pred"].astype(str))
    columns, labels = pd.factorize(frame["y_true"].astype(str))
    cells = np.eye(len(clusters) * len(labels))[rows * len(labels) + columns]
    counts: np.ndarray = np.asarray(weights @ cells).reshape(len(weights), len(clusters), len(labels))
    return counts


def _pairs(sizes: np.ndarray) -> np.ndarray:
    return np.asarray((sizes * (sizes - 1) / 2).sum(axis=1))


def _entropy(shares: np.ndarray) -> np.ndarray:
    safe = np.where(shares > 0, shares, 1)
    return np.asarray(-(shares * np.log(safe)).sum(axis=1))

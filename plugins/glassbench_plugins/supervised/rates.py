"""Weighted metrics of decided classes."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix


def accuracy(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of right decisions.

    Args:
        frame: Columns `y_true` and `y_pred`, n rows.
        weights: `(b, n)`.

    Returns:
        `(b,)`, NaN where the weights sum to 0.
    """
    right = (frame["y_true"].to_numpy() == frame["y_pred"].to_numpy()).astype(np.float64)
    return divide(weights @ right, weights.sum(axis=1))


def balanced_accuracy(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean over classes of the share of the class's rows that were decided right, `(b,)`.

    Classes without weight under a row of weights are left out of that mean, as scikit-learn does.
    """
    hits, actual, _ = class_sums(frame, weights)
    return mean_defined(divide(hits, actual))


def macro_f1(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the classes' F1 scores, `(b,)`; classes neither true nor decided are left out of that mean."""
    hits, actual, decided = class_sums(frame, weights)
    return mean_defined(divide(2 * hits, actual + decided))


def class_sums(frame: pd.DataFrame, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per class the weight of right decisions, of true rows and of decided rows, each `(b, classes)`."""
    both = np.concatenate([frame["y_true"].to_numpy(dtype=object), frame["y_pred"].to_numpy(dtype=object)])
    codes, names = pd.factorize(both)
    truth, decision = codes[: len(frame)], codes[len(frame) :]
    hits = np.where(truth == decision, truth, -1)
    hit, actual, decided = (_sums(weights, group, len(names)) for group in (hits, truth, decision))
    return hit, actual, decided


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotient, NaN where the denominator is 0."""
    defined = denominator > 0
    return np.where(defined, numerator / np.where(defined, denominator, 1), np.nan)


def mean_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is defined, NaN where nothing is."""
    defined = np.isfinite(values)
    return divide(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def _sums(weights: np.ndarray, codes: np.ndarray, size: int) -> np.ndarray:
    """Sum weights `(b, n)` per code, `(b, size)`; a code of -1 belongs nowhere."""
    kept = np.flatnonzero(codes >= 0)
    members = csr_matrix((np.ones(len(kept)), (codes[kept], kept)), shape=(size, len(codes)))
    sums: np.ndarray = (members @ weights.T).T
    return sums

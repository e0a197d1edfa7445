"""Weighted metrics of a score that should be higher for rows that are unusual in truth."""

import numpy as np
import pandas as pd


def roc_auc(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the chance that an unusual row scores above a normal one, ties one half, `(b,)`.

    Args:
        frame: Columns `unusual` (1 where it is so in truth) and `score`, n rows.
        weights: `(b, n)`.
    """
    hits, alarms = _curve(frame, weights)
    heights = np.concatenate([hits[:, :1], hits[:, 1:] + hits[:, :-1]], axis=1) / 2
    area = (np.diff(alarms, axis=1, prepend=0) * heights).sum(axis=1)
    return _quotient(area, hits[:, -1] * alarms[:, -1])


def average_precision(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean precision over all unusual rows in order of score, `(b,)`, as scikit-learn has it."""
    hits, alarms = _curve(frame, weights)
    precision = _quotient(hits, hits + alarms)
    gained = np.diff(hits, axis=1, prepend=0)
    return _quotient((gained * np.nan_to_num(precision)).sum(axis=1), hits[:, -1])


def flagged(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of rows flagged, `(b,)`."""
    return np.asarray(weights @ frame["flagged"].to_numpy(dtype=np.float64) / weights.sum(axis=1))


def _curve(frame: pd.DataFrame, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of unusual and of normal rows at or above each different score, highest first, `(b, scores)`."""
    score, unusual = frame["score"].to_numpy(dtype=np.float64), frame["unusual"].to_numpy(dtype=np.float64)
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    ranked = weights[:, order]
    hits, alarms = np.cumsum(ranked * unusual[order], axis=1), np.cumsum(ranked * (1 - unusual[order]), axis=1)
    return hits[:, ends], alarms[:, ends]


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    defined = denominator > 0
    return np.where(defined, numerator / np.where(defined, denominator, 1), np.nan)

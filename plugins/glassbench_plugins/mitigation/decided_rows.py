"""What is measured of rows that may be left open."""

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.stats.inference import Inference, share
from glassbench.stats.sampling import Sampling

DECIDED = "decided"
"""The column of predictions that says which rows are decided."""


def _decided(frame: pd.DataFrame) -> np.ndarray:
    return frame[DECIDED].to_numpy(dtype=bool)


def wrong_rows(frame: pd.DataFrame) -> np.ndarray:
    """Return whether each row's prediction differs from its truth, bool `(n,)`."""
    return np.asarray((frame["y_true"].astype(str) != frame["y_pred"].astype(str)).to_numpy())


def _among(wrong: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    whole = weights @ rows.astype(float)
    hits = weights @ (wrong & rows).astype(float)
    return np.asarray(np.divide(hits, whole, out=np.full(len(weights), np.nan), where=whole > 0))


def _coverage(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights @ _decided(frame).astype(float) / weights.sum(axis=1))


def _error_decided(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return _among(wrong_rows(frame), _decided(frame), weights)


def _error_open(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return _among(wrong_rows(frame), ~_decided(frame), weights)


def _infer_decided(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return share(wrong_rows(frame), sampling, _decided(frame))


def _infer_open(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return share(wrong_rows(frame), sampling, ~_decided(frame))


METRICS = (
    Metric(name="decided_share", compute=_coverage, rate=True, compares=False, grouped=True, judged=True),
    Metric(
        name="error_among_decided",
        compute=_error_decided,
        higher_is_better=False,
        lowest=0.0,
        highest=1.0,
        grouped=True,
        judged=True,
        inference=_infer_decided,
    ),
    Metric(
        name="error_if_decided",
        compute=_error_open,
        higher_is_better=False,
        lowest=0.0,
        highest=1.0,
        inference=_infer_open,
    ),
)
"""How many rows are decided, how many of these are wrong, and how many of those left open would be."""

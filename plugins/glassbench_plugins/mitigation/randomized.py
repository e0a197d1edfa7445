"""Fairlearn's randomized thresholds, kept as plain numbers, with draws that depend on the row alone."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator, ClassifierMixin

from glassbench.contracts.task import Predictions
from glassbench_plugins.mitigation.threshold_search import Constraint, GroupScores

_LIMIT = 2.0
"""Stands for infinity: no score lies beyond it on either side."""


class _Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator whose rows are their scores."""

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, rows: np.ndarray, truth: np.ndarray) -> "_Scores":
        return self

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return np.column_stack([1 - rows[:, 0], rows[:, 0]])


def fitted_interpolation(groups: Sequence[GroupScores], constraint: Constraint) -> list[dict[str, Any]]:
    """Return Fairlearn's interpolation for each group: two operations, how often each is used, and the constant mixed in."""
    if not groups:
        return []
    score, truth = (np.concatenate([getattr(g, name) for g in groups]) for name in ("score", "truth"))
    codes = np.repeat(np.arange(len(groups)), [len(g.score) for g in groups])
    optimizer = ThresholdOptimizer(estimator=_Scores(), constraints=constraint, prefit=True, predict_method="predict_proba")
    optimizer.fit(score[:, None], truth.astype(int), sensitive_features=codes)
    found = optimizer.interpolated_thresholder_.interpolation_dict
    return [_plain(found[g]) for g in range(len(groups))]


def _plain(interpolation: Any) -> dict[str, Any]:
    operations = [
        {"share": float(share), "operator": str(one.operator), "threshold": float(np.clip(one.threshold, -_LIMIT, _LIMIT))}
        for share, one in ((interpolation.p0, interpolation.operation0), (interpolation.p1, interpolation.operation1))
    ]
    constant = "p_ignore" in interpolation
    return {
        "operations": operations,
        "ignored": float(interpolation.p_ignore) if constant else 0.0,
        "constant": float(interpolation.prediction_constant) if constant else 0.0,
    }


def positive_probability(score: np.ndarray, rule: Mapping[str, Any]) -> np.ndarray:
    """Return the probability with which a rule decides the positive class, from scores `(n,)`."""
    mixed = np.zeros(len(score))
    for one in rule["operations"]:
        reached = score > one["threshold"] if one["operator"] == ">" else score < one["threshold"]
        mixed += one["share"] * reached
    return np.asarray(rule["ignored"] * rule["constant"] + (1 - rule["ignored"]) * mixed)


def uniform_of_rows(predictions: Predictions, score: np.ndarray) -> np.ndarray:
    """Return a number in [0, 1) for each row, from a hash of its inputs where they are one table in memory, else of its score."""
    source = predictions.source
    rows = source.inputs[0].numpy() if source is not None and isinstance(source.inputs, tuple) else score[:, None]
    digests = [hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.float64) / 2.0**64

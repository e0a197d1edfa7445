"""Probabilities that are as often right as they say, fitted to validation rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression

from glassbench.contracts.data import Data
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError
from glassbench_plugins.mitigation.groups import Groups, chosen_features

Method = Literal["temperature", "platt", "isotonic"]

_LEAST = 100
"""Validation rows below which a group gets the calibration of all rows."""

_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class ScoreCalibration(Mitigation):
    """Changes the probabilities of classes so that they are as often right on validation rows as they say.

    `temperature` divides log-probabilities by one number and changes no decision (Guo et al. 2017); `platt` fits a slope
    and an offset for each class (Platt 1999); `isotonic` a rising step function for each class (Zadrozny and Elkan 2002).
    Of the latter two, probabilities of the classes are brought to a sum of 1. Decisions that followed the most probable
    class follow it afterwards too; those of a threshold stay.

    Args:
        method: How.
        by_group: Whether each group is calibrated by itself; groups with fewer than 100 validation rows are calibrated as
            all rows.
        features: Sensitive features whose combinations are the groups; None for all.
    """

    method: Method = "temperature"
    by_group: bool = False
    features: tuple[str, ...] | None = None

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse groups that the data do not have."""
        if self.by_group and not data.schema.sensitive:
            raise DataError("calibration by group needs a sensitive feature", got="none", fix="name one under dataset.sensitive")
        if self.by_group:
            chosen_features(self.features, data.schema, "score-calibration")

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts:
        """Return the calibration of all rows, and of each group that has enough."""
        frame, names = predictions.frame, [f"score.{name}" for name in schema.target.classes]
        known = frame["y_true"].notna().to_numpy()
        scores = frame[names].to_numpy(dtype=np.float64)
        codes = class_codes(frame["y_true"], schema.target.classes).astype(np.int64)
        held = predictions.sampling.weight
        plain = class_codes(frame["y_pred"], schema.target.classes)
        facts = {
            "method": self.method,
            "classes": list(schema.target.classes),
            "argmax": bool((plain == scores.argmax(axis=1)).all()),
            "rows": int(known.sum()),
            "all": _fitted(scores[known], codes[known], held[known], self.method),
        }
        if not self.by_group:
            return facts
        groups = Groups.of(predictions.groups[known], chosen_features(self.features, schema, "score-calibration"))
        group = groups.codes(predictions.groups)
        enough = [g for g in range(len(groups.names)) if int(((group == g) & known).sum()) >= _LEAST]
        parts = [(group == g) & known for g in enough]
        fits = [_fitted(scores[m], codes[m], held[m], self.method) for m in parts]
        kept = Groups(groups.features, tuple(groups.names[g] for g in enough))
        return {**facts, "groups": kept.to_json(), "fits": fits}

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions with calibrated probabilities."""
        frame, classes = predictions.frame, [str(name) for name in facts["classes"]]
        names = [f"score.{name}" for name in classes]
        scores = frame[names].to_numpy(dtype=np.float64)
        found = _calibrated(scores, facts["all"], facts["method"])
        if "groups" in facts:
            groups = Groups.from_json(facts["groups"])
            codes = groups.codes(predictions.groups) if groups.names else np.full(len(frame), -1)
            for g, fit in enumerate(facts["fits"]):
                found[codes == g] = _calibrated(scores[codes == g], fit, facts["method"])
        changed = replace(predictions, frame=frame.assign(**{name: found[:, k] for k, name in enumerate(names)}))
        if not facts["argmax"] or (facts["method"] == "temperature" and "groups" not in facts):
            return changed
        best = found.argmax(axis=1)
        decision = frame["y_pred"].astype(object).to_numpy(copy=True)
        moved = best != scores.argmax(axis=1)
        decision[moved] = np.array(classes, dtype=object)[best[moved]]
        column = frame["y_pred"].astype(object).where(~moved, decision).astype(frame["y_pred"].dtype)
        return replace(changed, frame=changed.frame.assign(y_pred=column), target_index=torch.as_tensor(best))

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say how probabilities were changed, on how many rows."""
        by = ""
        if "groups" in facts:
            groups = Groups.from_json(facts["groups"])
            by = f", by itself for {len(groups.names)} groups of {', '.join(groups.features)}"
        number = f" (temperature {facts['all'][0]:.3g})" if facts["method"] == "temperature" else ""
        return f"Probabilities were calibrated by {facts['method']}{number} on {facts['rows']:,} validation rows{by}."


def _fitted(scores: np.ndarray, codes: np.ndarray, held: np.ndarray, method: Method) -> list[Any]:
    """Return the numbers of a calibration, from scores `(n, classes)`, true classes `(n,)` and weights `(n,)`."""
    logs = np.log(np.clip(scores, _TINY, 1))
    if method == "temperature":
        found = minimize_scalar(lambda t: _log_loss(logs / np.exp(t), codes, held), bounds=(-4, 4), method="bounded")
        return [float(np.exp(found.x))]
    return [_of_class(scores[:, k], codes == k, held, method) for k in range(scores.shape[1])]


def _of_class(score: np.ndarray, truth: np.ndarray, held: np.ndarray, method: Method) -> list[list[float]] | list[float]:
    if method == "isotonic":
        fit = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(score, truth, sample_weight=held)
        return [list(map(float, fit.X_thresholds_)), list(map(float, fit.y_thresholds_))]
    return platt_line(score, truth, held)


def platt_line(score: np.ndarray, truth: np.ndarray, held: np.ndarray) -> list[float]:
    """Return slope and offset of the log-odds that make scores probabilities (Platt 1999).

    Args:
        score: Score of a class `(n,)`.
        truth: Whether the class is true, bool `(n,)`.
        held: Weight of each row `(n,)`.
    """
    logit = _logit(score)
    positive, negative = float(held[truth].sum()), float(held[~truth].sum())
    goal = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))  # Platt's targets, which keep the slope finite

    def loss(line: np.ndarray) -> float:
        z = line[0] * logit + line[1]
        return float(held @ (np.logaddexp(0, z) - goal * z) / held.sum())

    return [float(v) for v in minimize(loss, np.array([1.0, 0.0]), method="BFGS").x]


def on_line(score: np.ndarray, line: Sequence[float]) -> np.ndarray:
    """Return the probabilities `(n,)` of scores `(n,)` with slope and offset of their log-odds."""
    return np.asarray(1 / (1 + np.exp(-(line[0] * _logit(score) + line[1]))))


def _calibrated(scores: np.ndarray, fit: list[Any], method: str) -> np.ndarray:
    """Return calibrated probabilities `(n, classes)`."""
    if method == "temperature":
        logs = np.log(np.clip(scores, _TINY, 1)) / fit[0]
        found = np.exp(logs - logs.max(axis=1, keepdims=True))
    elif method == "isotonic":
        found = np.column_stack([np.interp(scores[:, k], *fit[k]) for k in range(scores.shape[1])])
    else:
        found = np.column_stack([on_line(scores[:, k], fit[k]) for k in range(scores.shape[1])])
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1), scores)


def _logit(score: np.ndarray) -> np.ndarray:
    clipped = np.clip(score, _TINY, 1 - _TINY)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _log_loss(logs: np.ndarray, codes: np.ndarray, held: np.ndarray) -> float:
    normal = logs - np.logaddexp.reduce(logs, axis=1)[:, None]
    return float(-(held @ normal[np.arange(len(codes)), codes]) / held.sum())

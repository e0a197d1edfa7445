"""Offsets of each class's log-probability by group, so that classes are decided alike often: any number of classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench.contracts.data import Data
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.stats.settings_types import Share
from glassbench_plugins.mitigation.group_thresholds import LEAST, decided
from glassbench_plugins.mitigation.groups import Groups, chosen_features

_ROUNDS = 400
_SCALES = np.linspace(0, 1, 21)
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class GroupOffsets(Mitigation):
    """Decides the class with the largest log-probability plus an offset of the row's group and class.

    Offsets are moved on validation rows until each group is decided each class as often as all rows are (demographic
    parity), then
    scaled: of the scales that keep the accuracy within `accuracy_loss`, the one with the smallest gap is taken. Groups with
        fewer than 30 validation rows keep the plain decision.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        accuracy_loss: How much accuracy on validation rows may be given up.
    """

    features: tuple[str, ...] | None = None
    accuracy_loss: Share = 0.01

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "group-offsets")

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts:
        """Return the offsets of each group."""
        classes, frame = list(schema.target.classes), predictions.frame
        known = frame["y_true"].notna().to_numpy()
        groups = Groups.of(predictions.groups[known], chosen_features(self.features, schema, "group-offsets"))
        codes = np.where(known, groups.codes(predictions.groups), -1)
        sizes = [int((codes == g).sum()) for g in range(len(groups.names))]
        kept = [g for g, size in enumerate(sizes) if size >= LEAST]
        logs = _logs(frame, classes)
        truth, plain = (class_codes(frame[c], classes) for c in ("y_true", "y_pred"))
        held = np.ones(len(frame)) if predictions.held is None else np.asarray(predictions.held, dtype=np.float64)
        goal = np.bincount(plain[known], held[known], minlength=len(classes)) / held[known].sum()
        offsets = [_matched(logs[codes == g], held[codes == g], goal) for g in kept]
        scale = self._scale(logs, codes, truth, plain, held, kept, offsets)
        named = Groups(groups.features, tuple(groups.names[g] for g in kept))
        return {
            "classes": classes,
            "groups": named.to_json(),
            "offsets": [(scale * o).tolist() for o in offsets],
            "scale": scale,
            "rows": [sizes[g] for g in kept],
        }

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions decided with the offsets of each row's group."""
        classes, groups = [str(name) for name in facts["classes"]], Groups.from_json(facts["groups"])
        chosen = class_codes(predictions.frame["y_pred"], classes).astype(np.int64)
        codes = groups.codes(predictions.groups) if groups.names else np.full(len(chosen), -1)
        logs = _logs(predictions.frame, classes)
        for g, offset in enumerate(facts["offsets"]):
            chosen[codes == g] = (logs[codes == g] + np.asarray(offset)).argmax(axis=1)
        return decided(predictions, np.array(classes, dtype=object)[chosen], classes)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which groups got offsets, and how far they were scaled."""
        groups = Groups.from_json(facts["groups"])
        shown = "; ".join(f"{groups.words(g)} ({rows:,} rows)" for g, rows in list(enumerate(facts["rows"]))[:8])
        return (
            f"The log-probability of each class was moved by an offset for each group of {', '.join(groups.features)}, fitted to "
            f"validation rows so that classes are decided alike often, and scaled by {facts['scale']:.2f}: {shown or 'none'}."
        )

    def _scale(
        self,
        logs: np.ndarray,
        codes: np.ndarray,
        truth: np.ndarray,
        plain: np.ndarray,
        held: np.ndarray,
        kept: list[int],
        offsets: list[np.ndarray],
    ) -> float:
        """Return the scale with the smallest gap among those that keep the accuracy of the plain decisions."""
        member = np.isin(codes, kept)
        least = float(held[member] @ (plain == truth)[member]) - self.accuracy_loss * float(held[member].sum())
        best, smallest = 0.0, np.inf
        for scale in _SCALES:
            chosen = plain.astype(np.int64).copy()
            for g, offset in zip(kept, offsets, strict=True):
                chosen[codes == g] = (logs[codes == g] + scale * offset).argmax(axis=1)
            rates = [_rates(chosen[codes == g], held[codes == g], logs.shape[1]) for g in kept]
            gap = float(np.ptp(np.array(rates), axis=0).max()) if rates else 0.0
            if float(held[member] @ (chosen == truth)[member]) >= least and gap < smallest - 1e-12:
                best, smallest = float(scale), gap
        return best


def _logs(frame: Any, classes: list[str]) -> np.ndarray:
    return np.asarray(np.log(np.clip(frame[[f"score.{c}" for c in classes]].to_numpy(dtype=np.float64), _TINY, 1)))


def _rates(chosen: np.ndarray, held: np.ndarray, classes: int) -> np.ndarray:
    return np.asarray(np.bincount(chosen, held, minlength=classes) / held.sum())


def _matched(logs: np.ndarray, held: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Return offsets `(classes,)` with which the classes of rows `(n, classes)` are decided as often as the goal says."""
    offset, best, nearest = np.zeros(logs.shape[1]), np.zeros(logs.shape[1]), np.inf
    for step in np.geomspace(1.0, 0.01, _ROUNDS):
        rates = _rates((logs + offset).argmax(axis=1), held, logs.shape[1])
        distance = float(np.abs(rates - goal).max())
        if distance < nearest:
            best, nearest = offset.copy(), distance
        offset = offset + step * (goal - rates)
    return np.asarray(best - best.mean())

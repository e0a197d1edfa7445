"""Offsets of each class's log-probability by group, so that rates are alike: any number of classes."""

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
from glassbench_plugins.mitigation.offset_search import ClassScores, find_offsets
from glassbench_plugins.mitigation.threshold_search import RATES, Constraint

_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class GroupOffsets(Mitigation):
    """Decides the class with the largest log-probability plus an offset of the row's group and class.

    Offsets are chosen on validation rows, for any number of classes: of the candidates that keep the accuracy within
    `accuracy_loss`, the most accurate with a gap of at most `tolerance`, else the one with the smallest gap. Rates are those of
    each class against the rest, and the gap is that of the class with the widest one. Groups with fewer than 30 validation rows
    keep the plain decision.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        constraint: Which rates are made alike: selection rates, true positive rates, false positive rates, or the latter two.
        tolerance: The largest gap on validation rows that counts as alike.
        accuracy_loss: How much accuracy on validation rows may be given up.
    """

    features: tuple[str, ...] | None = None
    constraint: Constraint = "demographic_parity"
    tolerance: Share = 0.02
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
        member = np.isin(codes, kept)
        truth, plain = (class_codes(frame[c], classes)[member].astype(np.int64) for c in ("y_true", "y_pred"))
        held = predictions.sampling.weight
        rows = ClassScores(_logs(frame, classes)[member], np.searchsorted(kept, codes[member]), truth, plain, held[member])
        found = find_offsets(rows, self.constraint, tolerance=self.tolerance, accuracy_loss=self.accuracy_loss)
        named = Groups(groups.features, tuple(groups.names[g] for g in kept))
        return {
            "classes": classes,
            "groups": named.to_json(),
            "offsets": found.tolist(),
            "rows": [sizes[g] for g in kept],
        }

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions decided with the offsets of each row's group."""
        classes, groups = [str(name) for name in facts["classes"]], Groups.from_json(facts["groups"])
        chosen = class_codes(predictions.frame["y_pred"], classes).astype(np.int64)
        codes = groups.codes(predictions.groups) if groups.names else np.full(len(chosen), -1)
        logs = _logs(predictions.frame, classes)
        for g, offset in enumerate(facts["offsets"]):
            if any(offset):
                chosen[codes == g] = (logs[codes == g] + np.asarray(offset)).argmax(axis=1)
        return decided(predictions, np.array(classes, dtype=object)[chosen], classes)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which groups got offsets, and which rates they make alike."""
        groups = Groups.from_json(facts["groups"])
        shown = "; ".join(f"{groups.words(g)} ({rows:,} rows)" for g, rows in list(enumerate(facts["rows"]))[:8])
        return (
            f"The log-probability of each class was moved by an offset for each group of {', '.join(groups.features)}, fitted to "
            f"validation rows so that {RATES[self.constraint]} of each class are alike: {shown or 'none'}."
        )


def _logs(frame: Any, classes: list[str]) -> np.ndarray:
    return np.asarray(np.log(np.clip(frame[[f"score.{c}" for c in classes]].to_numpy(dtype=np.float64), _TINY, 1)))

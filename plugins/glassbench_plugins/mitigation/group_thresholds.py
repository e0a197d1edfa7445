"""A threshold for each group, fitted to validation rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.stats.settings_types import Share
from glassbench_plugins.mitigation.groups import Groups, chosen_features
from glassbench_plugins.mitigation.randomized import fitted_interpolation, positive_probability, uniform_of_rows
from glassbench_plugins.mitigation.score_calibration import on_line, platt_line
from glassbench_plugins.mitigation.threshold_search import RATES, Constraint, GroupScores, find_thresholds

LEAST = 30
"""Validation rows below which a group gets no threshold of its own."""


@dataclass(frozen=True, kw_only=True)
class GroupThresholds(Mitigation):
    """Decides the positive class wherever its score reaches the threshold of the row's group.

    Thresholds are chosen on validation rows: of all that keep the accuracy within `accuracy_loss`, the most accurate with a gap
    of at most `tolerance`, else those with the smallest gap. With `randomized` they are those of Fairlearn's
    `ThresholdOptimizer`, which draws between two thresholds to reach equal rates exactly; the draw then depends on the row's
    inputs alone, so that equal rows are decided alike. Groups with fewer than 30 validation rows or one class alone keep the
    plain decision. Source: Hardt, Price and Srebro (2016), Equality of opportunity in supervised learning.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        constraint: Which rates are made alike: selection rates, true positive rates, false positive rates, or the latter two.
        tolerance: The largest gap on validation rows that counts as alike.
        accuracy_loss: How much accuracy on validation rows may be given up.
        rates: Whether rates and accuracy of validation rows are counted, or expected from scores that are calibrated in each
            group (Platt). Expected ones vary less where rows are few, and are wrong where scores are no such probabilities.
        randomized: Whether to draw between two thresholds as Fairlearn does; the three settings before are then unused, and so
            are survey weights.
    """

    features: tuple[str, ...] | None = None
    constraint: Constraint = "equalized_odds"
    tolerance: Share = 0.02
    accuracy_loss: Share = 0.01
    rates: Literal["counted", "expected"] = "counted"
    randomized: bool = False

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "group-thresholds")

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts:
        """Return a rule for each group."""
        frame, positive = predictions.frame, schema.target.positive or schema.target.classes[-1]
        known = frame["y_true"].notna().to_numpy()
        groups = Groups.of(predictions.groups[known], chosen_features(self.features, schema, "group-thresholds"))
        codes = groups.codes(predictions.groups)
        score = frame[f"score.{positive}"].to_numpy(dtype=np.float64)
        truth, plain = ((frame[c] == positive).to_numpy(dtype=bool) for c in ("y_true", "y_pred"))
        held = predictions.sampling.weight
        fitted = [g for g in range(len(groups.names)) if _enough(truth[(codes == g) & known])]
        rows = [(codes == g) & known for g in fitted]
        parts = [GroupScores(score[m], truth[m], plain[m], held[m]) for m in rows]
        if self.rates == "expected":
            parts = [replace(p, chance=on_line(p.score, platt_line(p.score, p.truth, p.held))) for p in parts]
        if self.randomized:
            counts = predictions.frequency
            parts = parts if counts is None else [_written_out(p, counts[m]) for p, m in zip(parts, rows, strict=True)]
            rules: list[dict[str, Any]] = fitted_interpolation(parts, self.constraint)
        else:
            found = find_thresholds(parts, self.constraint, tolerance=self.tolerance, accuracy_loss=self.accuracy_loss)
            rules = [{"threshold": t} for t in found]
        sizes = [int(m.sum()) for m in rows]
        named = [{"group": list(groups.names[g]), "rows": n, **r} for g, n, r in zip(fitted, sizes, rules, strict=True)]
        unfitted = [list(name) for g, name in enumerate(groups.names) if g not in fitted]
        return {"features": list(groups.features), "positive": positive, "rules": named, "unfitted": unfitted}

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions decided by the rule of each row's group; groups without a rule keep the plain decision."""
        frame, positive = predictions.frame, str(facts["positive"])
        groups = Groups(tuple(facts["features"]), tuple(tuple(rule["group"]) for rule in facts["rules"]))
        codes = groups.codes(predictions.groups) if groups.names else np.full(len(frame), -1)
        names = [str(c).removeprefix("score.") for c in frame.columns if str(c).startswith("score.")]
        score = frame[f"score.{positive}"].to_numpy(dtype=np.float64)
        chosen = (frame["y_pred"] == positive).to_numpy(dtype=bool, copy=True)
        drawn = uniform_of_rows(predictions, score) if any("operations" in rule for rule in facts["rules"]) else None
        for g, rule in enumerate(facts["rules"]):
            member = codes == g
            if "threshold" in rule:
                chosen[member] = score[member] >= rule["threshold"]
            elif drawn is not None:
                chosen[member] = positive_probability(score[member], rule) > drawn[member]
        other = next(name for name in names if name != positive)
        return decided(predictions, np.where(chosen, positive, other), names)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which group got which threshold, and on how many rows it was fitted."""
        rules, by = facts["rules"], ", ".join(facts["features"])
        shown = "; ".join(f"{' / '.join(rule['group'])} {_words(rule)} ({rule['rows']:,} rows)" for rule in rules[:8])
        more = f" and {len(rules) - 8} more" if len(rules) > 8 else ""
        unfitted = len(facts["unfitted"])
        few = f" {unfitted} groups with too few validation rows keep the plain decision." if unfitted else ""
        return (
            f"'{facts['positive']}' is decided by a threshold for each group of {by}, fitted to validation rows so that "
            f"{RATES[self.constraint]} are alike: {shown or 'none'}{more}.{few}"
        )


def decided(predictions: Predictions, classes: np.ndarray, names: list[str]) -> Predictions:
    """Return predictions with other decisions, classes by name `(n,)` among `names` in the order of the model's outputs."""
    frame = predictions.frame
    column = pd.Series(classes, index=frame.index, dtype=object).astype(frame["y_pred"].dtype)
    index = torch.as_tensor(class_codes(pd.Series(classes), names).astype(np.int64))
    return replace(predictions, frame=frame.assign(y_pred=column), target_index=index)


def _written_out(group: GroupScores, counts: np.ndarray) -> GroupScores:
    """Return rows that stand for several as so many rows."""
    each = {name: np.repeat(getattr(group, name), counts) for name in ("score", "truth", "plain")}
    return GroupScores(**each, held=np.ones(int(counts.sum())))


def _enough(truth: np.ndarray) -> bool:
    return len(truth) >= LEAST and bool(truth.any()) and not bool(truth.all())


def _words(rule: Mapping[str, Any]) -> str:
    if "threshold" in rule:
        return f"from {rule['threshold']:.3f}"
    first, second = (f"{one['operator']} {one['threshold']:.3f}" for one in rule["operations"])
    return f"{first} or {second} by chance"

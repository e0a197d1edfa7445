"""The threshold at which wrong decisions cost least, chosen on validation rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench.contracts.data import Data
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError
from glassbench.stats.settings_types import NonNegativeNumber
from glassbench_plugins.mitigation.group_thresholds import decided
from glassbench_plugins.mitigation.least_cost import least_cost


@dataclass(frozen=True, kw_only=True)
class CostThreshold(Mitigation):
    """Decides the positive class wherever its score reaches the threshold that cost least on validation rows.

    The same threshold holds for every group. The report says which other thresholds could be the best (a confidence set at 95 %)
    and at which a calibrated score would be decided, `false_positive / (false_positive + false_negative)` (Elkan 2001). What the
    chosen one costs on validation rows flatters it; the metric `cost` on test rows does not.

    Args:
        false_negative: What a row of the positive class costs that is decided otherwise, in any unit.
        false_positive: What a row costs that is decided positive and is not.
    """

    false_negative: NonNegativeNumber = 1.0
    false_positive: NonNegativeNumber = 1.0

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse costs that are all 0, and those that are not the task's own."""
        if self.false_negative + self.false_positive == 0:
            raise DataError("decisions that cost nothing have no best threshold", got="false_negative 0, false_positive 0")
        costs = getattr(task, "costs", None)
        if costs is not None and (costs.false_negative, costs.false_positive) != (self.false_negative, self.false_positive):
            raise DataError(
                "the mitigation 'cost-threshold' was given other costs than the task",
                got=f"false_negative {self.false_negative:g}, false_positive {self.false_positive:g}",
                available=[f"false_negative {costs.false_negative:g}, false_positive {costs.false_positive:g}"],
                fix="write the same costs in both places",
            )

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts:
        """Return the threshold, with what else could be the best."""
        frame, positive = predictions.frame, schema.target.positive or schema.target.classes[-1]
        known = frame["y_true"].notna().to_numpy()
        score = frame[f"score.{positive}"].to_numpy(dtype=np.float64)[known]
        truth, plain = ((frame[column] == positive).to_numpy(dtype=bool)[known] for column in ("y_true", "y_pred"))
        held = predictions.sampling.weight[known]
        found = least_cost(score, truth, held, self.false_negative, self.false_positive)
        wrong = self.false_negative * (truth & ~plain) + self.false_positive * (~truth & plain)
        return {
            "positive": positive,
            "rows": len(score),
            "threshold": found.threshold,
            "low": found.low,
            "high": found.high,
            "cost": found.cost,
            "plain_cost": float(np.average(wrong, weights=held)),
        }

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions decided by the threshold."""
        frame, positive = predictions.frame, str(facts["positive"])
        names = [str(column).removeprefix("score.") for column in frame.columns if str(column).startswith("score.")]
        chosen = frame[f"score.{positive}"].to_numpy(dtype=np.float64) >= float(facts["threshold"])
        return decided(predictions, np.where(chosen, positive, next(name for name in names if name != positive)), names)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which threshold was chosen, which others could be the best, and what it costs on the rows it was chosen on."""
        calibrated = self.false_positive / (self.false_positive + self.false_negative)
        chosen, low, high = (f"{facts[name]:.3f}" for name in ("threshold", "low", "high"))
        before, after = (f"{facts[name]:.3f}" for name in ("plain_cost", "cost"))
        return (
            f"'{facts['positive']}' is decided from a score of {chosen} (the best may lie from {low} to {high}, a 95\u00a0% "
            f"confidence set; a calibrated score would be decided from {calibrated:.3f}). On the {facts['rows']:,} validation "
            f"rows that it was chosen on, a row costs {after} on average and {before} before; that flatters it, and the metric "
            "cost on test rows does not."
        )

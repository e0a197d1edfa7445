"""The model `xgboost`."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import xgboost as xgb

from glassbench.contracts.estimator import HeldOutRows
from glassbench.contracts.exporting import Tree
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, CountOrZero, NonNegativeNumber, PositiveNumber, PositiveShare
from glassbench_plugins.boosting.boosted_trees import BoostedTrees, Objective, no_sum
from glassbench_plugins.boosting.encoded_trees import AskedColumns
from glassbench_plugins.boosting.tree_columns import Direction
from glassbench_plugins.boosting.xgboost_file import check_xgboost_file
from glassbench_plugins.boosting.xgboost_trees import without_answers, xgboost_trees

_OBJECTIVES = {
    "squared": "reg:squarederror",
    "absolute": "reg:absoluteerror",
    "huber": "reg:pseudohubererror",
    "poisson": "count:poisson",
    "gamma": "reg:gamma",
    "tweedie": "reg:tweedie",
}


def xgboost_model(
    schema: Schema,
    *,
    n_estimators: Count = 100,
    learning_rate: PositiveNumber = 0.3,
    max_depth: CountOrZero = 6,
    max_leaves: CountOrZero = 0,
    grow_policy: Literal["depthwise", "lossguide"] = "depthwise",
    min_child_weight: NonNegativeNumber = 1.0,
    gamma: NonNegativeNumber = 0.0,
    subsample: PositiveShare = 1.0,
    colsample_bytree: PositiveShare = 1.0,
    reg_alpha: NonNegativeNumber = 0.0,
    reg_lambda: NonNegativeNumber = 1.0,
    max_bin: Count = 256,
    objective: Objective = "squared",
    early_stopping: Count | None = None,
    monotone: dict[str, Direction] | None = None,
    class_weight: Literal["balanced"] | None = None,
    threads: Count | None = None,
) -> BoostedTrees:
    """Gradient boosting of trees by XGBoost (Chen and Guestrin 2016), by histograms, with the library's own defaults.

    Categories are given as categories, missing numbers as missing. The run keeps the library's JSON file, `model.xgboost.json`,
    which `xgboost.Booster(model_file=...)` reads.

    Args:
        schema: Tells the columns, and whether classes or a value are predicted.
        n_estimators: Rounds of boosting, at most; a round grows a tree, or one for each of more than two classes.
        learning_rate: Factor on each tree's contribution.
        max_depth: Deepest level of a tree; 0 sets no limit.
        max_leaves: Most leaves of a tree; 0 sets no limit.
        grow_policy: Whether trees grow level by level, or where the loss falls most.
        min_child_weight: Least sum of second derivatives in a leaf.
        gamma: Least gain of a split.
        subsample: Share of the rows that each tree is grown on.
        colsample_bytree: Share of the columns that each tree may use.
        reg_alpha: L1 penalty on the leaves' values.
        reg_lambda: L2 penalty on the leaves' values.
        max_bin: Most bins of a column of numbers.
        objective: What boosting minimises for a value.
        early_stopping: Rounds without a smaller validation loss after which boosting ends; those up to the smallest are kept.
        monotone: Columns of numbers along which the prediction, or the probability of the positive class, may only be
            `increasing` or `decreasing`.
        class_weight: `balanced` makes rare classes count as much as common ones; classes only.
        threads: CPU threads; None leaves the number to the library.

    Raises:
        FitError: The target or the rows are not for boosted trees.
        SettingsError: A constraint is of no column of numbers.
    """
    asked = {
        "eta": learning_rate,
        "max_depth": max_depth,
        "max_leaves": max_leaves,
        "grow_policy": grow_policy,
        "min_child_weight": min_child_weight,
        "gamma": gamma,
        "subsample": subsample,
        "colsample_bytree": colsample_bytree,
        "alpha": reg_alpha,
        "lambda": reg_lambda,
        "max_bin": max_bin,
        "nthread": threads or 0,
    }
    return XGBoost(
        schema,
        asked=asked,
        objective=objective,
        rounds=n_estimators,
        early_stopping=early_stopping,
        monotone=monotone,
        class_weight=class_weight,
    )


class XGBoost(BoostedTrees):
    """Trees of XGBoost, called as a network is.

    Args:
        schema: Tells the columns and the target.
        asked: Parameters of the library.
        objective: What boosting minimises for a value.
        common: As for `BoostedTrees`.
    """

    own_file = "model.xgboost.json"
    double_precision = False

    def __init__(self, schema: Schema, *, asked: dict[str, Any], objective: Objective, **common: Any) -> None:
        super().__init__(schema, **common)
        goals = {0: _OBJECTIVES[objective], 2: "binary:logistic"}
        self.parameters_ = {
            **asked,
            "objective": goals.get(self.classes, "multi:softprob"),
            **({"num_class": self.classes} if self.classes > 2 else {}),
            **({"monotone_constraints": tuple(self.monotone)} if any(self.monotone) else {}),
            "tree_method": "hist",
            "verbosity": 0,
        }

    def boost(
        self,
        rows: np.ndarray,
        target: np.ndarray,
        weights: np.ndarray | None,
        validation: HeldOutRows | None,
        note: Callable[[int, float, float | None], None],
        seed: int,
    ) -> None:
        """Boost with `xgboost.train`.

        Raises:
            FitError: XGBoost refuses the rows or a parameter.
        """
        train = self._matrix(self.columns.table(rows), target, weights)
        sets = [(train, "training")]
        if validation is not None:
            held = self._matrix(self.columns.table(validation.rows), validation.target, validation.weights)
            sets.append((held, "validation"))
        stop = [xgb.callback.EarlyStopping(rounds=self.early_stopping, data_name="validation")] if self.early_stopping else []
        try:
            booster = xgb.train(
                {**self.parameters_, "seed": seed},
                train,
                self.rounds,
                evals=sets,
                verbose_eval=False,
                callbacks=[_Observer(note), *stop],
            )
        except xgb.core.XGBoostError as error:
            raise FitError("XGBoost cannot be fitted to these rows", got=_first_line(error)) from error
        kept = booster[: booster.best_iteration + 1] if self.early_stopping else booster
        self.from_bytes(bytes(kept.save_raw("json")))

    def answers(self, table: np.ndarray) -> np.ndarray:
        """Return XGBoost's margins of classes, its predictions of values, float32."""
        found = self.booster.predict(self._matrix(table), output_margin=bool(self.classes), validate_features=False)
        return np.asarray(found, dtype=np.float32)

    def arrays(self, columns: AskedColumns) -> tuple[Sequence[Tree], tuple[float, ...]]:
        """Return XGBoost's trees, and what it starts their sums from.

        Raises:
            RunError: Predictions are the exponential function of a sum.
        """
        objective = self.parameters_["objective"]
        if objective in ("count:poisson", "reg:gamma", "reg:tweedie"):
            raise no_sum(objective)
        content = json.loads(self.to_bytes())
        started = self._loaded(json.dumps(without_answers(content)).encode())
        row = self._matrix(np.full((1, len(self.columns.features)), np.nan, dtype=np.float32))
        start = np.asarray(started.predict(row, output_margin=True, validate_features=False)).ravel().tolist()
        return xgboost_trees(content, self.columns.features, columns), tuple(start)

    def to_bytes(self) -> bytes:
        """Return XGBoost's JSON file."""
        return bytes(self.booster.save_raw("json"))

    def from_bytes(self, content: bytes) -> None:
        """Read XGBoost's JSON file.

        Raises:
            ValueError: It is of another version, damaged, or of other columns or classes.
        """
        check_xgboost_file(content, features=len(self.columns.features), outputs=self.outputs)
        self.booster = self._loaded(content)
        self.kept_rounds = self.booster.num_boosted_rounds()

    def _loaded(self, content: bytes) -> xgb.Booster:
        booster = xgb.Booster({"nthread": self.parameters_["nthread"], "verbosity": 0})
        try:
            booster.load_model(bytearray(content))
        except xgb.core.XGBoostError as error:
            raise ValueError(_first_line(error)) from error
        return booster

    def _matrix(self, table: np.ndarray, target: np.ndarray | None = None, weights: np.ndarray | None = None) -> xgb.DMatrix:
        kinds = ["c" if feature.categorical else "q" for feature in self.columns.features]
        return xgb.DMatrix(
            table,
            target,
            weight=weights,
            feature_names=self.columns.names,
            feature_types=kinds,
            enable_categorical=True,
            nthread=self.parameters_["nthread"] or None,
        )


class _Observer(xgb.callback.TrainingCallback):
    """Notes both losses of each round."""

    def __init__(self, note: Callable[[int, float, float | None], None]) -> None:
        super().__init__()
        self._note = note

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Note the round's losses; it never ends the boosting."""
        losses = {name: float(next(iter(metrics.values()))[-1]) for name, metrics in evals_log.items()}
        self._note(epoch, losses["training"], losses.get("validation"))
        return False


def _first_line(error: Exception) -> str:
    """Return what XGBoost complains of, without the time and the place in its source."""
    return str(error).splitlines()[0].rpartition(": ")[2]

"""The model `lightgbm`."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import lightgbm as lgb
import numpy as np

from glassbench.contracts.estimator import HeldOutRows
from glassbench.contracts.exporting import Tree
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, CountOrZero, NonNegativeNumber, PositiveNumber, PositiveShare
from glassbench_plugins.boosting.boosted_trees import BoostedTrees, Objective, no_sum
from glassbench_plugins.boosting.encoded_trees import AskedColumns
from glassbench_plugins.boosting.lightgbm_file import check_lightgbm_file
from glassbench_plugins.boosting.lightgbm_trees import lightgbm_trees
from glassbench_plugins.boosting.tree_columns import Direction

_OBJECTIVES = {"squared": "regression", "absolute": "regression_l1"}


def lightgbm_model(
    schema: Schema,
    *,
    n_estimators: Count = 100,
    learning_rate: PositiveNumber = 0.1,
    num_leaves: Count = 31,
    max_depth: Count | None = None,
    min_child_samples: CountOrZero = 20,
    min_child_weight: NonNegativeNumber = 1e-3,
    min_split_gain: NonNegativeNumber = 0.0,
    subsample: PositiveShare = 1.0,
    subsample_freq: CountOrZero = 0,
    colsample_bytree: PositiveShare = 1.0,
    reg_alpha: NonNegativeNumber = 0.0,
    reg_lambda: NonNegativeNumber = 0.0,
    max_bin: Count = 255,
    objective: Objective = "squared",
    early_stopping: Count | None = None,
    monotone: dict[str, Direction] | None = None,
    class_weight: Literal["balanced"] | None = None,
    threads: Count | None = None,
) -> BoostedTrees:
    """Gradient boosting of trees by LightGBM (Ke et al. 2017), with the library's own defaults.

    Categories are given as categories, missing numbers as missing. The run keeps the library's text file,
    `model.lightgbm.txt`, which `lightgbm.Booster(model_file=...)` reads.

    Args:
        schema: Tells the columns, and whether classes or a value are predicted.
        n_estimators: Rounds of boosting, at most; a round grows a tree, or one for each of more than two classes.
        learning_rate: Factor on each tree's contribution.
        num_leaves: Most leaves of a tree.
        max_depth: Deepest level of a tree, or None for no limit.
        min_child_samples: Fewest training rows in a leaf.
        min_child_weight: Least sum of second derivatives in a leaf.
        min_split_gain: Least gain of a split.
        subsample: Share of the rows that trees are grown on; it acts where `subsample_freq` is above 0.
        subsample_freq: Rounds after which rows are drawn anew; 0 draws none.
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
        "learning_rate": learning_rate,
        "num_leaves": num_leaves,
        "max_depth": max_depth or -1,
        "min_data_in_leaf": min_child_samples,
        "min_sum_hessian_in_leaf": min_child_weight,
        "min_gain_to_split": min_split_gain,
        "bagging_fraction": subsample,
        "bagging_freq": subsample_freq,
        "feature_fraction": colsample_bytree,
        "lambda_l1": reg_alpha,
        "lambda_l2": reg_lambda,
        "max_bin": max_bin,
        "num_threads": threads or 0,
    }
    return LightGBM(
        schema,
        asked=asked,
        objective=objective,
        rounds=n_estimators,
        early_stopping=early_stopping,
        monotone=monotone,
        class_weight=class_weight,
    )


class LightGBM(BoostedTrees):
    """Trees of LightGBM, called as a network is.

    Args:
        schema: Tells the columns and the target.
        asked: Parameters of the library.
        objective: What boosting minimises for a value.
        common: As for `BoostedTrees`.
    """

    own_file = "model.lightgbm.txt"
    double_precision = True

    def __init__(self, schema: Schema, *, asked: dict[str, Any], objective: Objective, **common: Any) -> None:
        super().__init__(schema, **common)
        goals = {0: _OBJECTIVES.get(objective, objective), 2: "binary"}
        self.parameters_ = {
            **asked,
            "objective": goals.get(self.classes, "multiclass"),
            **({"num_class": self.classes} if self.classes > 2 else {}),
            **({"monotone_constraints": self.monotone} if any(self.monotone) else {}),
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
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
        """Boost with `lightgbm.train`.

        Raises:
            FitError: LightGBM refuses the rows or a parameter.
        """
        parameters = {**self.parameters_, "seed": seed}
        train = self._dataset(rows, target, weights, parameters)
        sets, names = [train], ["training"]
        if validation is not None:
            sets.append(self._dataset(validation.rows, validation.target, validation.weights, parameters, train))
            names.append("validation")

        def observe(env: Any) -> None:
            losses = {name: loss for name, _, loss, *_ in env.evaluation_result_list}
            note(env.iteration, losses["training"], losses.get("validation"))

        stop = [lgb.early_stopping(self.early_stopping, verbose=False)] if self.early_stopping else []
        try:
            booster = lgb.train(parameters, train, self.rounds, valid_sets=sets, valid_names=names, callbacks=[observe, *stop])
        except lgb.basic.LightGBMError as error:
            raise FitError("LightGBM cannot be fitted to these rows", got=str(error)) from error
        self.from_bytes(booster.model_to_string(num_iteration=booster.best_iteration or None).encode())

    def answers(self, table: np.ndarray) -> np.ndarray:
        """Return LightGBM's raw scores of classes, its predictions of values, float64."""
        return np.asarray(self.booster.predict(table, raw_score=bool(self.classes)), dtype=np.float64)

    def arrays(self, columns: AskedColumns) -> tuple[Sequence[Tree], tuple[float, ...]]:
        """Return LightGBM's trees, added to nothing.

        Raises:
            RunError: Predictions are the exponential function of a sum.
        """
        if self.parameters_["objective"] in ("poisson", "gamma", "tweedie"):
            raise no_sum(self.parameters_["objective"])
        return lightgbm_trees(self.booster.dump_model(), self.columns.features, columns), (0.0,) * self.outputs

    def to_bytes(self) -> bytes:
        """Return LightGBM's text file."""
        text: str = self.booster.model_to_string(num_iteration=-1)
        return text.encode()

    def from_bytes(self, content: bytes) -> None:
        """Read LightGBM's text file.

        Raises:
            ValueError: It is of another version, damaged, or of other columns or classes.
        """
        text = content.decode("utf-8", errors="strict")
        check_lightgbm_file(text, features=len(self.columns.features), outputs=self.outputs)
        try:
            self.booster = lgb.Booster(model_str=text)
        except lgb.basic.LightGBMError as error:
            raise ValueError(str(error)) from error
        self.kept_rounds = self.booster.current_iteration()

    def _dataset(
        self, rows: np.ndarray, target: np.ndarray, weights: np.ndarray | None, parameters: dict[str, Any], like: Any = None
    ) -> lgb.Dataset:
        return lgb.Dataset(
            self.columns.table(rows),
            target,
            weight=weights,
            reference=like,
            feature_name=self.columns.names,
            categorical_feature=self.columns.categories,
            params=dict(parameters),
        )

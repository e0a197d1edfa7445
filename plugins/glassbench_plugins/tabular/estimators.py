"""Scikit-learn estimators for encoded tables.

None is given a seed: they draw from NumPy's generator, which the trainer seeds with the experiment's seed.
"""

from typing import Literal

from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, NonNegativeNumber, PositiveNumber
from glassbench_plugins.tabular.quantile_boosting import QuantileBoosting


def hist_gradient_boosting(
    schema: Schema,
    *,
    learning_rate: PositiveNumber = 0.1,
    max_iter: Count = 100,
    max_leaf_nodes: Count = 31,
    min_samples_leaf: Count = 20,
    l2_regularization: NonNegativeNumber = 0.0,
    early_stopping: bool = False,
    class_weight: Literal["balanced"] | None = None,
) -> BaseEstimator:
    """Gradient boosting of trees over binned inputs (Ke et al. 2017, "LightGBM"), as scikit-learn has it.

    Args:
        schema: Tells whether classes, a value or quantiles of it are predicted; for quantiles there is a booster for each.
        learning_rate: Factor on each tree's contribution.
        max_iter: Trees, per class where there are more than two.
        max_leaf_nodes: Most leaves of a tree.
        min_samples_leaf: Fewest training rows in a leaf.
        l2_regularization: Penalty on the leaves' values.
        early_stopping: Whether to hold back a tenth of the training rows and stop when they are predicted no better.
        class_weight: `balanced` makes rare classes count as much as common ones; classes only.
    """
    shared = {
        "learning_rate": learning_rate,
        "max_iter": max_iter,
        "max_leaf_nodes": max_leaf_nodes,
        "min_samples_leaf": min_samples_leaf,
        "l2_regularization": l2_regularization,
        "early_stopping": early_stopping,
    }
    if _decides_classes(schema, class_weight):
        return HistGradientBoostingClassifier(class_weight=class_weight, **shared)
    if schema.target.levels:
        return QuantileBoosting(schema.target.levels, shared)
    return HistGradientBoostingRegressor(**shared)


def random_forest(
    schema: Schema,
    *,
    n_estimators: Count = 200,
    max_depth: Count | None = None,
    min_samples_leaf: Count = 1,
    max_features: Literal["sqrt", "log2"] | float | None = None,
    class_weight: Literal["balanced"] | None = None,
) -> BaseEstimator:
    """Decision trees on resampled rows, averaged (Breiman 2001).

    Args:
        schema: Tells whether classes or a value is predicted.
        n_estimators: Trees.
        max_depth: Deepest level of a tree, or None for no limit.
        min_samples_leaf: Fewest training rows in a leaf.
        max_features: Inputs tried at each node: a rule, a share, or None for the square root (classes) or all (values).
        class_weight: `balanced` makes rare classes count as much as common ones; classes only.
    """
    shared = {
        "n_estimators": n_estimators,
        "max_depth": max_depth,
        "min_samples_leaf": min_samples_leaf,
    }
    if _decides_classes(schema, class_weight):
        return RandomForestClassifier(class_weight=class_weight, max_features=max_features or "sqrt", **shared)
    return RandomForestRegressor(max_features=max_features or 1.0, **shared)


def logistic_regression(
    schema: Schema,
    *,
    C: PositiveNumber = 1.0,
    max_iter: Count = 1000,
    class_weight: Literal["balanced"] | None = None,
) -> BaseEstimator:
    """Logistic regression with an L2 penalty, solved by L-BFGS.

    Args:
        schema: Tells the classes.
        C: Inverse strength of the penalty.
        max_iter: Most steps of the solver.
        class_weight: `balanced` makes rare classes count as much as common ones.

    Raises:
        FitError: The target is no class.
    """
    if not _decides_classes(schema, None):
        raise FitError("logistic regression decides classes", got=f"a {schema.target.kind}", fix="use the model 'linear'")
    return LogisticRegression(C=C, max_iter=max_iter, class_weight=class_weight)


def _decides_classes(schema: Schema, class_weight: str | None) -> bool:
    """Whether a classifier is asked for; class weights fit nothing else.

    Raises:
        FitError: Neither one class nor one value is predicted, or class weights meet no classes.
    """
    if schema.target.kind not in ("class", "value"):
        fix = "use a network, such as 'mlp', for several labels per row"
        raise FitError(
            "this estimator predicts one class or one value per row", got=f"a target of kind {schema.target.kind}", fix=fix
        )
    classes = schema.target.kind == "class"
    if class_weight and not classes:
        raise FitError("class_weight fits classes only", got=f"a {schema.target.kind}", fix="remove model.class_weight")
    return classes

"""Fitted scikit-learn estimators as arrays: trees that are summed, and linear maps."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model._base import LinearModel
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from glassbench.contracts.estimator import opaque
from glassbench.contracts.exporting import ExportedModel, LinearMap, Link, Tree, TreeSum
from glassbench.contracts.schema import Schema
from glassbench.errors import RunError

AVAILABLE = (
    "any network",
    "HistGradientBoosting, GradientBoosting, RandomForest, ExtraTrees and DecisionTree of scikit-learn",
    "LogisticRegression and linear regressors of scikit-learn",
    "models that say what they compute (`glassbench.contracts.exporting.ExportedModel`)",
)
"""What can be exported, in words."""

Arrays = TreeSum | LinearMap


def as_arrays(model: Any, schema: Schema) -> Arrays | None:
    """Return what a fitted model computes as arrays, None where it is a network that PyTorch itself exports.

    Args:
        model: The trained model as a run has it.
        schema: What models were built for.

    Raises:
        RunError: It is an estimator that cannot be told as arrays.
    """
    if isinstance(model, ExportedModel):
        return model.exported(schema)
    return estimator_arrays(getattr(model, "estimator", model), schema) if opaque(model) else None


def estimator_arrays(estimator: Any, schema: Schema) -> Arrays:
    """Return what a fitted estimator computes as arrays.

    Raises:
        RunError: Nothing tells.
    """
    return estimator.exported(schema) if isinstance(estimator, ExportedModel) else _arrays(estimator, schema)


def side_by_side(parts: Sequence[Arrays]) -> TreeSum:
    """Return sums of trees as one with an output for each; they have one output each, and no link."""
    sums = [part for part in parts if isinstance(part, TreeSum)]
    return TreeSum(
        trees=tuple(tree for part in sums for tree in part.trees),
        outputs=tuple((place,) for place, part in enumerate(sums) for _ in part.trees),
        start=tuple(part.start[0] for part in sums),
    )


@singledispatch
def _arrays(estimator: Any, schema: Schema) -> Arrays:
    kind = type(estimator)
    raise RunError(
        "this model cannot be exported: nothing tells what it computes",
        got=f"{kind.__module__}.{kind.__qualname__}",
        available=AVAILABLE,
        fix="predict with `glassbench predict` or `glassbench serve`, or give the model a method `exported(schema)`",
    )


@_arrays.register(HistGradientBoostingClassifier)
@_arrays.register(HistGradientBoostingRegressor)
def _boosting(estimator: Any, schema: Schema) -> Arrays:
    grown = [(k, each) for iteration in estimator._predictors for k, each in enumerate(iteration)]
    if any(each.nodes["is_categorical"].any() for _, each in grown):
        raise RunError("trees that split on sets of categories cannot be exported", got=type(estimator).__name__)
    loss = estimator.loss if isinstance(estimator, HistGradientBoostingRegressor) else None
    if loss in ("poisson", "gamma"):
        raise RunError(f"boosting with the loss '{loss}' cannot be exported", available=["squared_error", "quantile"])
    start = tuple(np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel().tolist())
    classifies = loss is None
    link: Link = "identity" if not classifies else "logistic" if len(start) == 1 else "softmax"
    return TreeSum(
        trees=tuple(_grown(each.nodes) for _, each in grown),
        outputs=tuple((k,) for k, _ in grown),
        start=start,
        link=link,
        present=_present(estimator, schema) if classifies else None,
        classes=len(schema.target.classes) if classifies else None,
    )


@_arrays.register(GradientBoostingClassifier)
@_arrays.register(GradientBoostingRegressor)
def _stages(estimator: Any, schema: Schema) -> Arrays:
    classifies = isinstance(estimator, GradientBoostingClassifier)
    if not isinstance(estimator.init_, DummyClassifier | DummyRegressor | str):
        raise RunError("boosting that starts from another estimator cannot be exported", got=type(estimator.init_).__name__)
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32))[0].tolist()
    stages = [(k, each) for stage in estimator.estimators_ for k, each in enumerate(stage)]
    link: Link = "identity" if not classifies else "logistic" if len(start) == 1 else "softmax"
    return TreeSum(
        trees=tuple(_learnt(each.tree_, 1, estimator.learning_rate) for _, each in stages),
        outputs=tuple((k,) for k, _ in stages),
        start=tuple(start),
        divide=0.5 if estimator.loss == "exponential" else 1.0,  # its sum is half the log-odds
        link=link,
        present=_present(estimator, schema) if classifies else None,
        classes=len(schema.target.classes) if classifies else None,
    )


def _grown(nodes: np.ndarray) -> Tree:
    """Return one tree of histogram boosting."""
    return Tree(
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        leaf=nodes["is_leaf"].astype(bool),
        value=nodes["value"].astype(np.float64)[:, None],
    )


@_arrays.register(RandomForestClassifier)
@_arrays.register(RandomForestRegressor)
@_arrays.register(ExtraTreesClassifier)
@_arrays.register(ExtraTreesRegressor)
def _forest(estimator: Any, schema: Schema) -> Arrays:
    return _averaged(estimator, [each.tree_ for each in estimator.estimators_], schema)


@_arrays.register(DecisionTreeClassifier)
@_arrays.register(DecisionTreeRegressor)
def _tree(estimator: Any, schema: Schema) -> Arrays:
    return _averaged(estimator, [estimator.tree_], schema)


def _averaged(estimator: Any, trees: Sequence[Any], schema: Schema) -> TreeSum:
    """Return trees whose leaves answer with a mean or with shares of classes, averaged."""
    classifies = hasattr(estimator, "classes_")
    outputs = tuple(range(len(estimator.classes_))) if classifies else (0,)
    return TreeSum(
        trees=tuple(_learnt(each, len(outputs)) for each in trees),
        outputs=(outputs,) * len(trees),
        start=(0.0,) * len(outputs),
        divide=float(len(trees)),
        link="probabilities" if classifies else "identity",
        present=_present(estimator, schema) if classifies else None,
        classes=len(schema.target.classes) if classifies else None,
    )


def _learnt(tree: Any, outputs: int, factor: float = 1.0) -> Tree:
    """Return one decision tree, its answers times a factor."""
    return Tree(
        feature=np.maximum(tree.feature, 0).astype(np.int64),
        threshold=tree.threshold.astype(np.float64),
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        leaf=tree.children_left < 0,
        value=factor * tree.value[:, 0, :outputs].astype(np.float64),
    )


@_arrays.register(LogisticRegression)
def _logistic(estimator: LogisticRegression, schema: Schema) -> Arrays:
    return LinearMap(
        weight=estimator.coef_,
        bias=np.broadcast_to(estimator.intercept_, len(estimator.coef_)),
        link="logistic" if len(estimator.coef_) == 1 else "softmax",
        present=_present(estimator, schema),
        classes=len(schema.target.classes),
    )


@_arrays.register(LinearModel)
def _linear(estimator: Any, schema: Schema) -> Arrays:
    weight = np.atleast_2d(estimator.coef_)
    return LinearMap(weight=weight, bias=np.broadcast_to(estimator.intercept_, len(weight)))


def _present(estimator: Any, schema: Schema) -> tuple[int, ...] | None:
    """Return the classes that the estimator knows, where it has not seen all of them."""
    known = np.asarray(estimator.classes_, dtype=np.int64)
    return None if len(known) == len(schema.target.classes) else tuple(known.tolist())

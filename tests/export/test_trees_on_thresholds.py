"""Exported trees answer as their library does where rows lie on the thresholds themselves, and one row at a time."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LinearRegression

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnxruntime

from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.exporting import TreeSum
from glassbench.errors import RunError
from glassbench.export.arrays_to_onnx import INPUTS, arrays_to_onnx
from glassbench.export.estimators import as_arrays, estimator_arrays
from glassbench.testing import toy_data
from glassbench_plugins.tabular.sklearn_estimators import estimator_named

SKLEARN = [
    ("DecisionTree", {}),
    ("RandomForest", {"n_estimators": 90}),
    ("ExtraTrees", {"n_estimators": 90}),
    ("HistGradientBoosting", {"max_iter": 90, "min_samples_leaf": 2}),
    ("GradientBoosting", {"n_estimators": 90}),
]


def fitted(name, kind, settings):
    """Return a model and the schema it was made for; its training rows hold few distinct numbers, so that thresholds meet."""
    schema = toy_data(kind).schema
    rng = np.random.default_rng(4)
    rows = rng.integers(-6, 7, (400, schema.shape[0])).astype(np.float32) / np.float32(3)
    noisy = rows[:, 0] - rows[:, 1] ** 2 + rng.normal(0, 0.7, 400)
    classes = len(schema.target.classes)
    target = np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes)) if classes else noisy.astype(np.float32)
    if name in ("lightgbm", "xgboost"):
        pytest.importorskip(name)
        from glassbench_plugins.boosting.lightgbm_model import lightgbm_model
        from glassbench_plugins.boosting.xgboost_model import xgboost_model

        make = {"lightgbm": lightgbm_model, "xgboost": xgboost_model}[name]
        return make(schema, n_estimators=90).fit(rows, target), schema
    name = f"{name}{'Classifier' if classes else 'Regressor'}"
    estimator = estimator_named({"estimator": name})(schema, estimator=name, **settings).fit(rows, target)
    return EstimatorModule(estimator, classes=classes or None), schema


def on_thresholds(trees: TreeSum, width: int) -> np.ndarray:
    """Return rows of thresholds, the numbers of single precision next to them, zeros of both signs, and the largest numbers."""
    told = np.concatenate([tree.threshold[~tree.leaf] for tree in trees.trees]).astype(np.float32)
    beside = [np.nextafter(told, np.float32(end)) for end in (-np.inf, np.inf)]
    far = np.array([0.0, -0.0, 1e-38, -1e-45, 1e30, -1e30], dtype=np.float32)
    pool = np.unique(np.concatenate([told, *beside])).tolist() + far.tolist()
    return np.random.default_rng(0).choice(np.array(pool, dtype=np.float32), (10_000, width))


@pytest.mark.parametrize(("name", "settings"), [*SKLEARN, ("lightgbm", {}), ("xgboost", {})])
@pytest.mark.parametrize("kind", ["class", "value"])
def test_rows_on_the_thresholds_fall_on_the_same_side(name, settings, kind):
    model, schema = fitted(name, kind, settings)
    trees, width = as_arrays(model, schema), int(schema.shape[0])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(arrays_to_onnx(trees, width).SerializeToString(), options)
    rows = on_thresholds(trees, width)
    found = session.run(None, {INPUTS: rows})[0]
    expected = model(torch.from_numpy(rows)).numpy()
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)
    single = np.concatenate([session.run(None, {INPUTS: row[None]})[0] for row in rows[:200]])
    np.testing.assert_array_equal(single, found[:200])


def test_the_exponential_loss_is_told():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(300, 2)).astype(np.float32)
    truth = (rows[:, 0] > 0.3).astype(int)
    schema = toy_data("class").schema
    estimator = GradientBoostingClassifier(loss="exponential", n_estimators=20).fit(rows, truth)
    answered = arrays_to_onnx(estimator_arrays(estimator, schema), 2).SerializeToString()
    logarithms = onnxruntime.InferenceSession(answered).run(None, {INPUTS: rows})[0]
    np.testing.assert_allclose(np.exp(logarithms), estimator.predict_proba(rows), atol=1e-6)


def test_a_start_that_depends_on_the_row_is_refused():
    rows = np.random.default_rng(1).normal(size=(50, 2))
    estimator = GradientBoostingRegressor(init=LinearRegression(), n_estimators=2).fit(rows, rows[:, 0])
    with pytest.raises(RunError, match="starts from another estimator"):
        estimator_arrays(estimator, toy_data("value").schema)

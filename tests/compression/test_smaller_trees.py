"""Fewer, shallower and shorter trees, against scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

pytest.importorskip("onnxruntime")

from glassbench.compressing.onnx_network import OnnxNetwork
from glassbench.contracts.exporting import TreeSum
from glassbench.export.arrays_to_onnx import arrays_to_onnx
from glassbench.export.estimators import estimator_arrays
from glassbench.testing import toy_data
from glassbench_plugins.compression.fewer_trees import FewerTrees, cut_tree
from glassbench_plugins.compression.float32 import rounded_down

ROWS, CLASSES = make_classification(500, 6, n_informative=4, n_classes=3, random_state=0)
ROWS = ROWS.astype(np.float32)


def answers(arrays: TreeSum) -> np.ndarray:
    return OnnxNetwork(arrays_to_onnx(arrays, 6).SerializeToString()).run(ROWS)


def test_boosting_with_fewer_trees_is_the_model_after_so_many_rounds() -> None:
    boosted = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(ROWS, CLASSES)
    kept = FewerTrees(share=0.3)._kept(estimator_arrays(boosted, toy_data(classes=3).schema))
    assert len(kept.trees) == 18
    wanted = list(boosted.staged_predict_proba(ROWS))[5]
    np.testing.assert_allclose(np.exp(answers(kept)), wanted, atol=1e-6)


def test_a_smaller_forest_is_the_mean_of_its_first_trees() -> None:
    forest = RandomForestRegressor(10, random_state=0).fit(ROWS, CLASSES.astype(float))
    kept = FewerTrees(share=0.4)._kept(estimator_arrays(forest, toy_data("value").schema))
    wanted = np.mean([each.predict(ROWS) for each in forest.estimators_[:4]], axis=0)
    np.testing.assert_allclose(answers(kept)[:, 0], wanted, atol=1e-6)


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_a_cut_tree_is_the_shallow_tree_that_scikit_learn_learns(depth: int) -> None:
    deep = DecisionTreeRegressor(random_state=0).fit(ROWS, CLASSES.astype(float))
    shallow = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(ROWS, CLASSES.astype(float))
    arrays = estimator_arrays(deep, toy_data("value").schema)
    cut = cut_tree(arrays.trees[0], depth, ROWS.astype(np.float64))
    assert int(cut.leaf.sum()) == shallow.get_n_leaves()
    made = TreeSum(trees=(cut,), outputs=arrays.outputs, start=arrays.start)
    np.testing.assert_allclose(answers(made)[:, 0], shallow.predict(ROWS), atol=1e-6)


def test_rounded_thresholds_send_every_number_of_32_bits_where_it_went() -> None:
    chance = np.random.default_rng(0)
    near = chance.normal(size=2000).astype(np.float32)
    thresholds = np.concatenate([near.astype(np.float64), near + chance.normal(size=2000) * 1e-9])
    numbers = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))])
    plain = numbers[:, None].astype(np.float64) <= thresholds
    assert (plain == (numbers[:, None] <= rounded_down(thresholds))).all()

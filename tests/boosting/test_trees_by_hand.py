"""A booster's table, its weights and its trees, on a few rows by hand: missing numbers, unknown categories, exact thresholds."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from glassbench.contracts.estimator import HeldOutRows
from glassbench.contracts.exporting import Tree
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench_plugins.boosting.encoded_trees import AskedColumns
from glassbench_plugins.boosting.lightgbm_model import lightgbm_model
from glassbench_plugins.boosting.lightgbm_trees import lightgbm_trees
from glassbench_plugins.boosting.tree_columns import TreeColumns, balanced_weights
from glassbench_plugins.boosting.xgboost_model import xgboost_model
from glassbench_plugins.boosting.xgboost_trees import without_answers, xgboost_trees

BOTH = pytest.mark.parametrize("make", [lightgbm_model, xgboost_model])
HEIGHT = Feature(name="height", columns=(0, 1))
COLOUR = Feature(name="colour", kind="category", columns=(2, 3, 4), categories=("a", "b", "c"))
PLAIN = Feature(name="plain", columns=(5,))
FEATURES = (HEIGHT, COLOUR, PLAIN)
TWO = Target(name="y", kind="class", classes=("no", "yes"), positive="yes")


def schema(target: Target = TWO, features: tuple[Feature, ...] = FEATURES, width: int = 6) -> Schema:
    return Schema(modality="table", shape=(width,), target=target, features=features)


def encoded(height: float | None, colour: str | None = "a", plain: float = 0.0) -> list[float]:
    """Return an encoded row: 7 stands where the height is missing, and no column where the colour is unknown."""
    number = [7.0, 1.0] if height is None else [height, 0.0]
    return [*number, *(float(name == colour) for name in "abc"), plain]


def answers(trees: list[Tree], columns: AskedColumns, rows: list[list[float]]) -> list[float]:
    asked = np.array(rows, dtype=np.float64) @ columns.weights()
    found = np.zeros(len(rows))
    for tree in trees:
        for place, row in enumerate(asked):
            node = 0
            while not tree.leaf[node]:
                node = int((tree.left if row[tree.feature[node]] <= tree.threshold[node] else tree.right)[node])
            found[place] += tree.value[node, 0]
    return found.tolist()


def test_a_table_has_a_column_for_each_input_and_nothing_where_a_cell_is_missing_or_unknown():
    columns = TreeColumns.of(schema())
    rows = np.array([encoded(2.0, "c", 5.0), encoded(None, "a"), encoded(-1.0, None)])
    expected = [[2.0, 2.0, 5.0], [np.nan, 0.0, 0.0], [-1.0, np.nan, 0.0]]
    np.testing.assert_array_equal(columns.table(rows), np.array(expected, dtype=np.float32))
    assert columns.categories == [1]
    named = TreeColumns((Feature(name="a b", columns=(0,)), Feature(name="a-b", columns=(1,)), Feature(name="a_b", columns=(2,))))
    assert named.names == ["a_b", "a_b_", "a_b__"]


@pytest.mark.parametrize(("positive", "expected"), [("yes", [1, 0, -1]), (None, [1, 0, -1]), ("no", [-1, 0, 1])])
def test_constraints_are_on_the_positive_class(positive, expected):
    target = Target(name="y", kind="class", classes=("no", "yes"), positive=positive)
    asked = {"height": "increasing", "plain": "decreasing"}
    assert TreeColumns.of(schema(target)).constraints(asked, schema(target)) == expected
    value = Target(name="y", kind="value")
    assert TreeColumns.of(schema(value)).constraints(asked, schema(value)) == [1, 0, -1]


def test_balanced_weights_give_every_class_that_is_there_as_much():
    target = np.array([0, 0, 0, 2, 2, 2, 2])
    plain = balanced_weights(target, None)
    assert plain.tolist() == pytest.approx([7 / 6] * 3 + [7 / 8] * 4)
    weights = np.array([2.0, 1.0, 0.0, 0.5, 0.5, 1.0, 1.0])
    found = balanced_weights(target, weights)
    assert found.tolist() == pytest.approx([2.0, 1.0, 0.0, 0.5, 0.5, 1.0, 1.0])  # three either way already
    doubled = balanced_weights(target, np.where(target == 2, 2 * weights, weights))
    assert (doubled[:3].sum(), doubled[3:].sum()) == pytest.approx((4.5, 4.5))
    assert balanced_weights(target, np.where(target == 2, 0.0, 1.0)).tolist() == [1, 1, 1, 0, 0, 0, 0]


def table_of(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    inputs = chance.normal(size=(rows, 2)).astype(np.float32)
    target = (inputs[:, 0] + chance.normal(size=rows) > 0.8).astype(np.int64)
    return inputs, target, chance.uniform(0.2, 4, rows)


@pytest.mark.parametrize("balanced", [False, True])
@BOTH
def test_recorded_losses_are_those_of_rows_by_their_weights(make, balanced):
    (rows, target, weights), (held, truth, counted) = table_of(200, 0), table_of(90, 1)
    counted = np.where(truth == 1, counted, 0.3 * counted)
    lines: list[dict] = []
    asked = schema(features=(), width=2)
    model = make(asked, n_estimators=4, class_weight="balanced" if balanced else None)
    model.fit(rows, target, weights, validation=HeldOutRows(held, truth, counted), record=lines.append, seed=1)
    for name, inputs, known, by in (("train", rows, target, weights), ("validation", held, truth, counted)):
        chance = model(torch.from_numpy(inputs)).double().softmax(1)[:, 1].numpy()
        expected = log_loss(known, chance, sample_weight=balanced_weights(known, by) if balanced else by)
        assert lines[-1][f"{name}_loss"] == pytest.approx(expected, rel=1e-5)
        assert abs(expected - log_loss(known, chance)) > 1e-3
    assert [(line["epoch"], line["step"]) for line in lines] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert model.facts["stopped"] == "all rounds were boosted"


@BOTH
def test_a_boosting_that_could_stop_early_and_did_not_says_so(make):
    (rows, target, _), (held, truth, _) = table_of(200, 0), table_of(90, 1)
    model = make(schema(features=(), width=2), n_estimators=2, early_stopping=9, learning_rate=0.05)
    model.fit(rows, target, validation=HeldOutRows(held, truth, None))
    assert model.facts["iterations"] == 2
    assert model.facts["stopped"] == "all rounds were boosted"


def by_lightgbm(feature: int, threshold: object, rows: list[list[float]], **said) -> list[float]:
    """Return what one split of LightGBM answers, 1 on the left and 2 on the right."""
    leaves = {"left_child": {"leaf_value": 1.0}, "right_child": {"leaf_value": 2.0}}
    usual = {"decision_type": "<=", "default_left": True, "missing_type": "NaN"}
    root = {"split_feature": feature, "threshold": threshold, **usual, **said, **leaves}
    columns = AskedColumns(6)
    return answers(lightgbm_trees({"tree_info": [{"tree_structure": root}]}, FEATURES, columns), columns, rows)


@pytest.mark.parametrize(
    ("said", "threshold", "missing"),
    [
        ({"default_left": True}, 1.5, 1),
        ({"default_left": False}, 1.5, 2),
        ({"missing_type": "None", "default_left": False}, 1.5, 1),  # counts as 0
        ({"missing_type": "None", "default_left": True}, -1.5, 2),
        ({"missing_type": "None", "default_left": True}, 0.0, 1),
        ({"default_left": True}, -1.5, 1),
    ],
)
def test_a_missing_number_goes_where_its_split_of_lightgbm_says_or_counts_as_nothing(said, threshold, missing):
    rows = [encoded(None), encoded(threshold), encoded(threshold + 0.5), encoded(threshold - 0.5)]
    assert by_lightgbm(0, threshold, rows, **said) == [missing, 1, 2, 1]


def test_numbers_next_to_nothing_are_nothing_to_lightgbm():
    tiny = float(np.float32(1e-35))
    heights = [-3e-35, -tiny, -1e-36, 0.0, 1e-36, tiny, 3e-35]
    rows = [encoded(height) for height in heights]
    assert by_lightgbm(0, 1e-36, rows) == [1, 1, 1, 1, 1, 1, 2]
    assert by_lightgbm(0, -1e-36, rows) == [1, 2, 2, 2, 2, 2, 2]
    assert by_lightgbm(0, 2e-35, rows) == [1, 1, 1, 1, 1, 1, 2]


def test_categories_of_lightgbm_go_left_where_they_are_named_and_unknown_ones_right():
    rows = [encoded(0.0, colour) for colour in ("a", "b", "c", None)]
    assert by_lightgbm(1, "0||2", rows, decision_type="==") == [1, 2, 1, 2]
    assert by_lightgbm(1, "1", rows, decision_type="==") == [2, 1, 2, 2]


def told_by_xgboost(feature: int, condition: float, *, default_left: bool, right: tuple[int, ...] = ()) -> dict:
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_conditions": [condition, 1.0, 2.0],
        "split_indices": [feature, 0, 0],
        "default_left": [int(default_left), 0, 0],
        "split_type": [int(bool(right)), 0, 0],
        "categories": [9, *right],
        "categories_nodes": [0] if right else [],
        "categories_segments": [1] if right else [],
        "categories_sizes": [len(right)] if right else [],
    }
    return {"learner": {"gradient_booster": {"model": {"trees": [tree]}}}}


def by_xgboost(rows: list[list[float]], feature: int, condition: float, **said) -> list[float]:
    columns = AskedColumns(6)
    return answers(xgboost_trees(told_by_xgboost(feature, condition, **said), FEATURES, columns), columns, rows)


@pytest.mark.parametrize("default_left", [True, False])
def test_numbers_of_xgboost_go_left_below_their_threshold_and_missing_ones_where_it_says(default_left):
    rows = [encoded(None), encoded(0.5), encoded(0.25), encoded(0.75)]
    assert by_xgboost(rows, 0, 0.5, default_left=default_left) == [1 if default_left else 2, 2, 1, 2]


@pytest.mark.parametrize("default_left", [True, False])
def test_categories_of_xgboost_go_right_where_they_are_named_and_unknown_ones_where_it_says(default_left):
    rows = [encoded(0.0, colour) for colour in ("a", "b", "c", None)]
    missing = 1 if default_left else 2
    assert by_xgboost(rows, 1, 0.0, default_left=default_left, right=(0, 2)) == [2, 1, 2, missing]
    assert by_xgboost(rows, 1, 0.0, default_left=default_left, right=(1,)) == [1, 2, 1, missing]


def test_trees_without_answers_keep_their_splits():
    told = told_by_xgboost(0, 0.5, default_left=True)
    emptied = without_answers(told)
    assert emptied["learner"]["gradient_booster"]["model"]["trees"][0]["split_conditions"] == [0.5, 0.0, 0.0]
    assert told["learner"]["gradient_booster"]["model"]["trees"][0]["split_conditions"] == [0.5, 1.0, 2.0]


def test_columns_that_are_asked_twice_are_one():
    columns = AskedColumns(6)
    first = [
        columns.number(HEIGHT, missing_left=True),
        columns.number(HEIGHT, missing_left=False),
        columns.number(PLAIN, missing_left=True),
    ]
    again = [columns.category(COLOUR, [2, 0]), columns.category(COLOUR, [0, 2]), columns.number(PLAIN, missing_left=False)]
    assert (first, again) == ([0, 1, 2], [3, 3, 2])
    assert columns.weights()[:, 3].tolist() == [0, 0, 1, 0, 1, 0]

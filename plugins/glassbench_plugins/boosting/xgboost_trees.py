"""XGBoost's trees as arrays over sums of encoded rows."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.exporting import Tree
from glassbench.contracts.schema import Feature
from glassbench_plugins.boosting.encoded_trees import AskedColumns, GrownTree

_CATEGORY = 1
"""How XGBoost's files mark a split of categories."""


def xgboost_trees(content: Mapping[str, Any], features: Sequence[Feature], columns: AskedColumns) -> list[Tree]:
    """Return the trees of XGBoost's JSON file, in the order in which they are added.

    A number goes left below its threshold, a category right where it is among those of its split. Thresholds and values are in
    single precision, in which XGBoost adds them.

    Args:
        content: The file.
        features: The columns of the library's table.
        columns: Takes what the trees ask.
    """
    return [_tree(each, features, columns) for each in content["learner"]["gradient_booster"]["model"]["trees"]]


def without_answers(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return XGBoost's JSON file with leaves that answer 0, so that the library itself says what the sums of trees start from."""
    emptied = copy.deepcopy(dict(content))
    for tree in emptied["learner"]["gradient_booster"]["model"]["trees"]:
        sides = zip(tree["left_children"], tree["split_conditions"], strict=True)
        tree["split_conditions"] = [0.0 if left < 0 else told for left, told in sides]
    return emptied


def _tree(told: Mapping[str, Any], features: Sequence[Feature], columns: AskedColumns) -> Tree:
    grown, sets = GrownTree(columns, len(told["left_children"])), _sets(told)
    for node, (left, right) in enumerate(zip(told["left_children"], told["right_children"], strict=True)):
        condition = np.float32(told["split_conditions"][node])
        if left < 0:
            grown.leaf(node, float(condition))
            continue
        feature, goes_left = features[told["split_indices"][node]], bool(told["default_left"][node])
        if told["split_type"][node] == _CATEGORY:
            grown.category(node, feature, sets[node], right, left, missing=left if goes_left else right)
        else:
            below = float(np.nextafter(condition, np.float32(-np.inf)))
            grown.number(node, feature, below, left, right, missing_left=goes_left)
    return grown.tree(np.float32)


def _sets(told: Mapping[str, Any]) -> dict[int, set[int]]:
    """Return the categories that go right, by node."""
    starts, sizes = told["categories_segments"], told["categories_sizes"]
    parts = zip(told["categories_nodes"], starts, sizes, strict=True)
    return {int(node): set(map(int, told["categories"][start : start + size])) for node, start, size in parts}

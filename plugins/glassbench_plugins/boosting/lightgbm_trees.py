"""LightGBM's trees as arrays over sums of encoded rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.exporting import Tree
from glassbench.contracts.schema import Feature
from glassbench_plugins.boosting.encoded_trees import AskedColumns, GrownTree

_ZERO = float(np.float32(1e-35))
"""LightGBM takes numbers that are no larger than this for 0."""


def lightgbm_trees(dumped: Mapping[str, Any], features: Sequence[Feature], columns: AskedColumns) -> list[Tree]:
    """Return the trees of `lightgbm.Booster.dump_model()`, in the order in which they are added.

    A missing number goes where its split says; where a split knows none, it counts as 0. A category that is not known goes right.

    Args:
        dumped: What LightGBM says of the model.
        features: The columns of the library's table.
        columns: Takes what the trees ask.
    """
    return [_tree(each["tree_structure"], features, columns) for each in dumped["tree_info"]]


def _tree(root: Mapping[str, Any], features: Sequence[Feature], columns: AskedColumns) -> Tree:
    nodes, children = [root], list[tuple[int, int]]()
    for node in nodes:  # the list grows while it is gone through
        children.append((len(nodes), len(nodes) + 1))
        nodes += [node["left_child"], node["right_child"]] if "split_feature" in node else []
    grown = GrownTree(columns, len(nodes))
    for place, node in enumerate(nodes):
        if "split_feature" not in node:
            grown.leaf(place, float(node["leaf_value"]))
            continue
        (left, right), feature = children[place], features[int(node["split_feature"])]
        if node["decision_type"] == "==":
            chosen = {int(code) for code in str(node["threshold"]).split("||")}
            grown.category(place, feature, chosen, left, right, missing=right)
        else:
            threshold = float(node["threshold"])
            goes_left = bool(node["default_left"]) if node["missing_type"] == "NaN" else threshold >= 0
            grown.number(place, feature, _beside_zero(threshold), left, right, missing_left=goes_left)
    return grown.tree()


def _beside_zero(threshold: float) -> float:
    """Return the threshold that parts all numbers as this one parts them once those that count as 0 are 0."""
    if abs(threshold) > _ZERO:
        return threshold
    return _ZERO if threshold >= 0 else float(np.nextafter(-_ZERO, -np.inf))

"""Checks of XGBoost's JSON file before the library reads it: it follows the indices of trees unchecked."""

import json
from typing import Any

import xgboost

_ROOT = 2147483647
"""The parent of a tree's root."""

_LISTS = ("left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left", "split_type")


def check_xgboost_file(content: bytes, *, features: int, outputs: int) -> None:
    """Make sure that bytes are a model file of the installed XGBoost whose trees are trees.

    Args:
        content: The file.
        features: How many columns the model reads.
        outputs: How many trees a round has.

    Raises:
        ValueError: It is not; the message is one sentence.
    """
    try:
        model = json.loads(content)
        version, learner = model["version"], model["learner"]
        booster = learner["gradient_booster"]
        trees = booster["model"]["trees"]
        facts = learner["learner_model_param"]
        kind = booster["name"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("it is no whole model file of XGBoost") from error
    if not isinstance(version, list) or version[:1] != [int(xgboost.__version__.partition(".")[0])]:
        wrote = ".".join(map(str, version)) if isinstance(version, list) else "another version"
        raise ValueError(f"XGBoost {wrote} wrote it, and {xgboost.__version__} is installed")
    if kind != "gbtree" or not isinstance(trees, list) or len(trees) % outputs:
        raise ValueError("it holds no boosted trees, or not as many as it says")
    if facts.get("num_feature") != str(features) or int(facts.get("num_class", 0)) != (outputs if outputs > 1 else 0):
        raise ValueError("it is of other columns or classes than the model")
    for place, tree in enumerate(trees):
        if not _is_tree(tree, features):
            raise ValueError(f"tree {place} is no tree of {features} columns")


def _is_tree(tree: Any, features: int) -> bool:
    try:
        left, right, parents, split, *_ = lists = [tree[name] for name in _LISTS]
        nodes = int(tree["tree_param"]["num_nodes"])
        if nodes < 1 or {len(one) for one in lists} != {nodes} or parents[0] != _ROOT:
            return False
        for node, (a, b) in enumerate(zip(left, right, strict=True)):
            if (a == -1) != (b == -1):
                return False
            if a != -1 and not (0 <= split[node] < features and a != b and parents[a] == node == parents[b] and min(a, b) > 0):
                return False
        return _sets_fit(tree, nodes)
    except (KeyError, TypeError, ValueError, IndexError):
        return False


def _sets_fit(tree: Any, nodes: int) -> bool:
    """Whether the sets of categories that splits name are in the file."""
    where, starts, sizes, held = (tree[f"categories{end}"] for end in ("_nodes", "_segments", "_sizes", ""))
    asked = {node for node, kind in enumerate(tree["split_type"]) if kind == 1}
    fits = all(min(start, size) >= 0 and start + size <= len(held) for start, size in zip(starts, sizes, strict=True))
    return fits and len(where) == len(starts) and set(where) == asked and all(0 <= node < nodes for node in where)

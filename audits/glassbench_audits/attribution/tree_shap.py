"""Shapley values of sums of trees, exact for any number of features: interventional TreeSHAP, a baseline for each row."""

from collections.abc import Iterator
from math import factorial

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.exporting import Tree, TreeSum
from glassbench.contracts.schema import Schema
from glassbench.errors import GlassbenchError
from glassbench.export.estimators import as_arrays
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable
from glassbench_audits.attribution.method import Request

MOST_LEAVES = 20_000
"""Leaves up to which `auto` goes through all of them: each takes about 0.1 ms, whatever the number of rows."""

_NEAR = 1e-3
"""How far the explained output may lie from the sum of the trees, as a share of how far outputs lie apart."""

Path = list[tuple[int, bool]]


def tree_shap(request: Request) -> Tensor:
    """Return the Shapley values of each row's units, each element carrying its unit's.

    The worth of a set of units is the trees' sum where these are at the row's values and all others at the baseline's. A leaf is
    reached by a set that holds every unit which only the row's values lead there, and none which only the baseline's do; what
    that adds to each of them has a closed form (Lundberg et al. 2020, section "Interventional").

    Raises:
        Unexplainable: A tree asks for two units at once.
    """
    trees, rows = request.explained.trees, request.rows
    assert trees is not None
    given, compared = _asked(trees, rows.inputs), _asked(trees, request.baselines)
    units = _units(trees, request.mask)
    values = np.zeros((len(rows), int(request.mask.max()) + 1))
    for tree in trees.trees:
        _add(values, tree, units, given, compared)
    signed = values / trees.divide * _signs(trees, rows)[:, None]
    return torch.as_tensor(signed)[:, request.mask].to(torch.float64)


def additive_trees(explained: Explained, schema: Schema, rows: Rows) -> TreeSum | None:
    """Return the trees whose sum is what is explained; None where it is anything else.

    That is so of values, and of the log-odds of two classes where trees are boosted. A forest's log-odds are no sum of its trees.

    Args:
        explained: The model.
        schema: What the rows are.
        rows: Some rows to try it on.
    """
    if explained.floor is not None or rows.inputs.ndim != 2 or rows.others:
        return None
    try:
        found = as_arrays(explained.model, schema)
    except GlassbenchError:  # it cannot be told as arrays
        return None
    if not isinstance(found, TreeSum) or len(found.start) != 1 or found.link not in ("identity", "logistic", "log_odds"):
        return None
    if found.present is not None or (found.link == "identity" and found.classes is not None):
        return None
    outputs = explained.outputs(rows).double().numpy()
    apart = np.abs(_signs(found, rows) * _sums(found, rows.inputs) - outputs).max(initial=0.0)
    return found if apart <= _NEAR * (np.ptp(outputs) + 1e-9) else None


def leaves_of(trees: TreeSum) -> int:
    """Return how many leaves there are."""
    return sum(int(tree.leaf.sum()) for tree in trees.trees)


def _asked(trees: TreeSum, inputs: Tensor) -> np.ndarray:
    """Return the columns that trees ask, float64 `(n, columns)`."""
    rows: np.ndarray = inputs.detach().cpu().double().numpy()
    return rows if trees.asked is None else rows @ trees.asked


def _signs(trees: TreeSum, rows: Rows) -> np.ndarray:
    """Return 1 where the sum itself is explained, -1 where its negative is: the log-odds of the first of two classes."""
    if trees.link == "identity" or rows.target_index is None:
        return np.ones(len(rows))
    return np.where(rows.target_index.reshape(len(rows), -1)[:, -1].numpy() == 1, 1.0, -1.0)


def _units(trees: TreeSum, mask: Tensor) -> np.ndarray:
    """Return the unit that each asked column belongs to."""
    each: np.ndarray = mask.flatten().numpy()
    if trees.asked is None:
        return each
    found = [np.unique(each[np.flatnonzero(column)]) for column in trees.asked.T]
    if any(len(units) > 1 for units in found):
        raise Unexplainable("a tree asks for two features at once, so tree-shap cannot tell them apart")
    return np.array([int(units[0]) if len(units) else 0 for units in found], dtype=np.int64)


def _sums(trees: TreeSum, inputs: Tensor) -> np.ndarray:
    """Return the trees' sum `(n,)`."""
    asked = _asked(trees, inputs)
    total = np.full(len(asked), trees.start[0])
    for tree in trees.trees:
        total += _answers(tree, asked)
    return total / trees.divide


def _answers(tree: Tree, asked: np.ndarray) -> np.ndarray:
    at = np.zeros(len(asked), dtype=np.int64)
    while not tree.leaf[at].all():
        left = asked[np.arange(len(asked)), tree.feature[at]] <= tree.threshold[at]
        at = np.where(tree.leaf[at], at, np.where(left, tree.left[at], tree.right[at]))
    found: np.ndarray = tree.value[at, 0]
    return found


def _add(values: np.ndarray, tree: Tree, units: np.ndarray, given: np.ndarray, compared: np.ndarray) -> None:
    """Add what one tree gives to each unit `(n, units)`."""
    left_given, left_compared = (rows[:, tree.feature] <= tree.threshold for rows in (given, compared))
    for leaf, path in _paths(tree):
        by_unit: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for node, left in path:
            here = (left_given[:, node] == left, left_compared[:, node] == left)
            unit = int(units[tree.feature[node]])
            before = by_unit.get(unit)
            by_unit[unit] = here if before is None else (before[0] & here[0], before[1] & here[1])
        if by_unit:
            _credit(values, by_unit, float(tree.value[leaf, 0]))


def _credit(values: np.ndarray, by_unit: dict[int, tuple[np.ndarray, np.ndarray]], answer: float) -> None:
    """Credit a leaf's answer to the units on its path, each with whether the row's and the baseline's value lead there."""
    to_row, to_baseline = (np.stack([both[side] for both in by_unit.values()]) for side in (0, 1))
    needed, barred = to_row & ~to_baseline, to_baseline & ~to_row
    reached = (to_row | to_baseline).all(axis=0)
    joined, absent = needed.sum(axis=0), barred.sum(axis=0)
    weights = _weights(len(by_unit))
    adds, takes = weights[joined, absent] * answer * reached, weights[absent, joined] * answer * reached
    values[:, list(by_unit)] += (needed * adds - barred * takes).T


def _weights(units: int) -> np.ndarray:
    """Return `(a - 1)! b! / (a + b)!` for a and b up to the number of units; 0 where a is 0."""
    found = np.zeros((units + 1, units + 1))
    for a in range(1, units + 1):
        for b in range(units + 1 - a):
            found[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
    return found


def _paths(tree: Tree) -> Iterator[tuple[int, Path]]:
    """Yield each leaf with the nodes that lead there, and whether each goes left."""
    waiting: list[tuple[int, Path]] = [(0, [])]
    while waiting:
        node, path = waiting.pop()
        if tree.leaf[node]:
            yield node, path
            continue
        waiting += [(int(tree.left[node]), [*path, (node, True)]), (int(tree.right[node]), [*path, (node, False)])]

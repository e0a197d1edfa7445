"""Isolation forests."""

from typing import Any

import numpy as np
import torch
from sklearn.ensemble import IsolationForest
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count
from glassbench_plugins.unsupervised.grown import Grown, flat


class Forest(Grown):
    """An isolation forest that scikit-learn grew, its trees as tables of nodes; it has no gradients.

    Args:
        trees: How many trees.
        rows_per_tree: Rows each tree is grown from, at most.
    """

    differentiable = False
    left: Tensor
    right: Tensor
    slot: Tensor
    split: Tensor
    length: Tensor
    normal: Tensor

    def __init__(self, *, trees: int, rows_per_tree: int) -> None:
        super().__init__()
        self.trees, self.rows_per_tree = trees, rows_per_tree
        self.grow("left", "right", "slot", "split", "length", "normal")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "Forest":
        """Grow the forest from rows `(n, ...)`."""
        vectors = flat(rows)
        found = IsolationForest(n_estimators=self.trees, max_samples=min(self.rows_per_tree, len(vectors))).fit(vectors)
        grown = [tree.tree_ for tree in found.estimators_]
        most = max(tree.node_count for tree in grown)
        self.keep(
            left=_padded([tree.children_left for tree in grown], most),
            right=_padded([tree.children_right for tree in grown], most),
            slot=_padded([np.maximum(tree.feature, 0) for tree in grown], most),
            split=_padded([tree.threshold for tree in grown], most),
            length=_padded([_lengths(tree) for tree in grown], most),
            normal=float(average_path(np.array([found.max_samples_]))[0]),
        )
        self.facts = {"trees": self.trees, "rows_per_tree": int(found.max_samples_)}
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to minus the score `(n,)`, float64."""
        return -self.score(inputs)

    def score(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to how easily each is isolated `(n,)`, float64: near 1 alone, below 0.5 amid others."""
        vectors = inputs.flatten(1).float().double()  # scikit-learn's trees read single precision
        trees = torch.arange(len(self.left), device=vectors.device)
        node = torch.zeros(len(vectors), len(trees), dtype=torch.long, device=vectors.device)
        while True:
            left = self.left[trees, node]
            inner = left >= 0
            if not bool(inner.any()):
                break
            value = vectors.gather(1, self.slot[trees, node])
            below = torch.where(value <= self.split[trees, node], left, self.right[trees, node])
            node = torch.where(inner, below, node)
        mean = self.length[trees, node].mean(dim=1)
        return torch.pow(2.0, -mean / self.normal)


def average_path(rows: np.ndarray) -> np.ndarray:
    """Return the mean depth of an unsuccessful search in a binary tree of so many rows (Liu et al. 2008)."""
    rows = np.asarray(rows, dtype=np.float64)
    safe = np.maximum(rows, 3)
    long = 2 * (np.log(safe - 1) + np.euler_gamma) - 2 * (safe - 1) / safe
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, long))


def _lengths(tree: Any) -> np.ndarray:
    """Return the path length that each node stands for: its depth, and what its rows would add."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # parents come before their children
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    return np.asarray(depth + average_path(tree.n_node_samples))


def _padded(columns: list[np.ndarray], most: int) -> np.ndarray:
    return np.stack([np.pad(column, (0, most - len(column)), constant_values=-1) for column in columns])


def isolation_forest(schema: Schema, *, trees: Count = 100, rows_per_tree: Count = 256) -> Forest:
    """An isolation forest (Liu, Ting and Zhou 2008), as scikit-learn grows it: unusual rows are cut off early.

    Args:
        schema: What the rows are.
        trees: How many trees.
        rows_per_tree: Rows each tree is grown from, at most.
    """
    return Forest(trees=trees, rows_per_tree=rows_per_tree)

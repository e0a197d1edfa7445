"""Forests and boosting with fewer and shallower trees."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.contracts.exporting import Tree, TreeSum
from glassbench.errors import RunError
from glassbench.stats.settings_types import Count, PositiveShare

_STEPS = (0.5, 0.25, 0.1, 0.05, 0.02)
"""Shares of the trees that are tried in turn where a file has to fit."""

_ROWS = 20_000
"""Training rows that say how much each branch below a cut counts."""


@dataclass(frozen=True, kw_only=True)
class FewerTrees(Compression):
    """Keeps the first trees of a forest or of boosting, and cuts them at a depth; nothing is learnt anew.

    Trees of a forest are drawn alike, so that the first are as good as any, and their mean is taken over those that stay. Trees
    of boosting come in the order in which they were learnt; those that stay are the model as it was so many rounds earlier.
    Where a tree is cut, its branch answers with the mean of its leaves, weighted by the training rows that reach them.

    Args:
        share: The share of the trees that stay, at least one for each output.
        depth: The most splits from the root to a leaf; None cuts nothing.
    """

    share: PositiveShare = 0.5
    depth: Count | None = None

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the trees that stay.

        Raises:
            RunError: The model has no trees, nothing would be left out, or trees are cut and there are no training rows.
        """
        trees = source.arrays
        if not isinstance(trees, TreeSum) or not trees.trees:
            raise RunError("this serves forests and boosting, and the model has no trees", fix="use half, int8 or distilled")
        kept = self._kept(trees)
        cut = kept if self.depth is None else replace(kept, trees=_cut(kept, self.depth, source))
        sizes = [sum(int(tree.leaf.sum()) for tree in one.trees) for one in (trees, cut)]
        if sizes[0] == sizes[1]:
            got = f"{len(trees.trees)} trees of {sizes[0]:,} leaves"
            raise RunError("no tree would be smaller", got=got, fix="write a smaller share, or a depth")
        facts = {"original": len(trees.trees), "trees": len(cut.trees), "leaves": sizes, "depth": self.depth}
        return Compressed(arrays=cut, trained=True, facts=facts)

    def _kept(self, trees: TreeSum) -> TreeSum:
        """Return the first trees, whole rounds of them."""
        each = 1 if len(trees.outputs[0]) == len(trees.start) else len(trees.start)
        rounds = max(1, round(self.share * len(trees.trees) / each))
        count = min(rounds * each, len(trees.trees))
        divide = trees.divide * count / len(trees.trees) if trees.divide != 1 else 1.0
        return replace(trees, trees=trees.trees[:count], outputs=trees.outputs[:count], divide=divide)

    def harder(self) -> Compression | None:
        """Return the next smaller share."""
        return next((replace(self, share=share) for share in _STEPS if share < self.share), None)

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how many trees and leaves are left."""
        before, after = facts["leaves"]
        cut = "" if facts["depth"] is None else f", cut at a depth of {facts['depth']}"
        return f"{facts['trees']:,} of {facts['original']:,} trees are left{cut}, with {after:,} of {before:,} leaves."


def _cut(trees: TreeSum, depth: int, source: CompressionSource) -> tuple[Tree, ...]:
    """Return the trees cut at a depth."""
    sample = source.sample(_ROWS)
    if not sample:
        raise RunError("cut branches answer with the mean of their training rows, and there are none", fix="leave out the depth")
    rows = sample[0].numpy(force=True).astype(np.float64)
    asked = rows if trees.asked is None else rows @ trees.asked
    return tuple(cut_tree(tree, depth, asked) for tree in trees.trees)


def cut_tree(tree: Tree, depth: int, rows: np.ndarray) -> Tree:
    """Return a tree whose nodes at a depth are leaves.

    Args:
        tree: The tree.
        depth: The most splits from the root to a leaf.
        rows: What its nodes ask, `(n, columns)`; branches answer with the mean over the rows that reach them, one that none
            reaches with the mean of its leaves.
    """
    level, counts = _levels(tree), _reached(tree, rows).astype(np.float64)
    value = np.array(tree.value, dtype=np.float64)
    for node in np.argsort(-level, kind="stable"):
        if not tree.leaf[node] and level[node] >= depth:
            sides = [tree.left[node], tree.right[node]]
            held = counts[sides] if counts[sides].sum() > 0 else np.ones(2)
            value[node] = np.average(value[sides], axis=0, weights=held)
    return _without_orphans(
        replace(tree, leaf=tree.leaf | (level >= depth), value=value.astype(tree.value.dtype)), level <= depth
    )


def _levels(tree: Tree) -> np.ndarray:
    """Return how many splits lie above each node `(nodes,)`."""
    level, waiting = np.zeros(len(tree.leaf), dtype=np.int64), [0]
    while waiting:
        node = waiting.pop()
        if not tree.leaf[node]:
            sides = [int(tree.left[node]), int(tree.right[node])]
            level[sides] = level[node] + 1
            waiting += sides
    return level


def _reached(tree: Tree, rows: np.ndarray) -> np.ndarray:
    """Return how many rows reach each node `(nodes,)`."""
    at, counts = np.zeros(len(rows), dtype=np.int64), np.zeros(len(tree.leaf), dtype=np.int64)
    moving = np.arange(len(rows))
    while len(moving):
        counts += np.bincount(at[moving], minlength=len(counts))
        moving = moving[~tree.leaf[at[moving]]]
        nodes = at[moving]
        left = rows[moving, tree.feature[nodes]] <= tree.threshold[nodes]
        at[moving] = np.where(left, tree.left[nodes], tree.right[nodes])
    return counts


def _without_orphans(tree: Tree, kept: np.ndarray) -> Tree:
    """Return a tree without the nodes below its leaves."""
    place = np.cumsum(kept) - 1
    inner = ~tree.leaf[kept]
    left, right = (np.where(inner, place[np.where(inner, side[kept], 0)], 0) for side in (tree.left, tree.right))
    return Tree(
        feature=tree.feature[kept],
        threshold=tree.threshold[kept],
        left=left,
        right=right,
        leaf=tree.leaf[kept],
        value=tree.value[kept],
    )

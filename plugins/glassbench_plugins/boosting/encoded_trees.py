"""Trees over a library's table as trees over sums of encoded columns, so that a booster can be exported as arrays."""

from collections.abc import Collection, Mapping

import numpy as np

from glassbench.contracts.exporting import Tree
from glassbench.contracts.schema import Feature

_FAR = 1e308
"""What a missing number is put at, below or above every threshold: added to a number it hides it, and 0 times it adds nothing.

LightGBM's thresholds reach 1e300, which parts all numbers from those that are missing."""

_MIDDLE = 0.5
"""Between the 0 and 1 that say whether a category is among some."""


class AskedColumns:
    """The columns that trees ask, each a weighted sum of encoded columns; what is asked twice is one column.

    A missing number stands far below or far above all thresholds, as its split sends it left or right. A set of categories is the
    sum of their encoded columns: 1 where the row's is among them.

    Args:
        width: How many encoded columns there are.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._places: dict[tuple[tuple[int, float], ...], int] = {}

    def number(self, feature: Feature, *, missing_left: bool) -> int:
        """Return the column of a number."""
        weights = {feature.columns[0]: 1.0}
        if len(feature.columns) > 1:
            weights[feature.columns[1]] = -_FAR if missing_left else _FAR
        return self._place(weights)

    def category(self, feature: Feature, chosen: Collection[int]) -> int:
        """Return the column that says whether a row's category is among those chosen; one that is not known never is."""
        return self._place({feature.columns[code]: 1.0 for code in sorted(chosen) if code < len(feature.columns)})

    def weights(self) -> np.ndarray:
        """Return the weights of encoded columns in each asked one, float64 `(width, asked)`."""
        found = np.zeros((self._width, len(self._places)))
        for weights, place in self._places.items():
            for column, weight in weights:
                found[column, place] = weight
        return found

    def _place(self, weights: Mapping[int, float]) -> int:
        return self._places.setdefault(tuple(weights.items()), len(self._places))


class GrownTree:
    """One tree that is being told, node by node.

    Args:
        columns: What its nodes ask.
        nodes: How many nodes it has; the root is node 0.
    """

    def __init__(self, columns: AskedColumns, nodes: int) -> None:
        self.columns = columns
        self._feature, self._left, self._right = (np.zeros(nodes, dtype=np.int64) for _ in range(3))
        self._threshold, self._value = np.zeros(nodes), np.zeros(nodes)
        self._leaf = np.ones(nodes, dtype=bool)

    def leaf(self, node: int, value: float) -> None:
        """Tell what a leaf answers."""
        self._value[node] = value

    def number(self, node: int, feature: Feature, threshold: float, left: int, right: int, *, missing_left: bool) -> None:
        """Tell a split of a number: left where it is at most the threshold."""
        self._ask(node, self.columns.number(feature, missing_left=missing_left), threshold, left, right)

    def category(self, node: int, feature: Feature, chosen: Collection[int], inside: int, outside: int, *, missing: int) -> None:
        """Tell a split of a category: where its code is among those chosen, where not, and where a missing one goes."""
        if missing == outside:
            self._ask(node, self.columns.category(feature, chosen), _MIDDLE, outside, inside)
            return
        others = set(range(len(feature.columns))) - set(chosen)
        self._ask(node, self.columns.category(feature, others), _MIDDLE, inside, outside)

    def tree(self, precision: type[np.floating] = np.float64) -> Tree:
        """Return the tree as arrays, its values in the precision in which they are added."""
        return Tree(
            feature=self._feature,
            threshold=self._threshold,
            left=self._left,
            right=self._right,
            leaf=self._leaf,
            value=self._value[:, None].astype(precision),
        )

    def _ask(self, node: int, column: int, threshold: float, left: int, right: int) -> None:
        self._feature[node], self._threshold[node] = column, threshold
        self._left[node], self._right[node], self._leaf[node] = left, right, False

"""Estimators in 32-bit floating point."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.contracts.exporting import LinearMap, Tree, TreeSum
from glassbench.errors import RunError


@dataclass(frozen=True, kw_only=True)
class Float32(Compression):
    """Stores an estimator, which learnt in 64 bits, in 32-bit floating point (IEEE 754 binary32).

    Inputs are of 32 bits. A threshold is rounded down to the next number of 32 bits, so that each input goes the way that it went
    before; leaves and weights are rounded to the nearest, and sums are computed in 32 bits.
    """

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the arrays in 32 bits.

        Raises:
            RunError: The model is no estimator, or in 32 bits already.
        """
        arrays = source.arrays
        if arrays is None:
            raise RunError("this serves trees and linear models, and the model is a network", fix="use half or int8")
        learnt = [arrays.weight] if isinstance(arrays, LinearMap) else [tree.value for tree in arrays.trees]
        count = sum(one.size for one in learnt)
        if all(one.dtype == np.float32 for one in learnt):
            raise RunError("this estimator is stored in 32 bits already", got=f"{count:,} numbers")
        made = _linear(arrays) if isinstance(arrays, LinearMap) else replace(arrays, trees=tuple(map(_tree, arrays.trees)))
        return Compressed(arrays=made, facts={"numbers": count, "trees": isinstance(arrays, TreeSum)})

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how many numbers are stored in 32 bits."""
        if not facts["trees"]:
            return f"{facts['numbers']:,} weights are stored in 32 bits in place of 64."
        return f"Splits and {facts['numbers']:,} leaves are stored in 32 bits in place of 64; each split sends rows where it did."


def _linear(arrays: LinearMap) -> LinearMap:
    return replace(arrays, weight=arrays.weight.astype(np.float32), bias=np.asarray(arrays.bias).astype(np.float32))


def _tree(tree: Tree) -> Tree:
    return replace(tree, threshold=rounded_down(tree.threshold), value=tree.value.astype(np.float32))


def rounded_down(values: np.ndarray) -> np.ndarray:
    """Return the largest numbers of 32 bits that are not above values of 64 bits `(n,)`.

    Example:
        >>> [float(number) <= 0.1 for number in (rounded_down(np.array([0.1]))[0], np.float32(0.1))]
        [True, False]
    """
    near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)

"""How far two explanations order a row's units alike, and the explanations by other seeds and other methods."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from glassbench.contracts.estimator import differentiable
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer, sound
from glassbench_audits.attribution.method import MethodName
from glassbench_audits.attribution.methods import METHODS, unavailable

SEEDS = 3
ROUNDING = 1e-5
"""Share of the typical largest attribution that single precision does not settle."""
NEAR = 0.8
"""Share of the largest attribution from which a unit may be called first as well."""
SETTLED = 0.94
"""Agreement of two seeds from which more draws are not worth their time."""
_TRIED = 16
_LIGHT: tuple[MethodName, ...] = (
    "integrated-gradients",
    "deep-lift",
    "gradient-shap",
    "input-x-gradient",
    "feature-ablation",
    "kernel-shap",
)
_HEAVY: tuple[MethodName, ...] = ("integrated-gradients", "input-x-gradient", "feature-ablation")
_MOST_UNITS = 256
"""Units beyond which methods that switch each of them off are left out."""


def leading(units: int) -> int:
    """Return how many of a row's units count as its top: a third, at most five."""
    return max(1, min(5, units // 3))


def rounding(attributions: np.ndarray) -> float:
    """Return the difference below which attributions `(n, units)` of a network in single precision are the same number."""
    return float(ROUNDING * np.abs(attributions).max(axis=1).mean()) if attributions.size else 0.0


def overlap(a: np.ndarray, b: np.ndarray, k: int, tolerance: float = 0.0) -> np.ndarray:
    """Return the share of the k largest of `a` that are among the k largest of `b`, by size, `(n,)`.

    Args:
        a, b: Attributions `(n, units)`.
        k: How many count.
        tolerance: By how much an entry of `b` may miss its k largest and still count.

    Example:
        >>> overlap(np.array([[3.0, -2.0, 1.0]]), np.array([[3.0, 1.0, 2.0]]), 2).tolist()
        [0.5]
    """
    first, sizes = np.argsort(-np.abs(a), axis=1, kind="stable")[:, :k], np.abs(b)
    least = np.sort(sizes, axis=1)[:, -k][:, None] - tolerance
    shared: np.ndarray = (np.take_along_axis(sizes, first, axis=1) >= least).mean(axis=1) * _speak_alike(a, b)
    return shared


def first_shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return whether the largest of `a` is the largest of `b`, by size, or nearly, and the other way round, 0 or 1 `(n,)`.

    Example:
        >>> first_shared(np.array([[3.0, -2.9, 1.0]]), np.array([[2.0, 2.1, 0.1]])).tolist()
        [1.0]
    """
    x, y = np.abs(a), np.abs(b)
    met = [
        np.take_along_axis(other, one.argmax(axis=1)[:, None], axis=1)[:, 0] >= NEAR * other.max(axis=1)
        for one, other in ((x, y), (y, x))
    ]
    shared: np.ndarray = (met[0] | met[1]) * _speak_alike(a, b)
    return shared


def _speak_alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 0 where one attributes something and the other nothing, else 1 `(n,)`."""
    alike: np.ndarray = (a.any(axis=1) == b.any(axis=1)).astype(np.float64)
    return alike


def order_agreement(a: np.ndarray, b: np.ndarray, *, signed: bool = True) -> np.ndarray:
    """Return how far two explanations order each row's units alike, -1 to 1 `(n,)`: Kendall's tau by differences.

    Each pair of units counts by how far apart they are in both, in shares of the row's sum of sizes, so that units whose
    attributions differ by the noise of a method hardly count, and those that differ by rounding not at all. NaN where no pair
    is left.

    Args:
        a, b: Attributions `(n, units)`.
        signed: Whether to order attributions, or their sizes where one method gives no sign.

    Example:
        >>> order_agreement(np.array([[3.0, 1.0, 0.0]]), np.array([[3.0, 1.0, 1e-9]])).tolist()
        [1.0]
    """
    x, y = (a, b) if signed else (np.abs(a), np.abs(b))
    apart = [_differences(values, rounding(values)) for values in (x, y)]
    agreed = np.full(len(x), np.nan)
    for row in range(len(x)):
        one, other = (difference(row) for difference in apart)
        weight = np.abs(one) + np.abs(other)
        if weight.any():
            agreed[row] = (weight * np.sign(one) * np.sign(other)).sum() / weight.sum()
    return agreed


def _differences(values: np.ndarray, least: float) -> Callable[[int], np.ndarray]:
    """Return from a row to the differences of its pairs, in shares of the row's sum of sizes, 0 where below `least`."""

    def of(row: int) -> np.ndarray:
        held = values[row]
        apart = held[:, None] - held
        size = np.abs(held).sum()
        return np.where(np.abs(apart) > least, apart / size if size > 0 else 0.0, 0.0)

    return of


def reseeded(explainer: Explainer, rows: Rows) -> np.ndarray:
    """Return the attributions `(seeds, n, units)` of a method that draws at random, under other seeds."""
    return np.stack([replace(explainer, seed=explainer.seed + 1 + i).per_feature_group(rows) for i in range(SEEDS)])


def settled(explainer: Explainer, rows: Rows) -> Explainer:
    """Return the explainer with as many draws as another seed needs to order the units alike: up to eight times as many.

    A smooth model needs few coalitions; a tree, or a probability that jumps to 0 or 1, needs many.

    Args:
        explainer: How rows are explained.
        rows: A few rows to try it on.
    """
    few = rows.take(slice(0, _TRIED))
    for times in (4, 2):
        if not explainer.method.random or len(explainer.feature_groups) < 2:
            break
        held, again = explainer.per_feature_group(few), replace(explainer, seed=explainer.seed + 1).per_feature_group(few)
        agreed = order_agreement(held, again)
        if not np.isfinite(agreed).any() or np.nanmean(agreed) >= SETTLED:
            break
        explainer = replace(explainer, samples=times * explainer.samples)
    return explainer


def by_other_methods(explainer: Explainer, rows: Rows) -> Mapping[MethodName, np.ndarray]:
    """Return the attributions `(n, units)` by each other method that fits the model and is sound on it, same baseline."""
    names = explainer.explained.affords(_LIGHT, _HEAVY, _HEAVY)
    found = {name: _attributed(explainer, name, rows) for name in names}
    return {name: values for name, values in found.items() if values is not None}


def _attributed(explainer: Explainer, name: MethodName, rows: Rows) -> np.ndarray | None:
    method, units = METHODS[name], len(explainer.feature_groups)
    gradients = differentiable(explainer.explained.model)
    if name == explainer.method.name or (not method.gradients and units > _MOST_UNITS):
        return None
    if name == "gradient-shap" and explainer.baseline.name == "contrast":  # it draws from one sample for all rows
        return None
    if unavailable(method, explainer.explained, rows.inputs, units, differentiable=gradients):
        return None
    if method.grouped and explainer.feature_groups.mask.shape != rows.inputs.shape[1:]:
        return None
    other, replaced = sound(replace(explainer, method=method, samples=method.samples or explainer.samples), rows)
    if replaced is not None:
        return None
    values = other.per_feature_group(rows)
    return values if np.isfinite(values).all() else None

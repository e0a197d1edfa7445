"""Do other seeds, and other methods, rank a row's units alike?"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from glassbench.estimator import differentiable
from glassbench_audits.explain.attribution import Explainer, sound
from glassbench_audits.explain.directions import rank_correlation
from glassbench_audits.explain.explained import HEAVY_PASS, Rows
from glassbench_audits.explain.method import MethodName
from glassbench_audits.explain.methods import METHODS, unavailable

SEEDS = 3
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


def overlap(a: np.ndarray, b: np.ndarray, k: int) -> np.ndarray:
    """Return the share of the k largest of `a` that are among the k largest of `b`, by size, `(n,)`.

    Example:
        >>> overlap(np.array([[3.0, -2.0, 1.0]]), np.array([[3.0, 1.0, 2.0]]), 2).tolist()
        [0.5]
    """
    marks = []
    for values in (a, b):
        order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :k]
        mark = np.zeros(values.shape, dtype=bool)
        np.put_along_axis(mark, order, True, axis=1)
        marks.append(mark)
    shared: np.ndarray = (marks[0] & marks[1]).sum(axis=1) / k
    return shared


def correlations(a: np.ndarray, b: np.ndarray, *, signed: bool = True) -> np.ndarray:
    """Return the rank correlation of each row's units `(n,)`: of attributions, or of their sizes where one has no sign.

    1 where neither varies, 0 where one does not.
    """
    x, y = (a, b) if signed else (np.abs(a), np.abs(b))
    found = rank_correlation(x, y, axis=1)
    flat = (np.ptp(x, axis=1) == 0) & (np.ptp(y, axis=1) == 0)
    return np.where(np.isfinite(found), found, np.where(flat, 1.0, 0.0))


def reseeded(explainer: Explainer, rows: Rows) -> np.ndarray:
    """Return the attributions `(seeds, n, units)` of a method that draws at random, under other seeds."""
    return np.stack([replace(explainer, seed=explainer.seed + 1 + i).per_unit(rows) for i in range(SEEDS)])


def by_other_methods(explainer: Explainer, rows: Rows) -> Mapping[MethodName, np.ndarray]:
    """Return the attributions `(n, units)` by each other method that fits the model and is sound on it, same baseline."""
    heavy = explainer.explained.pass_rows <= HEAVY_PASS
    found = {name: _attributed(explainer, name, rows) for name in (_HEAVY if heavy else _LIGHT)}
    return {name: values for name, values in found.items() if values is not None}


def _attributed(explainer: Explainer, name: MethodName, rows: Rows) -> np.ndarray | None:
    method, units = METHODS[name], len(explainer.units)
    gradients = differentiable(explainer.explained.model)
    if name == explainer.method.name or (not method.gradients and units > _MOST_UNITS):
        return None
    if unavailable(method, explainer.explained, rows.inputs, units, differentiable=gradients):
        return None
    if method.grouped and explainer.units.mask.shape != rows.inputs.shape[1:]:
        return None
    other, replaced = sound(replace(explainer, method=method, samples=method.samples or explainer.samples), rows)
    if replaced is not None:
        return None
    values = other.per_unit(rows)
    return values if np.isfinite(values).all() else None

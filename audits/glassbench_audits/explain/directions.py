"""In which direction a value pushes a decision."""

import numpy as np
from scipy.stats import rankdata

from glassbench_audits.explain.explained import Rows
from glassbench_audits.explain.units import Units

FEWEST_ROWS = 5
"""Rows from which a category's mean attribution is worth a word."""


def rank_correlation(a: np.ndarray, b: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return Spearman's rank correlation of `a` and `b` along `axis`; NaN where one of them does not vary."""
    ranks = [rankdata(values, axis=axis) for values in (a, b)]
    x, y = (r - r.mean(axis=axis, keepdims=True) for r in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: np.ndarray = (x * y).sum(axis=axis) / np.sqrt((x * x).sum(axis=axis) * (y * y).sum(axis=axis))
    return result


def directions(values: np.ndarray, attributions: np.ndarray, sides: np.ndarray | None) -> np.ndarray:
    """Return in which direction each unit pushes `(units,)`: 1 when higher values push up, -1 when down.

    Attributions speak of the output that each row's decision took. Rows that took the other one of two are therefore
    read with the opposite sign, each side is ranked on its own, and the sides are averaged by their rows.

    Args:
        values: Value of each unit, `(n, units)`, NaN where it has none.
        attributions: Attributions `(n, units)`.
        sides: 1 for rows explained on the side the direction speaks of, -1 for the other `(n,)`; None where no single
            side exists.
    """
    if sides is None:
        return np.full(attributions.shape[1], np.nan)
    total, weight = np.zeros(attributions.shape[1]), np.zeros(attributions.shape[1])
    for side in (1, -1):
        chosen = sides == side
        if chosen.sum() < 3:
            continue
        correlation = side * rank_correlation(values[chosen], attributions[chosen])
        known = np.isfinite(correlation)
        total[known] += chosen.sum() * correlation[known]
        weight[known] += chosen.sum()
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


def leading_categories(
    units: Units, rows: Rows, attributions: np.ndarray, sides: np.ndarray | None
) -> tuple[tuple[str, bool] | None, ...]:
    """Return for each unit the category that pushes most on average, and whether up; None for numbers.

    Args:
        units: The units.
        rows: The explained rows, tables only.
        attributions: Attributions `(n, units)`.
        sides: As for `directions`; where None, so is every answer.
    """
    if sides is None or rows.inputs.ndim != 2:
        return (None,) * len(units)
    encoded = rows.inputs.double().numpy()
    return tuple(
        _leading(encoded[:, list(feature.slots)], feature.categories, attributions[:, unit] * sides)
        if feature.kind == "category" and len(feature.categories) == len(feature.slots) > 1
        else None
        for unit, feature in enumerate(units.features)
    )


def _leading(marks: np.ndarray, categories: tuple[str, ...], pushes: np.ndarray) -> tuple[str, bool] | None:
    counts = marks.sum(axis=0)
    means = np.divide(pushes @ marks, counts, out=np.zeros(len(counts)), where=counts >= FEWEST_ROWS)
    most = int(np.abs(means).argmax())
    return (categories[most], bool(means[most] > 0)) if means[most] != 0 else None

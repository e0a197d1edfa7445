"""In which direction a value pushes a decision, and whether it is the same direction everywhere."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from glassbench.contracts.schema import Feature
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.response import Response

GRID = 9
"""Values that each number is given, from its 5 % to its 95 % quantile among the rows."""
MOST_ROWS = 256
"""Rows that are asked: of a direction that turns in 3 % of rows, fewer would often hold none."""
FEWEST_ROWS = 5
"""Rows from which a category is worth a word."""
NUMBERED = 1e-5
"""Share of the output's spread below which a change is rounding."""


def rank_correlation(a: np.ndarray, b: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return Spearman's rank correlation of `a` and `b` along `axis`; NaN where one of them does not vary."""
    ranks = [rankdata(values, axis=axis) for values in (a, b)]
    x, y = (r - r.mean(axis=axis, keepdims=True) for r in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: np.ndarray = (x * y).sum(axis=axis) / np.sqrt((x * x).sum(axis=axis) * (y * y).sum(axis=axis))
    return result


@dataclass(frozen=True, eq=False, kw_only=True)
class Direction:
    """Which way a unit pushes over a background of rows, all else as it is in each.

    Args:
        monotone: Of a number, the rises of the output minus its falls over both, -1 to 1, while the value grows; NaN where the
            output does not move, and of categories.
        raising: Share of the rows, of those where it does anything, in which the highest value gives more than the lowest, or
            in which the leading category gives more than the others.
        rows: How many rows those are.
        steps: Of a number, in how many rows the next higher values (1 % of the rows further on) give more, and in how many less.
        category: The category that pushes most on average, None of a number.
    """

    monotone: float = float("nan")
    raising: float = float("nan")
    rows: int = 0
    steps: tuple[int, int] = (0, 0)
    category: str | None = None

    @property
    def up(self) -> bool:
        """Whether it raises the output in at least half of the rows."""
        return self.raising >= 0.5

    @property
    def holding(self) -> int:
        """In how many rows it goes the way it goes in most."""
        return round(max(self.raising, 1 - self.raising) * self.rows) if self.rows else 0

    @property
    def against(self) -> int:
        """In how many rows the next higher values of a number go the other way."""
        return self.steps[1] if self.up else self.steps[0]


NOWHERE = Direction()


def direction_of(response: Response, unit: int, spread: float) -> Direction:
    """Return which way a unit pushes.

    Individual conditional expectation (Goldstein et al. 2015): every row is asked with other values of the unit.

    Args:
        response: The rows.
        unit: The unit.
        spread: How far the output typically moves, to tell changes from rounding.
    """
    feature = response.explainer.feature_groups.features[unit]
    if feature.categorical:
        return _of_category(response, unit, feature, NUMBERED * spread)
    donors = _donors(response.rows.inputs, list(feature.columns))
    if feature.categorical or len(donors) < 2:
        return NOWHERE
    asked = Response(explainer=response.explainer, rows=response.rows.take(_evenly(len(response.rows))))
    found = _of_curves(asked.curves(unit, donors), NUMBERED * spread)
    return found if not found.rows else replace(found, steps=_steps(response, unit, list(feature.columns), NUMBERED * spread))


def directions_of(explainer: Explainer, sided: Rows | None, attributions: np.ndarray, most: int) -> tuple[Direction, ...]:
    """Return which way each unit pushes, of the most important ones; nowhere for all others.

    Args:
        explainer: Says what a unit is.
        sided: Rows that all speak of one output; None where there are none, or units cannot be given other values.
        attributions: How much each unit moves each row `(n, units)`.
        most: How many units are looked at.
    """
    found = [NOWHERE] * attributions.shape[1]
    if sided is None:
        return tuple(found)
    size, spread = np.abs(attributions).mean(axis=0), float(explainer.explained.outputs(sided).double().std(correction=0))
    for unit in np.argsort(-size, kind="stable")[:most]:
        if size[unit] > 0:
            found[unit] = direction_of(Response(explainer=explainer, rows=sided), int(unit), spread)
    return tuple(found)


def _of_curves(curves: np.ndarray, least: float) -> Direction:
    """Return the direction of curves over growing values `(n, g)`; changes below `least` are none."""
    steps = np.diff(curves, axis=1)
    steps = np.where(np.abs(steps) > least, steps, 0.0)
    moved, net = np.abs(steps).sum(), steps.sum(axis=1)
    if moved == 0:
        return NOWHERE
    active = np.abs(net) > least
    raising = float((net[active] > 0).mean()) if active.any() else float("nan")
    return Direction(monotone=float(steps.sum() / moved), raising=raising, rows=int(active.sum()))


def _evenly(rows: int) -> Tensor:
    """Return the positions of the rows that are asked."""
    return torch.linspace(0, rows - 1, min(MOST_ROWS, rows)).long()


def _known(inputs: Tensor, columns: list[int]) -> Tensor:
    """Return the positions of rows that have a number.

    Its first encoded column holds its value; rows whose further encoded columns differ from the commonest lack it.
    """
    kinds = np.zeros(len(inputs), dtype=int)
    if columns[1:]:
        kinds = np.unique(inputs[:, columns[1:]].numpy(), axis=0, return_inverse=True)[1].reshape(-1)
    return torch.as_tensor(np.flatnonzero(kinds == np.bincount(kinds).argmax()))


def _steps(response: Response, unit: int, columns: list[int], least: float) -> tuple[int, int]:
    """Return in how many rows a step to the next higher values of a number gives more, and in how many less.

    A step goes from a row's own value to that of the row 1 % of the rows further on, and to the next value above where that is
    the same. It sees what the curves' few values pass over: a kink that a small part of the rows lie in.
    """
    have = _known(response.rows.inputs, columns)
    values = response.rows.inputs[have, columns[0]].numpy()
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    last = np.searchsorted(ranked, values, side="right") - 1
    onward = np.minimum(last + max(1, len(have) // 100), len(have) - 1)
    some = np.flatnonzero(ranked[onward] > values)
    some = some[_evenly(len(some)).numpy()]
    if not len(some):
        return 0, 0
    asked = Response(explainer=response.explainer, rows=response.rows.take(have[some]))
    donors = response.rows.inputs[have[order[onward[some]]]]
    moved = asked.exchanged((unit,), donors) - asked.exchanged((), donors)
    return int((moved > least).sum()), int((moved < -least).sum())


def _donors(inputs: Tensor, columns: list[int]) -> Tensor:
    """Return rows `(g, d)` whose values of a number lie evenly among those of the rows that have one, lowest first."""
    known = inputs[_known(inputs, columns)]
    order = known[:, columns[0]].argsort(stable=True)
    places = np.unique((np.linspace(0.05, 0.95, GRID) * (len(order) - 1)).round().astype(int))
    chosen = known[order[torch.as_tensor(places)]]
    fresh = torch.cat([torch.ones(1, dtype=torch.bool), chosen[1:, columns[0]] > chosen[:-1, columns[0]]])
    return chosen[fresh]


def _of_category(response: Response, unit: int, feature: Feature, least: float) -> Direction:
    columns = list(feature.columns)
    if len(feature.categories) != len(columns) or len(columns) < 2:
        return NOWHERE
    marks = response.rows.inputs[:, columns].double()
    common = [k for k in range(len(columns)) if marks[:, k].sum() >= FEWEST_ROWS]
    if len(common) < 2:
        return NOWHERE
    donors = torch.zeros(len(common), response.rows.inputs.shape[1], dtype=response.rows.inputs.dtype)
    donors[torch.arange(len(common)), torch.tensor(columns)[common]] = 1
    asked = Response(explainer=response.explainer, rows=response.rows.take(_evenly(len(response.rows))))
    curves = asked.curves(unit, donors)
    others = (curves.sum(axis=1, keepdims=True) - curves) / (len(common) - 1)
    pushes = np.where(np.abs(curves - others) > least, curves - others, 0.0)
    most = int(np.abs(pushes.mean(axis=0)).argmax())
    active = pushes[:, most] != 0
    if not active.any():
        return NOWHERE
    raising = float((pushes[active, most] > 0).mean())
    return Direction(raising=raising, rows=int(active.sum()), category=feature.categories[common[most]])

"""How often a class goes unlabelled where a model is certain of it, in one group beyond the others: logistic curves with a cap.

The share of a class rises with the score of a model that did not learn from the group. A true difference between groups moves
the curve or makes it flatter, and it still ends near where that of the others ends. Labels that are wrong on one side put a cap
on it: of the rows that the model is most certain of, a part is missing whatever the score. That is the four-parameter logistic
curve of item response theory (Barton and Lord 1981), one for the group and one for the others.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import chi2

from glassbench.stats.clusters import design_effect

_MOST = 0.6
"""The largest excess that is looked for."""

_BOUNDS = ((-8.0, 8.0), (0.05, 8.0), (-8.0, 8.0), (0.05, 8.0), (0.0, 0.45), (0.0, 0.45), (0.0, 0.35))
"""Of place and steepness among the others and in the group, floor of either curve, and what the others miss at the top."""

_STARTS = (0.01, 0.3)

_STEPS = 12
"""Halvings with which an end of the interval is found."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scored:
    """Rows with the score of a class.

    Args:
        score: Log-odds of the class by a model that learnt from no row of the group, nor from the row `(n,)`.
        labelled: Whether the row has the class as its label `(n,)`.
        group: Whether it is of the group `(n,)`.
        clusters: What each row belongs to `(n,)`.
    """

    score: np.ndarray
    labelled: np.ndarray
    group: np.ndarray
    clusters: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Excess:
    """What a group misses at the top of its curve beyond what the others miss.

    Args:
        share: Its share of the rows of the class.
        p: p-value of the share being at most what is let pass.
        wrong: The chance that each row of the group which lacks the label ought to have it; 0 elsewhere `(n,)`.
        curves: The parameters of both curves.
        design: By how much rows that hang together raise the variance.
    """

    share: float
    p: float
    wrong: np.ndarray
    curves: np.ndarray
    design: float


def excess(rows: Scored, tolerance: float) -> Excess:
    """Return the share of a class that is labelled otherwise in a group, beyond the same among the others.

    Args:
        rows: The rows.
        tolerance: The share that is let pass.
    """
    free = min((_fitted(rows, (0.0, _MOST), start) for start in _STARTS), key=lambda fit: fit[1])
    share = float(free[0][-1])
    chance, wrong = _chances(free[0], rows)
    whole = Excess(share=share, p=1.0, wrong=wrong, curves=free[0], design=design_effect(rows.labelled - chance, rows.clusters))
    return replace(whole, p=_p(whole, rows, tolerance)) if share > tolerance else whole


def limits(found: Excess, rows: Scored, p: float) -> tuple[float, float]:
    """Return the ends of the interval of the share by the likelihood along it: beyond them its one-sided p-value is below `p`."""
    worst = float(chi2.isf(2 * p, 1))
    ends = []
    for outer in (0.0, _MOST):
        inner, far = found.share, outer
        if _ratio(found, rows, outer) <= worst:
            ends.append(outer)
            continue
        for _ in range(_STEPS):
            middle = (inner + far) / 2
            inner, far = (middle, far) if _ratio(found, rows, middle) <= worst else (inner, middle)
        ends.append(inner)
    return ends[0], ends[1]


def _p(found: Excess, rows: Scored, share: float) -> float:
    return float(chi2.sf(_ratio(found, rows, share), 1) / 2)


def _ratio(found: Excess, rows: Scored, share: float) -> float:
    """Return the likelihood ratio statistic of a share against the one found."""
    best = _loss(found.curves, rows)[0]
    other = min(_fitted(rows, (share, share), share)[1], _fitted(rows, (share, share), share, near=found.curves)[1], key=float)
    return max(0.0, 2 * len(rows.score) * (other - best) / found.design)


def _fitted(rows: Scored, between: tuple[float, float], start: float, near: np.ndarray | None = None) -> tuple[np.ndarray, float]:
    """Return the most likely parameters with an excess within bounds, and their mean loss."""
    first = np.array([0.0, 1, 0, 1, 0.01, 0.01, 0.01]) if near is None else near[:-1]
    found = minimize(_loss, [*first, start], args=(rows,), jac=True, method="L-BFGS-B", bounds=(*_BOUNDS, between))
    return np.asarray(found.x), float(found.fun)


def _loss(curves: np.ndarray, rows: Scored) -> tuple[float, np.ndarray]:
    """Return the mean negative log-likelihood and its gradient `(8,)`."""
    mine, s = rows.group, rows.score
    rise, floor, missed = _curve(curves, rows)
    chance = np.clip(floor * (1 - rise) + (1 - missed) * rise, 1e-9, 1 - 1e-9)
    loss = -np.log(np.where(rows.labelled, chance, 1 - chance)).mean()
    slope = np.where(rows.labelled, -1 / chance, 1 / (1 - chance)) / len(s)
    along = slope * (1 - missed - floor) * rise * (1 - rise)
    low, high = slope * (1 - rise), -slope * rise
    parts = (along[~mine], (along * s)[~mine], along[mine], (along * s)[mine], low[~mine], low[mine], high, high[mine])
    return float(loss), np.array([part.sum() for part in parts])


def _curve(curves: np.ndarray, rows: Scored) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each row the logistic part, the floor, and what is missed at the top `(n,)`."""
    mine, (a, b, c, d, low, own, missed, more) = rows.group, curves
    rise = expit(np.where(mine, c + d * rows.score, a + b * rows.score))
    return rise, np.where(mine, own, low), np.where(mine, missed + more, missed)


def _chances(curves: np.ndarray, rows: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Return the chance of each row to have the label, and, in the group, of each that lacks it to be wrong `(n,)`."""
    rise, floor, missed = _curve(curves, rows)
    chance = floor * (1 - rise) + (1 - missed) * rise
    wrong = missed * rise / np.maximum(1 - chance, 1e-9)
    return chance, np.where(rows.group & ~rows.labelled, wrong, 0.0)

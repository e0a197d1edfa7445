"""The search for one threshold per group that makes rates alike at a bounded cost in accuracy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Constraint = Literal["demographic_parity", "equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity"]

RATES: Mapping[Constraint, str] = {
    "demographic_parity": "selection rates",
    "equalized_odds": "true and false positive rates",
    "true_positive_rate_parity": "true positive rates",
    "false_positive_rate_parity": "false positive rates",
}
"""What each constraint makes alike, in words."""

_CANDIDATES = 200
_TARGETS = {1: 401, 2: 61}
_BEYOND = 1.5
"""A threshold that no score reaches."""


@dataclass(frozen=True, eq=False)
class GroupScores:
    """Validation rows of one group.

    Args:
        score: Score of the positive class, float64 `(n,)`.
        truth: Whether the positive class is true, bool `(n,)`.
        plain: Whether it was decided before, bool `(n,)`.
        held: Weight of each row, float64 `(n,)`.
        chance: Probability that the positive class is true, float64 `(n,)`; None for what is true.
    """

    score: np.ndarray
    truth: np.ndarray
    plain: np.ndarray
    held: np.ndarray
    chance: np.ndarray | None = None

    @property
    def positive(self) -> np.ndarray:
        """Weight of each row as one of the positive class, float64 `(n,)`."""
        return np.asarray(self.held * (self.truth if self.chance is None else self.chance))

    @property
    def right(self) -> float:
        """Weight of the rows whose plain decision is right."""
        return float(np.where(self.plain, self.positive, self.held - self.positive).sum())


@dataclass(frozen=True, eq=False)
class _Curve:
    """What each candidate threshold of a group comes to: rates `(candidates, d)` and weight of right rows `(candidates,)`."""

    thresholds: np.ndarray
    rates: np.ndarray
    right: np.ndarray


def find_thresholds(
    groups: Sequence[GroupScores], constraint: Constraint, *, tolerance: float, accuracy_loss: float
) -> list[float]:
    """Return a threshold for each group.

    For each point that rates could take, each group takes the threshold whose rates are nearest to it. Of the combinations that
    keep the accuracy of the plain decisions within `accuracy_loss`, the most accurate with a gap of at most `tolerance` is
    taken, else the one with the smallest gap; where none keeps it, the most accurate.

    Args:
        groups: Validation rows of each group.
        constraint: Which rates are made alike.
        tolerance: The largest gap that counts as alike.
        accuracy_loss: How much accuracy may be given up.
    """
    if not groups:
        return []
    curves = [_curve(group, constraint) for group in groups]
    total = sum(float(group.held.sum()) for group in groups)
    plain = sum(group.right for group in groups) / total
    picks = np.stack([_nearest(curve) for curve in curves])
    rates = np.stack([curve.rates[pick] for curve, pick in zip(curves, picks, strict=True)])
    accuracy = sum(curve.right[pick] for curve, pick in zip(curves, picks, strict=True)) / total
    gaps = (rates.max(axis=0) - rates.min(axis=0)).max(axis=1)
    best = best_trade(accuracy, gaps, least=plain - accuracy_loss, tolerance=tolerance)
    return [float(curve.thresholds[pick[best]]) for curve, pick in zip(curves, picks, strict=True)]


def best_trade(accuracy: np.ndarray, gaps: np.ndarray, *, least: float, tolerance: float) -> int:
    """Return the place of the candidate that is taken.

    Of those that are at least as accurate as asked, that is the most accurate with a gap of at most `tolerance`, else the one
    with the smallest gap; where none is, the most accurate.

    Args:
        accuracy: Accuracy of each candidate `(n,)`.
        gaps: Gap of each candidate `(n,)`.
        least: Accuracy that is kept.
        tolerance: The largest gap that counts as alike.
    """
    affordable = accuracy >= least - 1e-12
    if not affordable.any():
        return int(np.argmax(accuracy))
    if (affordable & (gaps <= tolerance)).any():
        return int(np.argmax(np.where(affordable & (gaps <= tolerance), accuracy, -np.inf)))
    return int(np.lexsort((-accuracy, np.where(affordable, gaps, np.inf)))[0])


def _curve(group: GroupScores, constraint: Constraint) -> _Curve:
    """Return the rates of each candidate threshold: midpoints between scores, at most 200, and one that no score reaches."""
    order = np.argsort(group.score)
    score, positive, held = group.score[order], group.positive[order], group.held[order]
    edges = np.flatnonzero(np.diff(score)) + 1
    edges = edges[np.unique(np.linspace(0, len(edges) - 1, min(len(edges), _CANDIDATES)).astype(int))] if len(edges) else edges
    starts = np.concatenate([[0], edges, [len(score)]]).astype(int)
    middle = (score[edges - 1] + score[edges]) / 2
    thresholds = np.concatenate([[0.0], middle, [_BEYOND]])
    hit = _above(positive, starts)
    false = _above(held - positive, starts)
    positives, negatives = float(positive.sum()), float((held - positive).sum())
    all_rates = {
        "demographic_parity": [(hit + false) / (positives + negatives)],
        "equalized_odds": [false / negatives, hit / positives],
        "true_positive_rate_parity": [hit / positives],
        "false_positive_rate_parity": [false / negatives],
    }
    return _Curve(thresholds, np.stack(all_rates[constraint], axis=1), hit + negatives - false)


def _above(held: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the weight of the rows from each start on."""
    return np.asarray(held.sum() - np.concatenate([[0.0], np.cumsum(held)])[starts])


def _nearest(curve: _Curve) -> np.ndarray:
    """Return the candidate whose rates are nearest to each point of a grid `(points,)`; of equally near ones the best."""
    width = curve.rates.shape[1]
    axis = np.linspace(0, 1, _TARGETS[width])
    points = np.stack([part.ravel() for part in np.meshgrid(*[axis] * width, indexing="ij")], axis=1)
    distance = np.abs(points[:, None, :] - curve.rates[None]).max(axis=2)
    return np.asarray(np.argmin(distance - 1e-9 * curve.right / curve.right.max(), axis=1))

"""Rows of a choice between two classes, counted by score, outcome and group; rates at any threshold follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST = 10
"""Groups of fewer rows are left out: their counts would be single people's scores and outcomes."""

_FINE_FROM = 2_000
_COARSE, _FINE = 20, 100
_MOST_GROUPS = 30

RATES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "true_positive_rate": (("tp",), ("tp", "fn")),
    "false_negative_rate": (("fn",), ("tp", "fn")),
    "false_positive_rate": (("fp",), ("fp", "tn")),
    "precision": (("tp",), ("tp", "fp")),
    "false_omission_rate": (("fn",), ("fn", "tn")),
    "accuracy": (("tp", "tn"), ("tp", "fp", "fn", "tn")),
}
"""Shares of confusion cells: those counted, among which; the selection rate counts rows of unknown outcome too."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupCounts:
    """Rows of a group by bin of their score `(thresholds + 1,)`: actually positive, not positive, of unknown outcome.

    Bin b holds the scores that reach exactly b of the thresholds.
    """

    name: str
    positive: np.ndarray
    negative: np.ndarray
    unknown: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.positive.sum() + self.negative.sum() + self.unknown.sum())

    def cells(self, at: int) -> dict[str, int]:
        """Return the confusion cells at the threshold of a position, and `up`, `un`: rows of unknown outcome by prediction."""
        above = slice(at + 1, None)
        cells = {"tp": self.positive[above].sum(), "fp": self.negative[above].sum(), "up": self.unknown[above].sum()}
        cells |= {"fn": self.positive.sum() - cells["tp"], "tn": self.negative.sum() - cells["fp"]}
        return {name: int(count) for name, count in (cells | {"un": self.unknown.sum() - cells["up"]}).items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class Feature:
    """The groups of a sensitive feature; `left_out` names those that are too small, with their rows."""

    name: str
    groups: tuple[GroupCounts, ...]
    left_out: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ThresholdCounts:
    """Counts of all rows and of each feature's groups.

    Args:
        thresholds: Ascending; the run's own is among them.
        at: Position of the run's threshold.
        every: All rows.
        features: The sensitive features.
    """

    thresholds: np.ndarray
    at: int
    every: GroupCounts
    features: tuple[Feature, ...]


def run_threshold(score: np.ndarray, predicted: np.ndarray, stated: float | None) -> float | None:
    """Return the score from which the run predicted the positive class; None where its predictions follow no threshold.

    Args:
        score: Scores of the positive class `(n,)`.
        predicted: Whether it was predicted `(n,)`.
        stated: The threshold that the task was given, if any.

    Example:
        >>> run_threshold(np.array([0.2, 0.7]), np.array([False, True]), None)
        0.5
        >>> run_threshold(np.array([0.2, 0.7]), np.array([True, False]), None) is None
        True
    """
    below = float(score[~predicted].max(initial=-np.inf))
    above = float(score[predicted].min(initial=np.inf))
    for tried in (stated, 0.5, above):
        if tried is not None and below < tried <= above and np.isfinite(tried):
            return tried
    return None


def count_by_score(frame: pd.DataFrame, positive: str, stated: float | None) -> ThresholdCounts | None:
    """Count the rows of predictions between two classes.

    Args:
        frame: Columns `y_pred`, `score.<positive>`, `group.<feature>`, `y_true`, missing where an outcome is not known, and
            `frequency` where rows stand for several.
        positive: The positive class.
        stated: The threshold that the task was given, if any.

    Returns:
        The counts; None where scores are missing or lie outside 0 to 1, or predictions follow no threshold.
    """
    score = frame[f"score.{positive}"].to_numpy(dtype=float)
    if not len(score) or not ((score >= 0) & (score <= 1)).all():
        return None
    own = run_threshold(score, (frame["y_pred"].astype(str) == positive).to_numpy(), stated)
    if own is None:
        return None
    steps = _FINE if len(score) >= _FINE_FROM else _COARSE
    grid = np.arange(1, steps) / steps
    thresholds = np.array([*grid[grid < own - 1e-9], own, *grid[grid > own + 1e-9]])
    bins = np.searchsorted(thresholds, score, side="right")
    known = frame["y_true"].notna().to_numpy()
    outcome = np.where(known, np.where((frame["y_true"].astype(str) == positive).to_numpy(), 0, 1), 2)
    held = frame["frequency"].to_numpy() if "frequency" in frame else np.ones(len(frame), dtype=np.int64)
    columns = [name for name in frame.columns if name.startswith("group.")]
    features = [_feature(name.removeprefix("group."), frame[name], bins, outcome, held, len(thresholds)) for name in columns]
    return ThresholdCounts(
        thresholds=thresholds,
        at=int(np.searchsorted(thresholds, own)),
        every=_counts("all rows", bins, outcome, held, len(thresholds)),
        features=tuple(feature for feature in features if feature is not None),
    )


def _feature(name: str, values: pd.Series, bins: np.ndarray, outcome: np.ndarray, held: np.ndarray, count: int) -> Feature | None:
    codes, names = pd.factorize(values.astype("string").fillna("missing"), sort=True)
    if len(names) > _MOST_GROUPS:
        return None
    members = [codes == place for place in range(len(names))]
    groups = [_counts(str(group), bins[m], outcome[m], held[m], count) for group, m in zip(names, members, strict=True)]
    large = tuple(group for group in groups if group.rows >= LEAST)
    return Feature(name=name, groups=large, left_out=tuple((g.name, g.rows) for g in groups if g.rows < LEAST))


def _counts(name: str, bins: np.ndarray, outcome: np.ndarray, held: np.ndarray, count: int) -> GroupCounts:
    rows = [outcome == which for which in range(3)]
    found = [np.rint(np.bincount(bins[m], weights=held[m], minlength=count + 1)).astype(np.int64) for m in rows]
    return GroupCounts(name=name, positive=found[0], negative=found[1], unknown=found[2])

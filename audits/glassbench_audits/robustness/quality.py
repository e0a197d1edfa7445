"""How good decisions are before and after a change, row by row."""

from dataclasses import dataclass

import numpy as np

from glassbench.data import Split
from glassbench.intervals import Limits, bootstrap, wilson
from glassbench.subject import Subject


@dataclass(frozen=True, eq=False, kw_only=True)
class Quality:
    """How good each decision is.

    Args:
        rows: 1 where right (or kept), 0 where not; of values how far off, as a negative number `(n,)`.
        shares: Whether a mean is a share of rows.
        words: What the mean is called.
        usual: What a fall of the mean is held against: 1 of shares, the standard deviation of the unchanged decisions of values.
    """

    rows: np.ndarray
    shares: bool
    words: str
    usual: float = 1.0


def quality(subject: Subject, source: Split, before: np.ndarray | None = None) -> Quality:
    """Decide the rows, and compare with the truth; where it is not known, with the decisions `before`.

    Args:
        subject: What is examined.
        source: The rows, changed or not.
        before: The decisions on the unchanged rows `(n,)`; None for the unchanged rows themselves.
    """
    frame = subject.task.predict(subject.model, source).frame
    decided = frame["decision"].to_numpy()
    known = "truth" in frame and bool(frame["truth"].notna().all())
    truth = frame["truth"].to_numpy() if known else decided if before is None else before
    if subject.task.decision == "value":
        off = -np.abs(decided.astype(float) - truth.astype(float))
        usual = float((decided if before is None else before).astype(float).std())
        return Quality(rows=off, shares=False, words="mean absolute error" if known else "mean change", usual=usual or 1.0)
    right = np.asarray(decided.astype(str) == truth.astype(str), dtype=float)
    return Quality(rows=right, shares=True, words="accuracy" if known else "share of decisions kept")


def decisions(subject: Subject, source: Split) -> np.ndarray:
    """Return what is decided of each row `(n,)`."""
    return np.asarray(subject.task.predict(subject.model, source).frame["decision"].to_numpy())


def mean_limits(found: Quality, generator: np.random.Generator, level: float, units: np.ndarray | None) -> Limits:
    """Return the mean with Wilson's interval of a share of independent rows, else that of resampled rows or units."""
    n = len(found.rows)
    if found.shares and units is None:
        low, high = wilson(found.rows.sum(), np.array(n), level)
        return np.array(found.rows.mean()), low, high
    low, high = bootstrap(lambda w: w @ found.rows / np.maximum(w.sum(1), 1e-12), n, generator, level=level, units=units)
    return np.array(found.rows.mean()), np.asarray(low), np.asarray(high)


def drop_limits(
    before: Quality, after: Quality, generator: np.random.Generator, level: float, units: np.ndarray | None
) -> Limits:
    """Return how much the mean fell, with the interval of resampled pairs of rows."""
    fell = before.rows - after.rows
    if not fell.any():
        n = len(fell)
        low, high = wilson(np.array(0.0), np.array(n), level) if before.shares else (np.array(0.0), np.array(0.0))
        return np.array(0.0), np.array(0.0), high
    low, high = bootstrap(lambda w: w @ fell / np.maximum(w.sum(1), 1e-12), len(fell), generator, level=level, units=units)
    return np.array(fell.mean()), np.asarray(low), np.asarray(high)

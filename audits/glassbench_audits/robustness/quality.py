"""How good decisions are before and after a change, row by row."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import Limits, bootstrap, rate_interval


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


def predicted(subject: Subject, source: Split) -> pd.DataFrame | None:
    """Return the predictions of rows, one by one; None where the task has none for changed rows."""
    made = subject.task.predict_rows(subject.model, source)
    return None if made is None else made.frame


def quality(subject: Subject, made: pd.DataFrame, before: pd.DataFrame) -> Quality | None:
    """Return how good predictions are by the truth; where it is not known, how far they are those of the unchanged rows.

    Args:
        subject: What is examined.
        made: Predictions of rows, changed or not.
        before: Predictions of the unchanged rows.

    Returns:
        None where predictions of this kind cannot be compared.
    """
    found = subject.kind.row_errors(made, subject.schema) or subject.kind.changes(before, made, subject.schema)
    if found is None:
        return None
    if not found.binary:
        return Quality(rows=-found.size, shares=False, words=found.words, usual=found.usual)
    return Quality(rows=1 - found.size, shares=True, words=found.complement or f"1 minus the {found.words}")


def mean_limits(found: Quality, generator: np.random.Generator, level: float, clusters: np.ndarray | None) -> Limits:
    """Return the mean with the interval of a share of independent rows, else that of resampled rows or clusters."""
    n = len(found.rows)
    if found.shares and clusters is None:
        low, high = rate_interval(found.rows.sum(), np.array(n), level)
        return np.array(found.rows.mean()), low, high
    low, high = bootstrap(lambda w: w @ found.rows / np.maximum(w.sum(1), 1e-12), n, generator, level=level, clusters=clusters)
    return np.array(found.rows.mean()), np.asarray(low), np.asarray(high)


def drop_limits(
    before: Quality, after: Quality, generator: np.random.Generator, level: float, clusters: np.ndarray | None
) -> Limits:
    """Return how much the mean fell, with the interval of resampled pairs of rows."""
    fell = before.rows - after.rows
    if not fell.any():
        n = len(fell)
        low, high = rate_interval(np.array(0.0), np.array(n), level) if before.shares else (np.array(0.0), np.array(0.0))
        return np.array(0.0), np.array(0.0), high
    low, high = bootstrap(lambda w: w @ fell / np.maximum(w.sum(1), 1e-12), len(fell), generator, level=level, clusters=clusters)
    return np.array(fell.mean()), np.asarray(low), np.asarray(high)


def amount(fall: np.ndarray | float, shares: bool) -> str:
    """Write how much a mean fell: of shares in points."""
    return f"{100 * float(fall):.1f}" if shares else f"{float(fall):.3g}"

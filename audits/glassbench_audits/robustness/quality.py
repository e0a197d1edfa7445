"""How good decisions are before and after a change, row by row."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.data import Split
from glassbench.stats.intervals import Limits, bootstrap, rate_interval
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Decided:
    """Rows as they were decided.

    Args:
        decisions: What was decided `(n,)`.
        truth: What was true `(n,)`, or None where that is not known.
        target_index: Which explained output each decision took, long `(n,)`.
    """

    decisions: np.ndarray
    truth: np.ndarray | None
    target_index: Tensor | None


def decide(subject: Subject, source: Split) -> Decided:
    """Decide rows; the action of a policy is the one it prefers, as its task plays whole episodes."""
    if subject.task.decision == "action":
        outputs = [subject.attribution_output(*batch.inputs).detach().cpu() for batch in source.batches(4096)]
        taken = torch.cat(outputs).argmax(dim=1)
        return Decided(decisions=taken.numpy(), truth=None, target_index=taken)
    made = subject.task.predict(subject.model, source)
    known = "truth" in made.frame and bool(made.frame["truth"].notna().all())
    truth = made.frame["truth"].to_numpy() if known else None
    return Decided(decisions=np.asarray(made.frame["decision"].to_numpy()), truth=truth, target_index=made.target_index)


def quality(subject: Subject, source: Split, before: np.ndarray | None = None) -> Quality:
    """Decide the rows, and compare with the truth; where it is not known, with the decisions `before`.

    Args:
        subject: What is examined.
        source: The rows, changed or not.
        before: The decisions on the unchanged rows `(n,)`; None for the unchanged rows themselves.
    """
    made = decide(subject, source)
    unchanged = made.decisions if before is None else before
    truth, known = unchanged if made.truth is None else made.truth, made.truth is not None
    if subject.task.decision == "value":
        off = -np.abs(made.decisions.astype(float) - truth.astype(float))
        usual = float(unchanged.astype(float).std())
        return Quality(rows=off, shares=False, words="mean absolute error" if known else "mean change", usual=usual or 1.0)
    right = np.asarray(made.decisions.astype(str) == truth.astype(str), dtype=float)
    return Quality(rows=right, shares=True, words="accuracy" if known else "share of decisions kept")


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

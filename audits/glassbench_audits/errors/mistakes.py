"""How wrong each decision is."""

from dataclasses import dataclass

import numpy as np

from glassbench.subject import Subject


@dataclass(frozen=True, eq=False, kw_only=True)
class Mistakes:
    """How wrong each held-out decision is.

    Args:
        size: The error of each row `(n,)`, at least 0.
        shares: Whether errors are 0 or 1, so that a mean is a share of rows.
        words: What the mean of the errors is, for readers ("share decided wrongly").
        unit: Unit of an error.
    """

    size: np.ndarray
    shares: bool
    words: str
    unit: str | None = None


def mistakes_of(subject: Subject) -> Mistakes | None:
    """Return whether each decision is wrong, or by how much a value is off; None where a decision is neither right nor wrong."""
    frame, decision = subject.predictions.frame, subject.task.decision
    if decision in ("cluster", "action"):
        return None
    if decision == "value":
        size = np.abs(frame["truth"].to_numpy(dtype=float) - frame["decision"].to_numpy(dtype=float))
        known = bool(np.isfinite(size).all())
        return Mistakes(size=size, shares=False, words="mean absolute error", unit=subject.schema.target.unit) if known else None
    wrong = (frame["truth"].astype(str) != frame["decision"].astype(str)).to_numpy(dtype=float)
    return Mistakes(size=wrong, shares=True, words="share decided wrongly")

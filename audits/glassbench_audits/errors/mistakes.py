"""How wrong each decision is."""

from dataclasses import dataclass

import numpy as np

from glassbench.stats.inference import Inference, mean, share
from glassbench.stats.sampling import Sampling
from glassbench.subject import Subject


@dataclass(frozen=True, eq=False, kw_only=True)
class Mistakes:
    """How wrong each held-out decision is.

    Args:
        size: The error of each row `(n,)`, at least 0.
        shares: Whether errors are 0 or 1, so that a mean is a share of rows.
        words: What the mean of the errors is, for readers ("share predicted wrongly").
        unit: Unit of an error.
    """

    size: np.ndarray
    shares: bool
    words: str
    unit: str | None = None

    @property
    def measure(self) -> str:
        """What their mean is called among measures."""
        return "error_rate" if self.shares else "mean_absolute_error"


def mean_of(mistakes: Mistakes, sampling: Sampling) -> Inference:
    """Return the mean error with the interval that the task's own metric has: of a share, or of a mean of distances.

    Args:
        mistakes: The errors of some rows.
        sampling: How these rows were sampled.
    """
    return share(mistakes.size > 0, sampling) if mistakes.shares else mean(mistakes.size, sampling, lowest=0.0)


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
    return Mistakes(size=wrong, shares=True, words="share predicted wrongly")

"""Training rows that are labelled otherwise than the model decides them, more often than held-out rows are."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import fisher_exact

CONFIDENCES = (0.5, 0.7, 0.9)
"""Probabilities that the model gives to another class than the label, from which on contradicted rows are counted."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Contradiction:
    """How often the model contradicts labels, at the confidence at which training and held-out rows differ most clearly.

    Args:
        rows: Which training rows are labelled otherwise than the model decides them, bool `(n,)`.
        confidence: Least probability of another class than the label.
        counted: How many training rows it contradicts with that confidence.
        held: How many of how many held-out rows.
        p: Fisher's exact one-sided p-value of a larger share among training rows, corrected for the confidences tried
            (Bonferroni). A model fits the rows that it learnt from, so honest noise contradicts it at most as often there as
            among held-out rows; more contradictions are a sign that labels of training rows are wrong.
    """

    rows: np.ndarray
    confidence: float
    counted: int
    held: tuple[int, int]
    p: float


def contradiction(chances: np.ndarray, truth: np.ndarray, held_chances: np.ndarray, held_truth: np.ndarray) -> Contradiction:
    """Compare labels with what the model decides.

    Args:
        chances, held_chances: Probability of each class, training rows `(n, k)` and held-out rows `(m, k)`.
        truth, held_truth: Class indices `(n,)` and `(m,)`.
    """
    against, held = _against(chances, truth), _against(held_chances, held_truth)
    tried = []
    for confidence in CONFIDENCES:
        mine, others = int((against >= confidence).sum()), int((held >= confidence).sum())
        table = [[mine, len(truth) - mine], [others, len(held_truth) - others]]
        p = float(fisher_exact(table, alternative="greater").pvalue)
        tried.append((p, confidence, mine, others))
    p, confidence, mine, others = min(tried)
    return Contradiction(
        rows=against > 0,
        confidence=confidence,
        counted=mine,
        held=(others, len(held_truth)),
        p=min(1.0, p * len(CONFIDENCES)),
    )


def _against(chances: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the probability of the class decided where it is not the label, else 0 `(n,)`."""
    return np.where(chances.argmax(axis=1) != truth, chances.max(axis=1), 0.0)

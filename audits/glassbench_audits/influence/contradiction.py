"""Training rows that are labelled otherwise than the model decides them, more often than held-out rows are."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import fisher_exact

CONFIDENCES = (0.5, 0.7, 0.9)
"""Probabilities that the model gives to another class than the label, from which on contradicted rows are counted."""

_ALPHA = 0.05
_FEW = 0.01
"""Share of held-out rows up to which a model contradicts so few that there is nothing to be learnt by heart."""


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
        shares: Share of training and of held-out rows that it contradicts at all.
        by_heart: Whether it contradicts training rows surely less often than held-out ones, or less than half as often: it has
            learnt labels by heart, so that it would not contradict wrong ones.
    """

    rows: np.ndarray
    confidence: float
    counted: int
    held: tuple[int, int]
    p: float
    shares: tuple[float, float]
    by_heart: bool


def contradiction(against: np.ndarray, held: np.ndarray) -> Contradiction:
    """Compare labels with what the model decides.

    Args:
        against, held: How sure the model is of something else than the label, 0 where it agrees, of training rows `(n,)` and of
            held-out rows `(m,)` (`against_class`, `against_labels`).
    """
    tried = []
    for confidence in CONFIDENCES:
        mine, others = int((against >= confidence).sum()), int((held >= confidence).sum())
        table = [[mine, len(against) - mine], [others, len(held) - others]]
        p = float(fisher_exact(table, alternative="greater").pvalue)
        tried.append((p, confidence, mine, others))
    p, confidence, mine, others = min(tried)
    wrong, due = int((against > 0).sum()), int((held > 0).sum())
    fewer = float(fisher_exact([[wrong, len(against) - wrong], [due, len(held) - due]], alternative="less").pvalue)
    shares = wrong / len(against), due / len(held)
    return Contradiction(
        rows=against > 0,
        confidence=confidence,
        counted=mine,
        held=(others, len(held)),
        p=min(1.0, p * len(CONFIDENCES)),
        shares=shares,
        by_heart=shares[1] > _FEW and (fewer < _ALPHA or shares[0] < shares[1] / 2),
    )


def against_labels(chances: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return how sure the model is of the label it is surest to be wrong, 0 where it agrees with all that are known `(n,)`.

    Args:
        chances: Probability of each label `(n, k)`.
        truth: Which labels each row has, 1, 0 or NaN `(n, k)`.
    """
    wrong = np.isfinite(truth) & ((chances >= 0.5) != (truth > 0))
    return np.asarray(np.where(wrong, np.maximum(chances, 1 - chances), 0.0).max(axis=1))


def against_class(chances: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the probability of the class decided where it is not the label, else 0 `(n,)`.

    Args:
        chances: Probability of each class `(n, k)`.
        truth: Class indices `(n,)`.
    """
    return np.where(chances.argmax(axis=1) != truth, chances.max(axis=1), 0.0)

"""Has the model learnt anything that an explanation could be of?"""

import numpy as np

from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions

PERMUTATIONS = 999


def permutation_p_value(
    predictions: Predictions, kind: PredictionKind, schema: Schema, generator: np.random.Generator
) -> float | None:
    """Return the p-value of the hypothesis that the model's predictions have nothing to do with the truth, or None.

    The agreement of predictions and truth (`PredictionKind.agreement`) is compared with what it is when the truth is shuffled
    among the rows (a permutation test, one-sided, at best 1 / 1000). None where predictions and truths cannot agree, or the truth
    is the same in every row.

    Args:
        predictions: Held-out predictions that are independent of one another, their truths known.
        kind: What a prediction is.
        schema: What a row is.
        generator: Draws the rows and the shuffles.
    """
    frame = predictions.frame
    if "y_true" not in frame or frame["y_true"].nunique() < 2:
        return None
    chosen = np.sort(generator.choice(len(frame), min(kind.compared_rows, len(frame)), replace=False))
    agreement = kind.agreement(frame.iloc[chosen].reset_index(drop=True), schema)
    if agreement is None:
        return None
    null = np.array([agreement(generator.permutation(len(chosen))) for _ in range(PERMUTATIONS)])
    return _rank_p(agreement(np.arange(len(chosen))), null)


def _rank_p(observed: float, null: np.ndarray) -> float:
    """Return the share of the null at least as large, the observed value counted in; ties by rounding count as such."""
    slack = 1e-9 * max(1.0, abs(observed))
    return float((1 + (null >= observed - slack).sum()) / (1 + len(null)))

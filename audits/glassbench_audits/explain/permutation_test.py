"""Has the model learnt anything that an explanation could be of?"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

from glassbench.task import Decision, Predictions

PERMUTATIONS = 999
_ROWS = 5000
_ANSWERS = 500
"""Answers are compared each with each."""


def permutation_p_value(predictions: Predictions, decision: Decision, generator: np.random.Generator) -> float | None:
    """Return the p-value of the hypothesis that the model's scores have nothing to do with the truth, or None.

    The agreement of scores and truth is compared with what it is when the truth is shuffled among the rows (a
    permutation test, one-sided, at best 1 / 1000). None where the kind of decision has no truth, or it is the same in every
    row.

    Args:
        predictions: Held-out decisions that are independent of one another, their truths known.
        decision: What a decision is.
        generator: Draws the rows and the shuffles.
    """
    frame = predictions.frame
    if decision not in ("class", "flag", "token", "value", "sequence") or frame["truth"].nunique() < 2:
        return None
    most = _ANSWERS if decision == "sequence" else _ROWS
    chosen = np.sort(generator.choice(len(frame), min(most, len(frame)), replace=False))
    truth, scores = frame["truth"].iloc[chosen], predictions.scores.iloc[chosen]
    if decision == "value":
        return _value_p(truth.to_numpy(dtype=float), frame["decision"].iloc[chosen].to_numpy(dtype=float), generator)
    if decision == "sequence":
        return _answer_p(truth.astype(str), frame["decision"].iloc[chosen].astype(str), generator)
    return _class_p(truth, frame["decision"].iloc[chosen], scores, generator)


def _value_p(truth: np.ndarray, predicted: np.ndarray, generator: np.random.Generator) -> float:
    centred = truth - truth.mean()
    null = [float(generator.permutation(centred) @ predicted) for _ in range(PERMUTATIONS)]
    return _rank_p(float(centred @ predicted), np.asarray(null))


def _answer_p(truth: pd.Series, written: pd.Series, generator: np.random.Generator) -> float:
    """Compare answers with truths by the pairs and threes of characters they share (cosine)."""
    count = HashingVectorizer(analyzer="char", ngram_range=(2, 3), n_features=2**16, alternate_sign=False)
    alike = (count.transform(written) @ count.transform(truth).T).toarray()
    rows = np.arange(len(alike))
    null = [float(alike[rows, generator.permutation(rows)].sum()) for _ in range(PERMUTATIONS)]
    return _rank_p(float(alike[rows, rows].sum()), np.asarray(null))


def _class_p(truth: pd.Series, decided: pd.Series, scores: pd.DataFrame, generator: np.random.Generator) -> float:
    names = [str(name) for name in scores.columns]
    codes = pd.Index(names).get_indexer(pd.Index(truth.astype(str)))
    if (codes < 0).any() or len(names) < 2:
        names = sorted(set(truth.astype(str)) | set(decided.astype(str)))
        codes = pd.Index(names).get_indexer(pd.Index(truth.astype(str)))
        values = (decided.astype(str).to_numpy()[:, None] == np.asarray(names)).astype(float)
    else:
        values = scores.to_numpy(dtype=float)
    rows = np.arange(len(codes))
    null = [float(values[rows, generator.permutation(codes)].sum()) for _ in range(PERMUTATIONS)]
    return _rank_p(float(values[rows, codes].sum()), np.asarray(null))


def _rank_p(observed: float, null: np.ndarray) -> float:
    """Return the share of the null at least as large, the observed value counted in; ties by rounding count as such."""
    slack = 1e-9 * max(1.0, abs(observed))
    return float((1 + (null >= observed - slack).sum()) / (1 + len(null)))

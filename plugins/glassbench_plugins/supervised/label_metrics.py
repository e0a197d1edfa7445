"""Weighted metrics of predicted labels, several per row."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.labels import label_names, label_values
from glassbench_plugins.supervised.rates import divide, mean_defined
from glassbench_plugins.supervised.scores import area


def macro_f1(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the labels' F1 scores; labels neither true nor predicted are left out of that mean.

    Args:
        frame: Columns `y_true.<label>` and `y_pred.<label>`, n rows.
        weights: `(b, n)`.

    Returns:
        `(b,)`, NaN where no label is true or predicted.
    """
    truth, decided = truth_and_decided(frame)
    return mean_defined(divide(2 * weights @ (truth & decided), weights @ (truth.astype(float) + decided)))


def micro_f1(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the F1 score over all labels of all rows together, `(b,)`."""
    truth, decided = truth_and_decided(frame)
    return divide(2 * weights @ (truth & decided).sum(axis=1), weights @ (truth.sum(axis=1) + decided.sum(axis=1)))


def hamming_loss(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of labels that are predicted wrongly, over all rows, `(b,)`."""
    return divide(weights @ wrong_share(frame), weights.sum(axis=1))


def exact_match(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of rows whose labels are all predicted rightly (subset accuracy), `(b,)`."""
    return divide(weights @ (wrong_share(frame) == 0).astype(float), weights.sum(axis=1))


def macro_roc_auc(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the labels' areas under the ROC curve, `(b,)`; labels that all or no rows have are left out."""
    truth, scores = truth_and_scores(frame)
    return mean_defined(np.stack([area(scores[:, k], truth[:, k], weights) for k in range(truth.shape[1])], axis=1))


def macro_average_precision(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the labels' average precisions, `(b,)`; labels that no row has are left out."""
    truth, scores = truth_and_scores(frame)
    found = [average_precision(scores[:, k], truth[:, k], weights) for k in range(truth.shape[1])]
    return mean_defined(np.stack(found, axis=1))


def average_precision(score: np.ndarray, member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the precision at each score, weighed by the recall it adds, as scikit-learn does.

    Args:
        score: Scores of the label `(n,)`.
        member: Whether each row has it `(n,)`.
        weights: `(b, n)`.

    Returns:
        `(b,)`, NaN where no row that has it carries weight.
    """
    order = np.argsort(-score, kind="stable")
    ranked, weights = score[order], weights[:, order]
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    hits = np.cumsum(weights * member[order], axis=1)[:, ends]
    called = np.cumsum(weights, axis=1)[:, ends]
    precision = np.nan_to_num(divide(hits, called))
    return divide((np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1), hits[:, -1])


def wrong_share(frame: pd.DataFrame) -> np.ndarray:
    """Return the share of each row's labels that are wrong `(n,)`."""
    truth, decided = truth_and_decided(frame)
    return np.asarray((truth != decided).mean(axis=1))


def truth_and_decided(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels rows have and which are predicted, bool `(n, labels)` each."""
    names = label_names(frame)
    return label_values(frame, "y_true", names) == 1, label_values(frame, "y_pred", names) == 1


def truth_and_scores(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels rows have, bool, and the probability of each `(n, labels)`."""
    names = label_names(frame)
    return label_values(frame, "y_true", names) == 1, label_values(frame, "score", names)

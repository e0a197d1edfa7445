"""Weighted metrics of the scores behind a classification."""

import numpy as np
import pandas as pd

from glassbench_plugins.supervised.rates import divide, mean_defined

_EPS = float(np.finfo(np.float64).eps)


def roc_auc(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve; of more than two classes, the mean of each class against the rest.

    The chance that a row of the class scores above one of another class, ties counting one half. Rows are sorted once
    per class, and the curve of every row of weights follows from cumulative sums.

    Args:
        frame: Columns `y_true` and `score.<class>`, n rows.
        weights: `(b, n)`.

    Returns:
        `(b,)`, NaN where fewer than two classes carry weight. Classes without weight are left out of the mean.
    """
    scores, truth = scores_and_truth(frame)
    classes = range(1, 2) if scores.shape[1] == 2 else range(scores.shape[1])
    return mean_defined(np.stack([area(scores[:, k], truth == k, weights) for k in classes], axis=1))


def log_loss(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean negative logarithm of the probability given to the true class, in nats, `(b,)`."""
    return divide(weights @ log_loss_per_row(frame), weights.sum(axis=1))


def log_loss_per_row(frame: pd.DataFrame) -> np.ndarray:
    """Return the negative logarithm of each true class's probability `(n,)`, moved off 0 and 1 by a float."""
    scores, truth = scores_and_truth(frame)
    return np.asarray(-np.log(np.clip(scores[np.arange(len(frame)), truth], _EPS, 1 - _EPS)))


def brier(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean squared distance of probabilities from the truth, `(b,)`.

    Between 0 and 1 for two classes; summed over classes, between 0 and 2, for more (Brier 1950).
    """
    return divide(weights @ brier_per_row(frame), weights.sum(axis=1))


def brier_per_row(frame: pd.DataFrame) -> np.ndarray:
    """Return the squared distance of each row's probabilities from the truth `(n,)`."""
    scores, truth = scores_and_truth(frame)
    if scores.shape[1] == 2:
        first, second = ((scores[:, k] - (truth == k)) ** 2 for k in (0, 1))
        return np.asarray((first + second) / 2)
    return np.asarray((scores**2).sum(axis=1) - 2 * scores[np.arange(len(frame)), truth] + 1)


def scores_and_truth(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores `(n, classes)` and the index of each true class `(n,)`."""
    columns = [column for column in frame.columns if str(column).startswith("score.")]
    names = [str(column).removeprefix("score.") for column in columns]
    actual = frame["y_true"]
    if isinstance(actual.dtype, pd.CategoricalDtype):
        places = np.append(pd.Index(names).get_indexer(pd.Index(actual.cat.categories)), -1)
        truth = places[actual.cat.codes.to_numpy()]
    else:
        truth = pd.Index(names).get_indexer(pd.Index(actual))
    return frame[columns].to_numpy(dtype=np.float64), np.asarray(truth, dtype=np.int64)


def area(score: np.ndarray, member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Integrate the ROC curve of one class by trapezes, which counts ties one half.

    Args:
        score: Scores of the class `(n,)`.
        member: Whether each row is of it `(n,)`.
        weights: `(b, n)`.

    Returns:
        `(b,)`, NaN where the rows of one side carry no weight.
    """
    order = np.argsort(-score, kind="stable")
    ranked, member, weights = score[order], member[order], weights[:, order]
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    hits = np.cumsum(weights * member, axis=1)[:, ends]
    alarms = np.cumsum(weights * ~member, axis=1)[:, ends]
    heights = np.concatenate([hits[:, :1], hits[:, 1:] + hits[:, :-1]], axis=1) / 2
    area = (np.diff(alarms, axis=1, prepend=0) * heights).sum(axis=1)
    return divide(area, hits[:, -1] * alarms[:, -1])

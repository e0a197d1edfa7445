"""How the metrics of classes, scores and values come to their intervals."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.class_codes import shared_codes
from glassbench.stats import values
from glassbench.stats.events import other_classes, rarest_class
from glassbench.stats.inference import Inference, from_influence, mean, mean_of_shares, share
from glassbench.stats.ranking import area
from glassbench.stats.sampling import Sampling
from glassbench_plugins.supervised.scores import brier_per_row, log_loss_per_row, scores_and_truth


def accuracy(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the share of right decisions."""
    truth, decision, _ = _codes(frame)
    return share(truth == decision, sampling)


def balanced_accuracy(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean of the classes' recalls."""
    truth, decision, _ = _codes(frame)
    member = [truth == k for k in np.unique(truth)]
    return mean_of_shares(truth == decision, member, sampling, _rarest(frame, sampling))


def macro_f1(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean of the classes' F1 scores, by their influence function."""
    truth, decision, names = _codes(frame)
    total, found, influence = sampling.weight.sum(), [], np.zeros(len(frame))
    for k in range(len(names)):
        hit, both = (truth == k) & (decision == k), (truth == k).astype(float) + (decision == k)
        size = float(sampling.weight @ both)
        if size > 0:
            found.append(2 * float(sampling.weight[hit].sum()) / size)
            influence += (2 * hit - found[-1] * both) * total / size
    few = _rarest(frame, sampling)
    return from_influence(float(np.mean(found)), influence / len(found), sampling, lowest=0.0, highest=1.0, unsupported=few)


def roc_auc(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the area under the ROC curve; of more than two classes, the mean of each class against the rest."""
    scores, truth = scores_and_truth(frame)
    classes = range(1, 2) if scores.shape[1] == 2 else range(scores.shape[1])
    return area(scores, truth, sampling, classes, _rarest(frame, sampling))


def log_loss(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean negative logarithm of the true class's probability."""
    return mean(log_loss_per_row(frame), sampling, lowest=0.0, unsupported=_others(frame, sampling))


def brier(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean squared distance of probabilities from the truth."""
    return mean(brier_per_row(frame), sampling, lowest=0.0, unsupported=_others(frame, sampling))


def mean_absolute_error(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean distance between prediction and truth."""
    return values.mean_absolute_error(*_values(frame), sampling)


def root_mean_squared_error(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the root of the mean squared error."""
    return values.root_mean_squared_error(*_values(frame), sampling)


def r2(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the share of the truth's variance that predictions explain."""
    return values.r_squared(*_values(frame), sampling)


def _values(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return frame["y_true"].to_numpy(dtype=np.float64), frame["y_pred"].to_numpy(dtype=np.float64)


def _codes(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return codes of truths and decisions, each `(n,)`, and the names they stand for."""
    if (coded := shared_codes(frame["y_true"], frame["y_pred"])) is not None:
        return *coded, frame["y_true"].cat.categories.to_numpy()
    both = np.concatenate([frame["y_true"].to_numpy(dtype=object), frame["y_pred"].to_numpy(dtype=object)])
    codes, names = pd.factorize(both)
    return codes[: len(frame)], codes[len(frame) :], np.asarray(names)


def _rarest(frame: pd.DataFrame, sampling: Sampling) -> str | None:
    return rarest_class(frame["y_true"], sampling)


def _others(frame: pd.DataFrame, sampling: Sampling) -> str | None:
    return other_classes(frame["y_true"], sampling)

"""How the metrics of labels come to their intervals."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.labels import label_names
from glassbench.stats.estimate import too_few
from glassbench.stats.inference import Inference, from_influence, mean, share
from glassbench.stats.ranking import mean_area
from glassbench.stats.sampling import Sampling
from glassbench_plugins.supervised.label_metrics import truth_and_decided, truth_and_scores, wrong_share


def macro_f1(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean of the labels' F1 scores, by their influence function."""
    truth, decided = truth_and_decided(frame)
    found, influence = [], np.zeros(len(frame))
    for k in range(truth.shape[1]):
        value, moved = _f1((truth[:, k] & decided[:, k]).astype(float), truth[:, k].astype(float) + decided[:, k], sampling)
        if np.isfinite(value):
            found.append(value)
            influence += moved
    few = rarest_label(frame, truth, sampling)
    value = float(np.mean(found)) if found else float("nan")
    return from_influence(value, influence / max(len(found), 1), sampling, lowest=0.0, highest=1.0, unsupported=few)


def micro_f1(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the F1 score over all labels together, by its influence function."""
    truth, decided = truth_and_decided(frame)
    both = truth.sum(axis=1).astype(float) + decided.sum(axis=1)
    value, influence = _f1((truth & decided).sum(axis=1).astype(float), both, sampling)
    few = too_few(sampling.count(np.asarray(truth.any(axis=1))), f"{_noun(sampling)} that have a label")
    return from_influence(value, influence, sampling, lowest=0.0, highest=1.0, unsupported=few)


def hamming_loss(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean share of wrong labels."""
    return mean(wrong_share(frame), sampling, lowest=0.0, highest=1.0)


def exact_match(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the share of rows whose labels are all right."""
    return share(wrong_share(frame) == 0, sampling)


def macro_roc_auc(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    """Return the mean of the labels' areas under the ROC curve."""
    truth, scores = truth_and_scores(frame)
    pairs = [(scores[:, k], truth[:, k]) for k in range(truth.shape[1])]
    return mean_area(pairs, sampling, rarest_label(frame, truth, sampling))


def rarest_label(frame: pd.DataFrame, truth: np.ndarray, sampling: Sampling) -> str | None:
    """Return why the label with fewest rows on one side has too few for an interval, or None; labels without any do not count.

    Args:
        frame: Predictions.
        truth: Which labels rows have, bool `(n, labels)`.
        sampling: How the rows were sampled.
    """
    reasons = [_few(name, truth[:, k], sampling) for k, name in enumerate(label_names(frame))]
    return next((reason for reason in reasons if reason), None)


def _few(name: str, has: np.ndarray, sampling: Sampling) -> str | None:
    if has.all() or not has.any():
        return None
    noun = _noun(sampling)
    return too_few(sampling.count(has), f"{noun} that have “{name}”") or too_few(
        sampling.count(~has), f"{noun} that do not have “{name}”"
    )


def _f1(hits: np.ndarray, both: np.ndarray, sampling: Sampling) -> tuple[float, np.ndarray]:
    """Return an F1 score and its influence `(n,)`, from each row's hits and its true and predicted labels together."""
    total, size = sampling.weight.sum(), float(sampling.weight @ both)
    if size == 0:
        return float("nan"), np.zeros(len(hits))
    value = 2 * float(sampling.weight @ hits) / size
    return value, (2 * hits - value * both) * total / size


def _noun(sampling: Sampling) -> str:
    return "clusters with rows" if sampling.clustered else "rows"

"""Metrics of labels, against scikit-learn; their intervals against resampling."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from glassbench.contracts.predictions.labels import joined_labels, prediction_columns, truth_columns
from glassbench_plugins.supervised.metrics import LABEL_SCORES, LABELS

NAMES = ("beach", "sunset", "city")


def label_rows(seed: int = 0, rows: int = 400) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Return predictions, truths, what is predicted and scores, ties among them."""
    chance = np.random.default_rng(seed)
    truth = (chance.random((rows, 3)) < [0.5, 0.2, 0.08]).astype(float)
    scores = np.round(np.clip(0.35 * truth + 0.65 * chance.random((rows, 3)), 0.01, 0.99), 2)
    decided = scores >= 0.5
    columns = {**truth_columns(truth, NAMES), **prediction_columns(decided, NAMES)}
    columns |= {f"score.{name}": scores[:, k] for k, name in enumerate(NAMES)}
    words = {"y_true": joined_labels(truth, NAMES), "y_pred": joined_labels(decided, NAMES)}
    return pd.DataFrame({"row": range(rows), **words, **columns}), truth, decided.astype(float), scores


EXPECTED = {
    "macro_f1": lambda y, p, s, w: sk.f1_score(y, p, average="macro", sample_weight=w),
    "micro_f1": lambda y, p, s, w: sk.f1_score(y, p, average="micro", sample_weight=w),
    "hamming_loss": lambda y, p, s, w: sk.hamming_loss(y, p, sample_weight=w),
    "exact_match": lambda y, p, s, w: sk.accuracy_score(y, p, sample_weight=w),
    "macro_roc_auc": lambda y, p, s, w: sk.roc_auc_score(y, s, average="macro", sample_weight=w),
    "macro_average_precision": lambda y, p, s, w: sk.average_precision_score(y, s, average="macro", sample_weight=w),
}


@pytest.mark.parametrize("metric", [*LABELS, *LABEL_SCORES], ids=lambda metric: metric.name)
def test_every_metric_is_that_of_scikit_learn_under_any_weights(metric):
    frame, truth, decided, scores = label_rows()
    weights = np.stack([np.ones(len(frame)), np.random.default_rng(1).integers(0, 4, len(frame)).astype(float)])
    expected = [EXPECTED[metric.name](truth, decided, scores, w) for w in weights]
    np.testing.assert_allclose(metric.compute(frame, weights), expected, rtol=1e-12)
    np.testing.assert_allclose(metric.infer(frame, np.random.default_rng(0)).value, expected[0], rtol=1e-12)


@pytest.mark.parametrize("metric", [*LABELS, *LABEL_SCORES], ids=lambda metric: metric.name)
def test_standard_errors_are_those_of_resampled_rows(metric):
    frame, *_ = label_rows(rows=600)
    weights = np.random.default_rng(2).multinomial(len(frame), np.full(len(frame), 1 / len(frame)), 2000).astype(float)
    drawn = metric.compute(frame, weights)
    assert metric.infer(frame, np.random.default_rng(0)).error == pytest.approx(drawn.std(), rel=0.12)


def test_labels_that_no_row_has_are_left_out_of_means():
    frame, truth, decided, scores = label_rows()
    absent = frame.assign(**{"y_true.city": 0, "y_pred.city": 0})
    (f1, _, _, _), (area, precision) = LABELS, LABEL_SCORES
    ones = np.ones((1, len(frame)))
    assert f1.compute(absent, ones)[0] == pytest.approx(sk.f1_score(truth[:, :2], decided[:, :2], average="macro"))
    assert area.compute(absent, ones)[0] == pytest.approx(sk.roc_auc_score(truth[:, :2], scores[:, :2]))
    assert precision.compute(absent, ones)[0] == pytest.approx(sk.average_precision_score(truth[:, :2], scores[:, :2]))


def test_a_label_with_few_rows_takes_the_interval_away_and_says_why():
    frame, *_ = label_rows()
    few = frame.assign(**{"y_true.city": (np.arange(len(frame)) < 3).astype(int)})
    for metric in (LABELS[0], LABEL_SCORES[0]):
        found = metric.infer(few, np.random.default_rng(0)).estimate(0.95)
        assert found.low is None
        assert "city" in found.unsupported


def test_the_error_of_a_mean_over_labels_is_that_of_the_labels_there_are() -> None:
    frame, *_ = label_rows()
    absent = frame.assign(**{"y_true.city": 0, "y_pred.city": 0})
    without = frame.drop(columns=["y_true.city", "y_pred.city", "score.city"])
    both = [LABELS[0].infer(each, np.random.default_rng(0)) for each in (absent, without)]
    assert both[0].value == pytest.approx(both[1].value)
    assert both[0].error == pytest.approx(both[1].error)

"""Weighted class metrics against scikit-learn."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from glassbench.stats.sampling import Sampling
from glassbench_plugins.supervised import inference, rates, scores

NAMES = np.array(["a", "b", "c"], dtype=object)


def predictions(classes: int, rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """Random predictions whose scores tie often."""
    generator = np.random.default_rng(seed)
    probabilities = generator.integers(1, 6, (rows, classes)).astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    truth = NAMES[generator.integers(0, classes, rows)]
    frame = {"y_true": truth, "y_pred": NAMES[probabilities.argmax(axis=1)]}
    return pd.DataFrame(frame | {f"score.{name}": probabilities[:, k] for k, name in enumerate(NAMES[:classes])})


def weights(rows: int = 120, replicates: int = 4) -> np.ndarray:
    drawn = np.random.default_rng(1).integers(0, 4, (replicates, rows)).astype(float)
    return np.concatenate([np.ones((1, rows)), drawn])


def matrix(frame: pd.DataFrame) -> np.ndarray:
    return frame.filter(like="score.").to_numpy()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (rates.accuracy, metrics.accuracy_score),
        (rates.balanced_accuracy, metrics.balanced_accuracy_score),
        (rates.macro_f1, lambda *a, **k: metrics.f1_score(*a, average="macro", zero_division=np.nan, **k)),
    ],
)
def test_rates_equal_scikit_learn(classes, ours, reference):
    frame = predictions(classes)
    expected = [reference(frame["y_true"], frame["y_pred"], sample_weight=row) for row in weights()]
    np.testing.assert_allclose(ours(frame, weights()), expected, rtol=1e-12)


def test_roc_auc_of_two_classes_equals_scikit_learn_on_ties():
    frame = predictions(2)
    expected = [metrics.roc_auc_score(frame["y_true"] == "b", frame["score.b"], sample_weight=row) for row in weights()]
    np.testing.assert_allclose(scores.roc_auc(frame, weights()), expected, rtol=1e-12)


def test_roc_auc_of_three_classes_is_the_mean_of_each_against_the_rest():
    frame = predictions(3)
    expected = [metrics.roc_auc_score(frame["y_true"], matrix(frame), sample_weight=row, multi_class="ovr") for row in weights()]
    np.testing.assert_allclose(scores.roc_auc(frame, weights()), expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_log_loss_equals_scikit_learn(classes):
    frame = predictions(classes)
    expected = [metrics.log_loss(frame["y_true"], matrix(frame), sample_weight=row) for row in weights()]
    np.testing.assert_allclose(scores.log_loss(frame, weights()), expected, rtol=1e-12)


def test_brier_equals_scikit_learn():
    frame = predictions(2)
    given = matrix(frame)[:, 1]
    expected = [metrics.brier_score_loss(frame["y_true"], given, sample_weight=row, pos_label="b") for row in weights()]
    np.testing.assert_allclose(scores.brier(frame, weights()), expected, rtol=1e-12)


def test_brier_of_several_classes_is_the_squared_distance_from_the_true_one():
    frame = predictions(3)
    true = pd.get_dummies(frame["y_true"])[["a", "b", "c"]].to_numpy(dtype=float)
    expected = [np.average(((matrix(frame) - true) ** 2).sum(axis=1), weights=row) for row in weights()]
    np.testing.assert_allclose(scores.brier(frame, weights()), expected, rtol=1e-12)


def test_weights_equal_repeated_rows():
    frame, drawn = predictions(3), weights()[1:2]
    repeated = frame.loc[frame.index.repeat(drawn[0].astype(int))]
    for metric in (rates.macro_f1, scores.roc_auc, scores.log_loss, scores.brier):
        np.testing.assert_allclose(metric(frame, drawn), metric(repeated, np.ones((1, len(repeated)))), rtol=1e-12)


def test_metrics_without_weight_or_with_one_class_are_undefined():
    frame = predictions(2)
    assert np.isnan(rates.accuracy(frame, np.zeros((1, len(frame))))).all()
    only_a = (frame["y_true"] == "a").to_numpy(dtype=float)[None]
    assert np.isnan(scores.roc_auc(frame, only_a)).all()
    assert np.isfinite(rates.balanced_accuracy(frame, only_a)).all()


@pytest.mark.parametrize(
    ("infer", "compute"),
    [
        (inference.accuracy, rates.accuracy),
        (inference.balanced_accuracy, rates.balanced_accuracy),
        (inference.macro_f1, rates.macro_f1),
        (inference.roc_auc, scores.roc_auc),
        (inference.log_loss, scores.log_loss),
        (inference.brier, scores.brier),
    ],
    ids=lambda function: getattr(function, "__name__", ""),
)
def test_an_influence_is_how_far_a_little_more_weight_of_a_row_moves_the_metric(infer: Callable, compute: Callable) -> None:
    frame, held, step = predictions(3), weights()[1] + 1, 1e-6
    found = infer(frame, Sampling(weight=held))
    value = compute(frame, held[None])[0]
    assert found.value == pytest.approx(value)
    for row in (0, 7, 31, 90):
        more = held + step * (np.arange(len(held)) == row)
        moved = (compute(frame, more[None])[0] - value) / step * held.sum()
        assert found.influence[row] == pytest.approx(moved, abs=1e-3)

"""Masks as predictions: counts, metrics and texts, against scikit-learn and tables worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score

from glassbench import DataError, Masks, Schema, Target, mask_columns
from glassbench.contracts.predictions.mask_counts import boundary_error
from glassbench.contracts.predictions.masks import picture_dice
from glassbench.contracts.predictions.run_lengths import decoded_mask, encoded_mask
from glassbench.stats.sampling import Sampling
from glassbench.testing import check_kind
from glassbench_plugins.segmentation.metrics import mask_metrics

CLASSES = ("background", "cell", "nucleus")
SCHEMA = Schema(modality="image", shape=(1, 12, 10), target=Target(name="tissue", kind="mask", classes=CLASSES))


@pytest.fixture(scope="module")
def made():
    chance = np.random.default_rng(4)
    truth = chance.integers(0, 3, (30, 12, 10)).astype(np.int16)
    return truth, np.where(chance.random(truth.shape) < 0.7, truth, chance.integers(0, 3, truth.shape)).astype(np.int16)


@pytest.fixture(scope="module")
def frame(made):
    truth, predicted = made
    return pd.DataFrame({"row": range(30), **mask_columns(predicted, truth, CLASSES)})


@given(arrays(np.int16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-1, 5)))
def test_a_mask_written_as_text_is_read_as_it_was(mask):
    assert (decoded_mask(encoded_mask(mask)) == mask).all()


@pytest.mark.parametrize("text", ["2x2 0:3", "2x2 0:5", "2x2 0:4 1:0", "2x2 a:4", "two", "9999999x9999999 0:1", "2x2 0"])
def test_a_text_that_is_no_mask_is_refused(text):
    with pytest.raises(DataError, match="mask cannot be read"):
        decoded_mask(text)


def test_the_kind_keeps_its_promises(frame):
    check_kind(Masks(left_out="background"), frame, SCHEMA)
    check_kind(Masks(), frame.drop(columns=[c for c in frame if str(c).split(".")[0] in ("y_true", "actual", "correct")]), SCHEMA)


def test_dice_and_intersection_over_union_are_those_of_scikit_learn(made, frame):
    truth, predicted = (masks.ravel() for masks in made)
    metrics = {metric.name: metric for metric in mask_metrics(CLASSES[1:], CLASSES)}
    ones = np.ones((1, len(frame)))
    expected = {
        "dice": f1_score(truth, predicted, labels=[1, 2], average="macro"),
        "iou": jaccard_score(truth, predicted, labels=[1, 2], average="macro"),
        "pixel_accuracy": (truth == predicted).mean(),
        "dice_nucleus": f1_score(truth, predicted, labels=[2], average="macro"),
    }
    assert {name: metrics[name].compute(frame, ones)[0] for name in expected} == pytest.approx(expected)


def test_intervals_are_those_of_resampled_pictures(frame):
    metric = mask_metrics(CLASSES[1:], CLASSES)[0]
    found = metric.infer(frame, np.random.default_rng(1))
    counts = np.random.default_rng(2).multinomial(len(frame), np.full(len(frame), 1 / len(frame)), 4000).astype(float)
    assert found.error == pytest.approx(metric.compute(frame, counts).std(), rel=0.1)
    assert found.value == pytest.approx(metric.compute(frame, np.ones((1, len(frame))))[0])


def test_a_pictures_dice_leaves_out_classes_that_are_nowhere():
    truth = np.array([[[0, 1], [1, 1]], [[0, 0], [0, 0]], [[1, 1], [2, 2]]])
    predicted = np.array([[[0, 1], [1, 0]], [[0, 0], [0, 0]], [[1, 1], [1, 1]]])
    rows = pd.DataFrame({"row": range(3), **mask_columns(predicted, truth, CLASSES)})
    assert picture_dice(rows, CLASSES[1:]).tolist() == pytest.approx([2 * 2 / 5, 1.0, (2 * 2 / 6 + 0) / 2])


def test_the_boundary_error_is_the_distance_of_parallel_edges():
    truth, predicted = np.zeros((20, 20), dtype=int), np.zeros((20, 20), dtype=int)
    truth[:, 8:], predicted[:, 11:] = 1, 1
    assert boundary_error(predicted, truth) == 3.0
    assert boundary_error(truth, truth) == 0.0
    assert np.isnan(boundary_error(np.zeros((20, 20), dtype=int), truth))


def test_pixels_whose_truth_is_not_known_count_nowhere():
    truth, predicted = np.array([[[0, 1, -1, -1]]]), np.array([[[0, 1, 1, 0]]])
    row = pd.DataFrame(mask_columns(predicted, truth, CLASSES)).iloc[0]
    assert [row[f"{what}.cell"] for what in ("actual", "predicted", "correct")] == [1, 1, 1]
    assert row["predicted.background"] == 1


def test_rows_of_weight_two_are_rows_twice(frame):
    metric = mask_metrics(CLASSES[1:], CLASSES)[3]
    weights = np.ones((1, len(frame)))
    weights[0, :5] = 2
    twice = pd.concat([frame, frame.iloc[:5]])
    assert metric.compute(frame, weights) == pytest.approx(metric.compute(twice, np.ones((1, len(twice)))))
    assert metric.inference(frame, Sampling.of(frame)).value == pytest.approx(frame["boundary_error"].mean())

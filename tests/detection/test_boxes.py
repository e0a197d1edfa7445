"""Boxes as predictions: matches and average precision, against pycocotools and tables worked out by hand."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest

from glassbench import DataError, Schema, Target
from glassbench.contracts.predictions.box_lists import decoded_boxes, encoded_boxes
from glassbench.contracts.predictions.box_matching import matched, overlaps
from glassbench.contracts.predictions.boxes import Boxes
from glassbench.testing import check_kind
from glassbench_plugins.detection.average_precision import COCO, HALF, average_precision, box_metrics, count_errors

CLASSES = ("red", "white", "platelet")
SCHEMA = Schema(modality="image", shape=(3, 120, 160), target=Target(name="cell", kind="boxes", classes=CLASSES))


def drawn(chance, count):
    corners = chance.uniform(0, 100, (count, 2))
    return np.concatenate([corners, corners + chance.uniform(4, 55, (count, 2))], axis=1).round(2)


def made(seed, rows=25, digits=1):
    """Return predictions of boxes that are near the truths, with extra and missing ones; with one digit many scores are equal."""
    chance, said, true = np.random.default_rng(seed), [], []
    for _ in range(rows):
        corners = drawn(chance, int(chance.integers(0, 9)))
        names = chance.choice(CLASSES, len(corners), p=[0.6, 0.3, 0.1])
        kept = chance.random(len(corners)) < 0.8
        moved = corners[kept] + chance.normal(0, 3, (kept.sum(), 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        extra = drawn(chance, int(chance.integers(0, 5)))
        boxes = np.concatenate([moved, moved[:1], extra]).round(2)
        kinds = np.concatenate([names[kept], names[kept][:1], chance.choice(CLASSES, len(extra))])
        said.append(encoded_boxes(list(kinds), boxes, chance.random(len(boxes)).round(digits)))
        true.append(encoded_boxes(list(names), corners))
    return pd.DataFrame({"row": range(rows), "y_pred": said, "y_true": true})


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_is_that_of_pycocotools(seed):
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    frame = made(seed)
    truth, found = as_coco(frame["y_true"]), as_coco(frame["y_pred"])
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = {
            "images": [{"id": row} for row in frame["row"]],
            "categories": [{"id": k + 1, "name": name} for k, name in enumerate(CLASSES)],
            "annotations": [{**box, "id": place + 1, "iscrowd": 0} for place, box in enumerate(truth)],
        }
        known.createIndex()
        judged = evaluation.COCOeval(known, known.loadRes(found), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    ones = np.ones((1, len(frame)))
    small, large = (0.0, 32.0**2), (96.0**2, 1e10)
    ours = [
        average_precision(frame, ones, CLASSES, COCO)[0],
        average_precision(frame, ones, CLASSES, HALF)[0],
        average_precision(frame, ones, CLASSES, COCO, small)[0],
        average_precision(frame, ones, CLASSES, COCO, (32.0**2, 96.0**2))[0],
    ]
    assert ours == pytest.approx([judged.stats[0], judged.stats[1], judged.stats[3], judged.stats[4]], abs=1e-9)
    assert np.isnan(average_precision(frame, ones, CLASSES, COCO, large)[0]) == (judged.stats[5] == -1)
    of_class = judged.eval["precision"][0, :, :, 0, 2].mean(axis=0)
    assert [average_precision(frame, ones, [name])[0] for name in CLASSES] == pytest.approx(of_class.tolist(), abs=1e-9)


def as_coco(texts):
    found = []
    for row, text in enumerate(texts):
        boxes = decoded_boxes(text)
        for name, (left, top, right, bottom), score in zip(boxes.names, boxes.corners, boxes.scores, strict=True):
            width, height = right - left, bottom - top
            box = {"image_id": row, "category_id": CLASSES.index(name) + 1, "bbox": [left, top, width, height]}
            found.append({**box, "area": width * height, "score": score})
    return found


def test_average_precision_of_a_table_worked_out_by_hand():
    truth = encoded_boxes(["red", "red"], np.array([[0, 0, 10, 10], [20, 0, 30, 10]]))
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60], [20, 0, 30, 10]])
    said = encoded_boxes(["red"] * 3, boxes, np.array([0.9, 0.8, 0.7]))
    frame = pd.DataFrame({"row": [0], "y_pred": [said], "y_true": [truth]})
    value = average_precision(frame, np.ones((1, 1)), CLASSES)[0]
    assert value == pytest.approx((51 * 1.0 + 50 * 2 / 3) / 101)  # precision 1 up to a recall of 0.5, then 2 of 3


def test_a_weight_of_two_is_a_picture_twice():
    frame = made(4, rows=12, digits=6)
    counts = np.random.default_rng(1).integers(0, 3, 12)
    again = frame.iloc[np.repeat(np.arange(12), counts)]
    weighted = average_precision(frame, counts[None].astype(float), CLASSES, COCO)
    assert weighted == pytest.approx(average_precision(again, np.ones((1, len(again))), CLASSES, COCO))


def test_overlaps_are_shares_of_unions():
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 20, 20]])
    assert overlaps(boxes, boxes) == pytest.approx(np.array([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]]))


def test_counts_differ_by_the_boxes_above_the_threshold():
    frame = made(2)
    metric = {each.name: each for each in box_metrics(CLASSES, 0.5, (32, 96))}["count_error_red"]
    said = [
        sum(n == "red" and s >= 0.5 for n, s in zip(b.names, b.scores, strict=True)) for b in map(decoded_boxes, frame["y_pred"])
    ]
    true = [decoded_boxes(text).names.count("red") for text in frame["y_true"]]
    assert count_errors(frame, "red", 0.5).tolist() == np.abs(np.subtract(said, true)).tolist()
    assert metric.infer(frame, np.random.default_rng(1)).value == pytest.approx(np.abs(np.subtract(said, true)).mean())


def test_the_kind_keeps_its_promises():
    check_kind(Boxes(), made(3), SCHEMA)
    check_kind(Boxes(), made(3).drop(columns=["y_true"]), SCHEMA)


def test_errors_are_one_minus_f1():
    truth = encoded_boxes(["red", "white"], np.array([[0, 0, 10, 10], [20, 0, 30, 10]]))
    said = encoded_boxes(["red", "red"], np.array([[0, 0, 10, 10], [20, 0, 30, 10]]), np.array([0.9, 0.8]))
    frame = pd.DataFrame({"row": [0, 1], "y_pred": [said, "[]"], "y_true": [truth, "[]"]})
    assert Boxes().row_errors(frame, SCHEMA).size.tolist() == [0.5, 0.0]
    assert Boxes().said_with_certainty(frame, 0, SCHEMA) == "2 red"


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[["red", 1, 2]]', '[["red", 5, 0, 1, 3]]', '[["red", 0, 0, 1, NaN]]', "[" * 5000]
)
def test_a_text_that_holds_no_boxes_is_refused(text):
    with pytest.raises(DataError, match="boxes cannot be read"):
        decoded_boxes(text)


def test_a_box_of_no_known_class_is_refused():
    said = encoded_boxes(["cat"], np.array([[0, 0, 1, 1]]), np.array([0.5]))
    with pytest.raises(DataError, match="no known class"):
        Boxes().check(pd.DataFrame({"row": [0], "y_pred": [said]}), SCHEMA)


def reds(*corners: list[float], scores: list[float] | None = None) -> str:
    return encoded_boxes(["red"] * len(corners), np.array(corners), None if scores is None else np.array(scores))


def test_of_true_boxes_that_overlap_alike_the_last_is_taken_as_coco_does() -> None:
    left, right = [0, 0, 10, 10], [10, 0, 20, 10]
    both, said = [0, 0, 20, 10], [0.9, 0.8]
    found = matched(reds(both, right, scores=said), reds(left, right), "red", (0.5,))
    assert found.right.tolist() == [[True, False]]
    assert matched(reds(both, left, scores=said), reds(left, right), "red", (0.5,)).right.tolist() == [[True, True]]


def test_a_true_box_that_counts_is_taken_before_one_that_is_ignored_and_overlaps_more() -> None:
    small, large = [0, 0, 10, 10], [0, 0, 20, 20]
    found = matched(reds([0, 0, 16, 16], scores=[0.9]), reds(large, small), "red", (0.3,), (0.0, 150.0))
    assert (found.right.tolist(), found.ignored.tolist(), found.truths) == ([[True]], [[False]], 1)


def test_naming_no_box_is_right_of_a_picture_without_one() -> None:
    frame = pd.DataFrame({"row": [0, 1], "y_pred": ["[]", "[]"], "y_true": [reds([0, 0, 9, 9]), "[]"]})
    losses = Boxes().losses(frame, SCHEMA)
    assert losses is not None
    assert (losses.guessed.tolist(), losses.predicted.tolist()) == ([1, 0], [1, 0])

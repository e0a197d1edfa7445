"""Boxes worked out by hand: losses, what is read, kept and counted, classes without boxes, and edges of pictures."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.predictions.box_lists import decoded_boxes, encoded_boxes
from glassbench_plugins.detection.annotations import Annotated, read_coco, within
from glassbench_plugins.detection.average_precision import _areas, average_precision, count_errors
from glassbench_plugins.detection.center_loss import _bumps, center_losses
from glassbench_plugins.detection.counting import counting_threshold
from glassbench_plugins.detection.files import _squeezed
from glassbench_plugins.detection.flips import mirrored
from glassbench_plugins.detection.targets import box_target
from glassbench_plugins.detection.task import FAINTEST, Detection


def text(*boxes: tuple[str, list[float], float | None]) -> str:
    names, corners, scores = zip(*boxes, strict=True) if boxes else ((), (), ())
    return encoded_boxes(
        list(names), np.array(corners, dtype=float).reshape(-1, 4), np.array(scores) if boxes and scores[0] else None
    )


def frame(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["y_pred", "y_true"])


FIRST, SECOND = [0.0, 0, 10, 10], [20.0, 20, 30, 30]


def test_classes_without_a_true_box_are_left_out_and_overlaps_are_averaged() -> None:
    one = frame((text(("red", FIRST, 0.9), ("blue", SECOND, 0.8)), text(("red", FIRST, None))))
    ones = np.ones((1, 1))
    assert average_precision(one, ones, ["red", "blue"]) == pytest.approx([1.0])
    assert np.isnan(average_precision(one, ones, ["blue"])[0])
    shifted = frame((text(("red", [0.0, 0, 10, 8], 0.9)), text(("red", FIRST, None))))  # an intersection over union of 0.8
    assert average_precision(shifted, ones, ["red"], (0.5, 0.7, 0.9, 0.95)) == pytest.approx([0.5])


def test_precision_at_a_recall_is_the_best_from_there_on() -> None:
    right = np.array([True, False, True, False])
    found = _areas(np.ones((1, 4)), right, np.ones(4, dtype=bool), np.array([4.0]))
    recalls = np.linspace(0, 1, 101)
    assert found == pytest.approx([np.where(recalls <= 0.25, 1, np.where(recalls <= 0.5, 2 / 3, 0)).mean()])


def test_counts_differ_either_way_and_true_boxes_count_whatever_the_threshold() -> None:
    rows = frame(
        (
            text(("red", FIRST, 0.9), ("red", SECOND, 0.3)),
            text(("red", FIRST, None), ("blue", FIRST, None), ("blue", SECOND, None)),
        ),
        (text(("red", FIRST, 0.9), ("blue", SECOND, 0.8)), text()),
        (text(("red", FIRST, 0.1)), text(("red", FIRST, None))),
    )
    assert count_errors(rows, None, 0.5).tolist() == [2, 2, 1]
    assert count_errors(rows, "red", 0.5).tolist() == [0, 1, 1]


def test_boxes_are_cut_at_the_edges_of_a_picture_that_is_wider_than_tall() -> None:
    annotated = Annotated(
        file="a", boxes=(("red", -5, -5, 70, 30), ("red", 55, 3, 60, 9), ("red", 0, 22, 9, 30), ("red", 3, 3, 3, 9))
    )
    found = within(annotated, 20, 60)
    assert found.boxes == (("red", 0.0, 0.0, 60.0, 20.0), ("red", 55, 3, 60.0, 9))
    assert len(found.faults) == 2


def test_regions_of_crowds_are_no_boxes(tmp_path) -> None:
    boxes = [{"image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4], "iscrowd": crowd} for crowd in (0, 1)]
    content = {"categories": [{"id": 5, "name": "red"}], "images": [{"id": 1, "file_name": "a.png"}], "annotations": boxes}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    (found,) = read_coco(tmp_path / "boxes.json")
    assert found.boxes == (("red", 1.0, 2.0, 4.0, 6.0),)


def test_boxes_are_squeezed_as_their_picture_is(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("glassbench_plugins.detection.files.size_of_file", lambda path: (20, 80))
    annotated = Annotated(file="a", boxes=(("blue", 8, 5, 40, 15), ("other", 0, 0, 9, 9)))
    found, _ = _squeezed(annotated, tmp_path, ("red", "blue"), SimpleNamespace(height=40, width=20))
    assert found.tolist() == [[2, 10, 10, 30, 1]]


def test_a_loss_is_a_mean_over_the_boxes_of_a_picture_and_rows_that_fill_up_are_none() -> None:
    torch.manual_seed(0)
    boxes = np.array([[4.0, 4, 20, 12, 0], [40, 40, 60, 56, 1]])
    output = torch.randn(1, 2 + 4, 16, 16)
    both = center_losses(output, box_target([boxes]), 0.0), center_losses(output, box_target([boxes]), 1.0)
    filled = torch.cat([box_target([boxes]), torch.full((1, 3, 5), -1.0)], dim=1)
    assert center_losses(output, filled, 1.0).tolist() == pytest.approx(both[1].tolist())
    each = [center_losses(output, box_target([boxes[[k]]]), w) for k in range(2) for w in (0.0, 1.0)]
    sizes = [float(each[1] - each[0]), float(each[3] - each[2])]
    assert float(both[1] - both[0]) == pytest.approx(np.mean(sizes), rel=1e-4)


def test_bumps_are_as_wide_as_their_boxes_and_the_highest_of_a_class_counts() -> None:
    target = box_target([np.array([[0.0, 24, 96, 40, 0], [40, 24, 56, 40, 0], [40, 24, 56, 40, 1]])])
    bumps, rows, columns = _bumps(target, target[..., 4] >= 0, 2, 16, 32)
    assert (rows[0].tolist(), columns[0].tolist()) == ([8, 8, 8], [12, 12, 12])
    assert float(bumps.max()) == 1.0
    wide, small = bumps[0, 0], bumps[0, 1]
    assert float(wide[8, 16]) == pytest.approx(np.exp(-((4 / 4) ** 2) / 2), rel=1e-5)  # 96 pixels are 24 places, a sixth is 4
    assert float(wide[9, 12]) == pytest.approx(np.exp(-((1 / (4 / 6)) ** 2) / 2), rel=1e-5)
    assert float(small[8, 13]) == pytest.approx(np.exp(-((1 / (4 / 6)) ** 2) / 2), rel=1e-5)


def test_of_boxes_that_are_the_same_the_surest_stays_and_a_dropped_one_drops_no_other() -> None:
    corners = np.array([[0.0, 0, 10, 10], [0, 2, 10, 12], [0, 4, 10, 14], [0, 0, 10, 10], [50, 50, 60, 60]])
    scores, kinds = np.array([0.9, 0.8, 0.7, 0.6, FAINTEST]), np.array([0, 0, 0, 1, 0])
    found = decoded_boxes(Detection(same=0.6)._text(corners, kinds, scores, ("red", "blue"), 100, 100))
    assert found.scores.tolist() == [0.9, 0.7, 0.6, FAINTEST]  # 0.9 and 0.7 overlap by 6 of 14, 0.8 with both by 8 of 12
    assert [str(name) for name in found.names] == ["red", "red", "blue", "red"]


def test_a_threshold_miscounts_least_picture_by_picture_and_is_the_middle_one_that_does() -> None:
    assert counting_threshold([np.array([0.9, 0.2]), np.array([0.6, 0.5, 0.4])], np.array([1, 0])) == pytest.approx(0.75)
    assert counting_threshold([np.array([0.8]), np.array([0.7])], np.array([0, 2])) == pytest.approx(0.9)
    assert counting_threshold([np.array([0.8, 0.6, 0.4])], np.array([2])) == pytest.approx(0.5)
    even = counting_threshold([np.array([0.9, 0.3]), np.array([0.7, 0.5])], np.array([1, 1]))
    assert even == pytest.approx(0.6)


def test_boxes_of_pictures_that_stay_stay() -> None:
    images, target = (
        torch.arange(2 * 8.0).reshape(2, 1, 2, 4),
        box_target([np.array([[0.0, 0, 1, 2, 0]]), np.array([[0.0, 0, 1, 2, 0]])]),
    )
    turned, boxes = mirrored(images, target, torch.tensor([True, False]), axis=-1)
    assert boxes[:, 0].tolist() == [[3, 0, 4, 2, 0], [0, 0, 1, 2, 0]]
    assert torch.equal(turned[1], images[1])
    assert torch.equal(turned[0], images[0].flip(-1))

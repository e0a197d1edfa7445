"""The score from which boxes are counted, chosen on validation images."""

from dataclasses import replace

import numpy as np
import pytest

from glassbench import DataError
from glassbench.testing import check_task
from glassbench_plugins.detection.centernet import CenterNet
from glassbench_plugins.detection.counting import counting_threshold
from glassbench_plugins.detection.scattered_shapes import scattered_shapes
from glassbench_plugins.detection.task import Detection


def miscounted(scores, truths, threshold):
    return np.mean([abs(int((each >= threshold).sum()) - truth) for each, truth in zip(scores, truths, strict=True)])


@pytest.mark.parametrize("seed", range(5))
def test_no_other_score_counts_better(seed):
    draw = np.random.default_rng(seed)
    scores = [draw.random(draw.integers(0, 12)).round(2) for _ in range(40)]
    truths = draw.integers(0, 8, 40)
    found = miscounted(scores, truths, counting_threshold(scores, truths))
    assert found == min(miscounted(scores, truths, tried) for tried in np.linspace(0, 1, 2001))


def test_scores_that_tell_objects_apart_are_cut_between_them():
    scores = [np.array([0.9, 0.8, 0.2]), np.array([0.7, 0.1]), np.array([0.15])]
    assert 0.2 < counting_threshold(scores, np.array([2, 1, 0])) < 0.7


def test_pictures_without_boxes_leave_a_score_between_0_and_1():
    assert 0 < counting_threshold([np.zeros(0), np.zeros(0)], np.array([0, 0])) < 1


def test_the_task_takes_the_score_from_validation_images_and_keeps_it():
    data = scattered_shapes(1, rows=60)
    network = CenterNet(data.schema, widths=(8, 8, 8), head=8)
    check_task(Detection(threshold=None), data, network)
    task, later = Detection(threshold=None), Detection(threshold=None)
    task.check(data.schema)
    facts = task.calibrate(network, data)
    later.use_calibration(facts)
    assert later.kind.threshold == later.threshold == facts["threshold"]
    with pytest.raises(DataError, match="no validation images"):
        task.calibrate(network, replace(data, validation=None))
    assert Detection(threshold=0.3).calibrate(network, data) is None

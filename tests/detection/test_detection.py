"""The task of detection, its network and its made pictures: conformance, planted evidence, planted gaps."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from glassbench import FitError, SettingsError, Subject, Workspace
from glassbench.contracts.predictions.box_lists import decoded_boxes
from glassbench.testing import check_task
from glassbench_audits.fairness.audit import audit
from glassbench_plugins.detection.center_loss import center_losses, read_boxes
from glassbench_plugins.detection.centernet import STRIDE, CenterNet
from glassbench_plugins.detection.flips import mirrored
from glassbench_plugins.detection.scattered_shapes import scattered_shapes
from glassbench_plugins.detection.targets import box_target
from glassbench_plugins.detection.task import Detection
from glassbench_plugins.training.lightning import LightningTrainer

TRAINER = LightningTrainer(max_epochs=40, batch_size=8, learning_rate=0.004, threads=1, early_stopping=None)
SMALL = {"widths": (12, 24, 32), "head": 24}


@pytest.fixture(scope="module")
def data():
    return scattered_shapes(1, rows=60)


def perfect(target, classes, height, width):
    """Return the output that says exactly the boxes of a target."""
    output = torch.zeros(len(target), classes + 4, height, width)
    output[:, :classes] = -20
    for row, boxes in enumerate(target):
        for left, top, right, bottom, kind in boxes[boxes[:, 4] >= 0].tolist():
            across, down = (left + right) / 2 / STRIDE, (top + bottom) / 2 / STRIDE
            place = row, slice(classes, None), int(down), int(across)
            output[row, int(kind), int(down), int(across)] = 20
            sides = np.log([right - left, bottom - top])
            output[place] = torch.tensor([*sides, across - int(across), down - int(down)], dtype=torch.float32)
    return output


def test_the_task_keeps_its_promises(data):
    check_task(Detection(), data, CenterNet(data.schema, **SMALL))


def test_the_output_of_the_truth_is_read_as_the_truth(data):
    target = data.test.target[:6]
    output = perfect(target, 3, 16, 16)
    corners, kinds, scores, _ = read_boxes(output, 30)
    for row, boxes in enumerate(target):
        known = boxes[boxes[:, 4] >= 0]
        sure = scores[row] > 0.5
        said = torch.cat([corners[row][sure], kinds[row][sure, None]], dim=1).float()
        assert sorted(said.tolist()) == [pytest.approx(each, abs=1e-3) for each in sorted(known.tolist())]


def test_the_loss_is_smallest_for_the_truth(data):
    target = data.test.target[:6]
    output = perfect(target, 3, 16, 16)
    right = center_losses(output, target, 1.0)
    moved = center_losses(output.roll(3, dims=3), target, 1.0)
    assert (right < 0.05).all()
    assert (moved > right + 1).all()


def test_pictures_without_a_box_have_a_loss_and_learn_from_it():
    target = box_target([np.zeros((0, 5)), np.array([[4.0, 4, 20, 20, 1]])])
    output = torch.zeros(2, 7, 8, 8, requires_grad=True)
    losses = center_losses(output, target, 1.0)
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert output.grad[0, :3].abs().sum() > 0
    assert output.grad[0, 3:].abs().sum() == 0


@pytest.mark.parametrize("axis", [-1, -2])
def test_boxes_are_mirrored_with_their_pictures(data, axis):
    images, target = data.train.inputs[0][:4], data.train.target[:4]
    turned, boxes = mirrored(images, target, torch.tensor([True, False, True, True]), axis)
    assert torch.equal(boxes[1], target[1])
    left, top, right, bottom = map(int, boxes[0, 0, :4])
    a, b, c, d = map(int, target[0, 0, :4])
    assert torch.equal(turned[0, :, top:bottom, left:right], images[0, :, b:d, a:c].flip(axis))
    assert torch.equal(mirrored(turned, boxes, torch.tensor([True, False, True, True]), axis)[1], target)


def test_impossible_networks_and_foreign_outputs_are_refused(data):
    with pytest.raises(SettingsError, match="two widths"):
        CenterNet(data.schema, widths=(8,))
    task = Detection()
    task.check(data.schema)
    with pytest.raises(FitError, match="numbers per place"):
        task.predict(torch.nn.Conv2d(1, 3, 1), data.test)


@pytest.mark.parametrize("size", [(16, 16), (37, 50)])
def test_there_is_a_place_for_every_four_pixels(data, size):
    model = CenterNet(data.schema, **SMALL).eval()
    assert model(torch.zeros(2, 1, *size)).shape == (2, 7, -(-size[0] // 4), -(-size[1] // 4))


def fitted(seed, folder, **settings):
    data, task = scattered_shapes(seed, **settings), Detection()
    task.check(data.schema)
    torch.manual_seed(seed)
    model = CenterNet(data.schema, **SMALL)
    trained = TRAINER.fit(model, task, data, Workspace(seed=seed, folder=folder, record=lambda line: None)).model
    return data, task, trained


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_shapes_are_found_and_their_evidence_lies_in_their_boxes(tmp_path, seed):
    data, task, model = fitted(seed, tmp_path, faint_share=0.0)
    predictions = task.predict(model, data.test)
    value = task.metrics[0].compute(predictions.frame, np.ones((1, len(data.test))))[0]
    assert value > 0.7
    rows = torch.arange(12)
    images, index = data.test.inputs[0][rows], predictions.target_index[rows]
    held = np.concatenate(
        [_explained(task, model, images[k : k + 1], index[k]).abs().sum(dim=1).detach().numpy() for k in range(12)]
    )
    inside = np.zeros(held.shape, dtype=bool)
    for mask, text in zip(inside, predictions.frame["y_pred"], strict=False):
        left, top, right, bottom = decoded_boxes(text).corners[0].round().astype(int)
        mask[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2] = True
    assert held[inside].sum() / held.sum() > 3 * inside.mean()


def _explained(task, model, image, index):
    method = IntegratedGradients(lambda x: task.attribution_output(model(x))[:, index[0], index[1], index[2]])
    return method.attribute(image, n_steps=24, internal_batch_size=48)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("planted", [True, False])
def test_the_gap_between_cameras_is_found_and_none_where_there_is_none(tmp_path, seed, planted):
    settings = {} if planted else {"faintness": 0.0}
    data, task, model = fitted(seed, tmp_path, **settings)
    subject = Subject(schema=data.schema, predictions=task.predict(model, data.test), task=task, model=model, seed=seed)
    result = audit(subject)
    gap = next(m for m in result.measures if m.name == "fairness.ap50_difference" and m.by == ("camera",))
    assert gap.low > 0.05 if planted else gap.low < 0.05
    assert planted or not [f for f in result.findings if f.grade == "concern"]

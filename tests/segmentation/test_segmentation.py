"""The task of segmentation, its network and its made pictures: conformance, planted evidence, planted gaps."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from scipy.ndimage import center_of_mass, label
from torch import nn

from glassbench import Batch, FitError, SettingsError, Subject, Workspace
from glassbench.testing import check_model, check_task
from glassbench_audits.fairness.audit import audit
from glassbench_plugins.segmentation.crops import Crops
from glassbench_plugins.segmentation.loss import mask_losses
from glassbench_plugins.segmentation.task import Segmentation
from glassbench_plugins.segmentation.textured_shapes import core_of, textured_shapes
from glassbench_plugins.segmentation.unet import UNet
from glassbench_plugins.training.lightning import LightningTrainer

TRAINER = LightningTrainer(max_epochs=25, batch_size=8, learning_rate=0.005, threads=1)


@pytest.fixture(scope="module")
def data():
    return textured_shapes(1, rows=60)


def test_the_task_keeps_its_promises(data):
    check_task(Segmentation(), data, UNet(data.schema, width=4, depth=2))


def test_the_network_keeps_its_promises(data):
    check_model(UNet, data=data, task=Segmentation(), width=4, depth=1)


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (48, 33)])
def test_masks_are_as_large_as_images_of_any_size(data, size):
    model = UNet(data.schema, width=4, depth=3).eval()
    assert model(torch.zeros(2, 1, *size)).shape == (2, 3, *size)


def test_impossible_networks_and_foreign_outputs_are_refused(data):
    with pytest.raises(SettingsError, match="must leave a pixel"):
        UNet(data.schema, depth=7)
    task = Segmentation()
    task.check(data.schema)
    with pytest.raises(FitError, match="numbers per pixel"):
        task.predict(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), data.test)


def test_the_loss_is_none_for_the_truth_and_leaves_unknown_pixels_out():
    truth = torch.tensor([[[0, 1], [2, 1]]])
    sure = nn.functional.one_hot(truth, 3).movedim(-1, 1) * 50.0
    assert mask_losses(sure, truth, 0.5).item() == pytest.approx(0, abs=1e-6)
    wrong = sure.clone()
    wrong[..., 0, 0] = torch.tensor([0.0, 50.0, 0.0])
    unknown = truth.clone()
    unknown[0, 0, 0] = -1
    assert mask_losses(wrong, truth, 0.5).item() > 1
    assert mask_losses(wrong, unknown, 0.5).item() == pytest.approx(0, abs=1e-6)


def test_crops_change_pictures_and_masks_alike_and_only_while_training():
    torch.manual_seed(0)
    masks = torch.arange(64).reshape(1, 8, 8).expand(12, 8, 8).contiguous()
    chunk = Batch((masks[:, None].float(),), masks, torch.arange(12))
    model = nn.Identity()
    (batch,) = Crops(model.train(), 5, "all")(chunk, 12)
    assert batch.inputs[0].shape == (12, 1, 5, 5)
    assert (batch.inputs[0][:, 0].long() == batch.target).all()
    assert len({tuple(each.flatten().tolist()) for each in batch.target}) > 6
    (same,) = Crops(model.eval(), 5, "all")(chunk, 12)
    assert torch.equal(same.target, masks)


def fitted(seed, folder, **settings):
    data, task = textured_shapes(seed, rows=160, **settings), Segmentation()
    task.check(data.schema)
    torch.manual_seed(seed)
    model = UNet(data.schema, width=8, depth=2)
    trained = TRAINER.fit(model, task, data, Workspace(seed=seed, folder=folder, record=lambda line: None)).model
    return data, task, trained


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_evidence_is_found_where_it_was_planted(tmp_path, seed):
    data, task, model = fitted(seed, tmp_path, faint_share=0.0)
    striped = np.flatnonzero((data.test.target == 2).any(dim=2).any(dim=1).numpy())[:12]
    images = data.test.inputs[0][torch.as_tensor(striped)]
    method = IntegratedGradients(lambda x: task.attribution_output(model(x)))
    held = method.attribute(images, target=2, n_steps=24, internal_batch_size=48).abs().sum(dim=1).detach().numpy()
    cores = np.stack([cores_of(mask) for mask in data.test.target[torch.as_tensor(striped)].numpy()])
    inside, area = (held * cores).sum() / held.sum(), cores.mean()
    assert inside > 4 * area
    plain = data.test.target[torch.as_tensor(striped)].numpy() == 1
    assert held[cores].mean() > 3 * (held[plain].mean() if plain.any() else 0)


def cores_of(mask):
    """Return where the cores of striped discs lie, from the middles of their connected pixels."""
    numbered, count = label(mask == 2)
    found = np.zeros(mask.shape, dtype=bool)
    for down, across in center_of_mass(numbered > 0, numbered, range(1, count + 1)):
        found |= core_of(round(down), round(across))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("planted", [True, False])
def test_the_gap_between_cameras_is_found_and_none_where_there_is_none(tmp_path, seed, planted):
    settings = {} if planted else {"faintness": 0.0}
    data, task, model = fitted(seed, tmp_path, sensitive=("camera",), **settings)
    subject = Subject(schema=data.schema, predictions=task.predict(model, data.test), task=task, model=model, seed=seed)
    result = audit(subject)
    gap = next(m for m in result.measures if m.name == "fairness.dice_difference")
    assert (gap.low > 0.03) if planted else (gap.low == 0 or gap.value < 0.03)
    concerned = [f for f in result.findings if f.grade == "concern"]
    assert planted or not concerned

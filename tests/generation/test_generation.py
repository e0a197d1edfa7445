"""The task of generation and its models: conformance, exact sampling, bad input."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import DataError, FitError, SettingsError
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.predictions.picture_text import decoded_pictures, encoded_pictures
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import GlassbenchError
from glassbench.testing import check_kind, check_task, check_taught
from glassbench_plugins.generation import judge as judging
from glassbench_plugins.generation.diffusion import Diffusion
from glassbench_plugins.generation.flow_matching import FlowMatching
from glassbench_plugins.generation.mixture import ClassMixture
from glassbench_plugins.generation.task import PictureGeneration
from glassbench_plugins.generation.vae import ConditionalVae
from glassbench_plugins.tabular.datasets import breast_cancer
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.vision.digits import digits

QUICK = LightningTrainer(max_epochs=1, batch_size=64, threads=1, keep="last", early_stopping=None)
NETWORKS = {
    Diffusion: {"widths": (8, 8), "steps": 3},
    FlowMatching: {"widths": (8,), "steps": 2},
    ConditionalVae: {"code": 3, "hidden": (16,)},
}


@pytest.fixture(scope="module")
def data():
    whole = digits(3, sensitive=("brightness",))
    return replace(whole, train=whole.train.take(np.arange(300)), test=whole.test.take(np.arange(60)))


@pytest.fixture(scope="module")
def three(data):
    """The same of three classes alone, since networks are asked about each class in turn."""
    train, test = (each.take(np.flatnonzero(each.target.numpy() < 3)) for each in (data.train, data.test))
    schema = replace(data.schema, target=replace(data.schema.target, classes=("0", "1", "2")))
    return replace(data, schema=schema, train=train, validation=None, test=test)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(judging, "_STEPS", 5)


@pytest.fixture
def task(data, quick):
    """A task that knows its classifier, barely trained."""
    found = PictureGeneration()
    found.check(data.schema)
    found.use_calibration(found.calibrate(torch.nn.Identity(), data))
    return found


def test_the_task_keeps_its_promises(data, quick):
    check_task(PictureGeneration(), data, ConditionalVae(data.schema, code=2, hidden=(8,)))


@pytest.mark.parametrize("factory", NETWORKS)
def test_networks_keep_their_promises(three, quick, factory):
    task = PictureGeneration()
    task.check(three.schema)
    task.use_calibration(task.calibrate(torch.nn.Identity(), three))
    check_taught(factory, task, QUICK, three, **NETWORKS[factory])


def test_the_mixture_keeps_its_promises(data, task):
    check_taught(ClassMixture, task, EstimatorTrainer(), data, components=2, axes=4)


def test_predictions_without_groups_or_with_one_row_of_a_class_are_whole(data, task):
    model = ConditionalVae(data.schema, code=2, hidden=(8,)).eval()
    few = data.test.take(np.flatnonzero(data.test.target.numpy() < 2)[:7])
    lone = few.take(np.concatenate([[0], np.flatnonzero(few.target.numpy() == few.target.numpy()[-1])]))
    frame = task.predict(model, replace(lone, groups=None)).frame
    check_kind(task.kind, frame, data.schema)
    assert len(frame) == len(lone)


def test_a_part_of_many_held_out_pictures_is_generated_for(data, quick):
    task = PictureGeneration(pictures=20)
    task.check(data.schema)
    model = ConditionalVae(data.schema, code=2, hidden=(8,)).eval()
    task.use_calibration(task.calibrate(model, data))
    found = task.predict(model, data.test)
    assert len(found.frame) == len(found.source) == 20
    assert (found.frame["row"].to_numpy() == found.source.rows).all()


@pytest.fixture
def one_picture(data):
    """A picture within black and white, and the schema of its data set."""
    return data.train.inputs[0][:1], data.schema


def known(model, answer):
    """Put an answer in the place of a network."""
    del model._modules["denoiser"]
    model.__dict__["denoiser"] = answer


def test_diffusion_that_knows_the_noise_gives_the_picture_back(one_picture):
    picture, schema = one_picture
    model = Diffusion(schema, widths=(8,), steps=7)

    def exact(x, time, classes):
        angle = (time + 0.008) / 1.008 * (torch.pi / 2)
        signal = (torch.cos(angle) / np.cos(0.008 / 1.008 * np.pi / 2)).clamp(0.01, 1)[:, None, None, None]
        return (x - signal * picture) / (1 - signal**2).clamp(min=1e-6).sqrt()

    known(model, exact)
    noise = torch.randn((5, *picture.shape[1:]), generator=torch.Generator().manual_seed(0))
    made = model.sample(torch.zeros(5, dtype=torch.long), noise)
    assert torch.allclose(made, picture.expand(made.shape), atol=1e-3)


def test_flow_matching_that_knows_the_direction_gives_the_picture_back(one_picture):
    picture, schema = one_picture
    model = FlowMatching(schema, widths=(8,), steps=4)
    noise = torch.randn((5, *picture.shape[1:]), generator=torch.Generator().manual_seed(0))
    known(model, lambda x, time, classes: picture - noise)
    assert torch.allclose(model.sample(torch.zeros(5, dtype=torch.long), noise), picture.expand(noise.shape), atol=1e-5)


def test_guidance_moves_pictures_away_from_those_of_no_class(one_picture):
    _, schema = one_picture
    torch.manual_seed(0)
    model = Diffusion(schema, widths=(8,), steps=4, guidance=0)
    torch.nn.init.normal_(model.denoiser.last[2].weight)
    noise, classes = torch.randn(3, 1, 8, 8), torch.tensor([0, 1, 2])
    plain = model.sample(classes, noise)
    model.guidance = 2.0
    assert not torch.allclose(model.sample(classes, noise), plain)
    model.guidance = 0.0
    assert torch.equal(model.sample(classes, noise), plain)


def test_the_mixture_draws_what_it_was_fitted_to(data):
    torch.manual_seed(0)
    pictures, classes = data.train.inputs[0].numpy(), data.train.target.numpy()
    mixture = ClassMixture(data.schema, components=1, axes=20).fit(pictures, classes)
    wanted = torch.full((4000,), 3)
    made = mixture.sample(wanted, torch.randn(4000, *mixture.noise_shape)).numpy()
    real = pictures[classes == 3]
    assert np.abs(made.mean(axis=0) - real.mean(axis=0)).max() < 0.25
    with torch.no_grad():
        assert (mixture(torch.as_tensor(pictures)).argmax(dim=1).numpy() == classes).mean() > 0.97


def test_pictures_as_text_come_back_and_others_are_refused():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 3, 4, 5)) / 255
    assert np.allclose(decoded_pictures(encoded_pictures(pictures)), pictures, atol=1e-6)
    for wrong in ("", "1x2x2:AAAA", "1x1x1:%%%%", "3x4:AAAA"):
        with pytest.raises(DataError, match="cannot be read"):
            decoded_pictures([wrong])
    with pytest.raises(DataError, match="differ in size"):
        decoded_pictures([*encoded_pictures(np.zeros((1, 1, 2, 2))), *encoded_pictures(np.zeros((1, 1, 1, 1)))])


def test_foreign_data_and_models_are_refused_with_what_to_do(data, task):
    with pytest.raises(DataError, match="images of classes") as refused:
        PictureGeneration().check(breast_cancer(0).schema)
    assert "digits" in str(refused.value)
    with pytest.raises(FitError, match="generates no pictures"):
        task.predict(torch.nn.Linear(1, 1), data.test)
    with pytest.raises(FitError, match="nothing it could minimise"):
        task.learner(torch.nn.Linear(1, 1), data, None)
    with pytest.raises(SettingsError, match="each width but the first"):
        Diffusion(data.schema, widths=(8,) * 5)
    with pytest.raises(DataError, match="no training image"):
        task.check_data(replace(data, train=data.train.take(np.flatnonzero(data.train.target.numpy() != 4))))
    with pytest.raises(FitError, match="training images of each class"):
        ClassMixture(data.schema).fit(data.train.inputs[0].numpy()[:40], data.train.target.numpy()[:40])
    with pytest.raises(FitError, match="one size"):
        Diffusion(Schema(modality="image", shape=(1, None, 8), target=data.schema.target))
    with pytest.raises(FitError, match="of a class"):
        Diffusion(Schema(modality="image", shape=(1, 8, 8), target=Target(name="size", kind="value")))
    with pytest.raises(GlassbenchError, match="classifier to judge by"):
        PictureGeneration().judged_rows(data.test.inputs[0])


def test_calibrations_of_others_are_refused(data, task):
    facts = task.calibrate(torch.nn.Identity(), data)
    first = "body.0.weight"
    for broken in ({**facts["judge"], first: {"shape": [1], "float32": "AAAAAA=="}}, {}):
        with pytest.raises((KeyError, ValueError)):
            task.use_calibration({**facts, "judge": broken})


@pytest.mark.parametrize("height", [5, 8, 9])
def test_pictures_of_any_size_and_of_colour_are_made(height):
    facts = ImageFacts(mean=(0.5,) * 3, std=(0.2,) * 3)
    schema = Schema(
        modality="image", shape=(3, height, 7), target=Target(name="c", kind="class", classes=("a", "b")), facts=facts
    )
    model = Diffusion(schema, widths=(8, 8), steps=2).eval()
    made = model.sample(torch.tensor([0, 1]), torch.randn(2, 3, height, 7))
    assert made.shape == (2, 3, height, 7)
    assert made.min() >= -2.5001
    assert model(made).shape == (2, 2)


def test_a_frame_without_its_columns_is_refused(task, data):
    with pytest.raises(DataError, match="lack the column"):
        task.kind.check(pd.DataFrame({"row": [0], "y_true": ["1"], "y_pred": ["1"]}), data.schema)

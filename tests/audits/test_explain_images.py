"""Explanations of images: the methods against Captum and by hand, a planted patch, and what a report shows."""

import copy

import numpy as np
import pytest
import torch
from captum.attr import GuidedGradCam, LayerGradCam, Occlusion, Saliency
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.testing import ToyTask, check_audit
from glassbench.testing.fixtures import descend
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.grad_cam import last_convolution
from glassbench_audits.attribution.image_feature_groups import image_feature_groups
from glassbench_audits.attribution.method import Request
from glassbench_audits.attribution.methods import METHODS
from glassbench_audits.attribution.rollout import attention_rollout
from glassbench_audits.explain.audit import explain
from glassbench_audits.explain.views.image_pictures import reduced

SIDE = 16


class Tiny(nn.Module):
    """A convolution and a linear layer over a grid of means."""

    last_convolution = "features"

    def __init__(self, classes=2):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 64, classes))

    def forward(self, images):
        return self.head(self.features(images))


def planted(seed, rows=400):
    """Noise; the class is whether one patch of 4 x 4 pixels is bright."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(rows, 1, SIDE, SIDE, generator=generator) * 0.5
    target = torch.randint(0, 2, (rows,), generator=generator)
    top, left = (2 * int(torch.randint(0, 7, (), generator=generator)) for _ in range(2))
    images[:, 0, top : top + 4, left : left + 4] += (4.0 * target - 2)[:, None, None]
    classes = Target(name="label", kind="class", classes=("plain", "marked"), positive="marked")
    facts = ImageFacts(mean=(0.5,), std=(0.2,))
    schema = Schema(modality="image", shape=(1, SIDE, SIDE), target=classes, unit="image", facts=facts)
    half = rows // 2
    parts = [Split(inputs=(images[s],), rows=np.arange(rows)[s], target=target[s]) for s in (slice(half), slice(half, rows))]
    return Data(schema=schema, train=parts[0], test=parts[1]), (top, left)


def subject_of(seed, model=None):
    data, where = planted(seed)
    torch.manual_seed(seed)
    task, model = ToyTask(), model or Tiny()
    task.check(data.schema)
    descend(model, task, data.train, 40, learning_rate=0.01)
    predictions = task.predict(model.eval(), data.test)
    return Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=data.train, seed=seed), where


@pytest.fixture(scope="module")
def subject():
    return subject_of(0)[0]


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_patch_holds_the_top_attribution(seed):
    subject, (top, left) = subject_of(seed)
    result = explain(subject, rows=64, cases=0, replicates=50)
    table = next(t for t in result.tables if t.title == "Importance of each input")
    inside = {f"rows {r + 1} to {r + 2}, columns {c + 1} to {c + 2}" for r in (top, top + 2) for c in (left, left + 2)}
    strongest = table.rows[:4]  # the patch covers four of the 64 units
    mass = sum(row[1] for row in strongest)
    assert sum(row[1] for row in strongest if row[0] in inside) >= 0.9 * mass


def test_the_audit_keeps_its_promises_on_images(subject):
    check_audit(explain, "explain", subjects=[subject], rows=16, cases=1, replicates=20)


@pytest.mark.parametrize("method", ["saliency", "grad-cam", "guided-grad-cam", "occlusion"])
def test_methods_for_images_can_be_asked_for(subject, method):
    result = explain(subject, method=method, rows=16, cases=1, replicates=20)
    assert result.method.parameters["method"] == method
    assert result.not_applicable is None


def test_methods_for_images_refuse_tables():
    from glassbench.testing import toy_subject

    assert "looks at images" in explain(toy_subject(), method="occlusion").not_applicable


def test_cases_show_the_image_and_maps_for_two_classes(subject):
    result = explain(subject, rows=16, cases=1, replicates=20)
    titles = [picture.title for picture in result.cases[0].pictures]
    assert titles[0] == "The image"
    assert {title.split(": ")[1] for title in titles if title.startswith("Grad-CAM")} == {"plain", "marked"}
    assert any(title.startswith("Occlusion") for title in titles)
    assert [p.title for p in result.pictures] == ["Where the influence lies"]


class Difference(nn.Module):
    """The log-odds of each of two classes, as one module for Captum."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        scores = self.model(images)
        return scores - scores.flip(1)


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_methods_equal_direct_captum_calls(subject):
    """In double precision: in single, passes of other sizes differ by the last digits of log-odds of 16."""
    precise = copy.deepcopy(subject.model).double()
    inputs, target = subject.predictions.source.inputs[0][:6].double(), subject.predictions.target_index[:6]
    model, black = Difference(precise), torch.zeros_like(inputs)
    rows = Rows(inputs=inputs, target_index=target)
    request = Request(
        explained=Explained(precise, subject.task), rows=rows, baselines=black, mask=black[0].long(), steps=0, samples=0
    )
    cam = LayerGradCam(model, precise.features).attribute(inputs, target, relu_attributions=True)
    enlarged = nn.functional.interpolate(cam, (SIDE, SIDE), mode="bilinear")
    hidden = Occlusion(model).attribute(inputs, (1, 4, 4), (1, 2, 2), baselines=0, target=target)
    slope = Saliency(model).attribute(inputs.clone().requires_grad_(), target)
    guided = GuidedGradCam(model, precise.features).attribute(inputs.clone().requires_grad_(), target, None, "bilinear")
    direct = {"grad-cam": enlarged, "occlusion": hidden, "saliency": slope, "guided-grad-cam": guided}
    for name, expected in direct.items():
        torch.testing.assert_close(METHODS[name].call(request), expected, atol=1e-6, rtol=1e-5)


def test_the_last_convolution_is_found_or_said_not_to_be_there():
    plain = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 3, 1))
    assert last_convolution(plain) is plain[2]
    assert last_convolution(nn.Linear(2, 2)) is None
    plain.last_convolution = None
    assert last_convolution(plain) is None


class Attending(nn.Module):
    """Two blocks of fixed attention over a class token and four patches."""

    attention_layers = ("first", "second")
    patch_grid = (2, 2)

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = _Fixed(first), _Fixed(second)
        self.head = nn.Linear(1, 2)

    def forward(self, images):
        self.first(images), self.second(images)
        return self.head(images.flatten(1)[:, :1])


class _Fixed(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def forward(self, images):
        return self.attention.expand(len(images), *self.attention.shape)


def test_rollout_is_the_product_of_half_attended_blocks():
    torch.manual_seed(0)
    first, second = (torch.softmax(torch.randn(3, 5, 5), dim=-1) for _ in range(2))
    explained = Explained(Attending(first, second), ToyTask())
    rolled = attention_rollout(explained, Rows(inputs=torch.zeros(2, 1, 2, 2)))
    by_hand = [0.5 * block.mean(dim=0) + 0.5 * torch.eye(5) for block in (second, first)]
    assert torch.allclose(rolled[0].flatten(), (by_hand[0] @ by_hand[1])[0, 1:], atol=1e-6)


def test_patches_cover_every_pixel_once_and_are_named_from_the_top_left():
    units = image_feature_groups(Schema(modality="image", shape=(3, 28, 20), target=Target(name="y", kind="class")), (3, 28, 20))
    assert len(units) == len(units.names) == 64
    assert units.mask.unique().tolist() == list(range(64))
    assert units.names[0] == "rows 1 to 4, columns 1 to 2"
    assert torch.equal(units.mask[0], units.mask[2])


def test_large_images_are_shown_smaller_by_whole_blocks():
    image = np.arange(200 * 100.0).reshape(200, 100)
    small = reduced(image)
    assert small.shape == (66, 33)
    assert small[0, 0] == image[:3, :3].mean()

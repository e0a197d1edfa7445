"""Networks for images, and what they do to images while training."""

import pytest
import torch

from glassbench.contracts.schema import Schema, Target
from glassbench.errors import FitError, SettingsError
from glassbench_plugins.vision.augmentation import Augmentation
from glassbench_plugins.vision.cnn import Cnn
from glassbench_plugins.vision.resnet import ResNet
from glassbench_plugins.vision.vit import VisionTransformer


def schema(*shape, classes=3):
    target = Target(name="label", kind="class", classes=tuple(f"c{k}" for k in range(classes)))
    return Schema(modality="image", shape=shape, target=target)


@pytest.mark.parametrize("build", [Cnn, ResNet, VisionTransformer])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 30, 20), (3, 112, 112)])
def test_every_network_takes_every_size(build, shape):
    model = build(schema(*shape)).eval()
    assert model(torch.zeros(2, *shape)).shape == (2, 3)


def test_resnet_18_has_the_published_number_of_weights():
    model = ResNet(schema(3, 224, 224, classes=1000), depth=18)
    assert sum(p.numel() for p in model.parameters()) == 11_689_512


def test_attention_can_be_read_and_sums_to_one():
    model = VisionTransformer(schema(1, 8, 8)).eval()
    seen = []
    for name in model.attention_layers:
        model.get_submodule(name).register_forward_hook(lambda module, args, output: seen.append(output))
    model(torch.randn(2, 1, 8, 8))
    assert [tuple(a.shape) for a in seen] == [(2, 4, 17, 17)] * 4
    assert torch.allclose(seen[0].sum(dim=-1), torch.ones(2, 4, 17))


def test_impossible_sizes_are_refused():
    with pytest.raises(SettingsError, match="whole patches"):
        VisionTransformer(schema(1, 8, 8), patch=3)
    with pytest.raises(SettingsError, match="halves the image"):
        Cnn(schema(1, 2, 2), widths=(8, 8, 8, 8))
    with pytest.raises(FitError, match="images of one size"):
        ResNet(Schema(modality="table", shape=(4,), target=Target(name="y", kind="class", classes=("a", "b"))))


def test_augmentation_moves_images_by_whole_pixels_and_only_while_training():
    torch.manual_seed(0)
    images = torch.arange(16.0).reshape(1, 1, 1, 16).expand(64, 1, 16, 16).contiguous()
    change = Augmentation("shift", 16, 16)
    moved = change(images)
    by = moved[:, 0, 0, 8] - 8
    assert set(by.tolist()) == {-2.0, -1.0, 0.0, 1.0, 2.0}
    assert torch.equal(moved[:, 0, 0], (torch.arange(16.0) + by[:, None]).clamp(0, 15))
    assert torch.equal(change.eval()(images), images)


def test_flipping_mirrors_about_half_of_the_images():
    torch.manual_seed(0)
    images = torch.arange(16.0).reshape(1, 1, 1, 16).expand(200, 1, 16, 16).contiguous()
    moved = Augmentation("shift-and-flip", 16, 16)(images)
    assert 70 < int((moved[:, 0, 0, 4] > moved[:, 0, 0, 12]).sum()) < 130

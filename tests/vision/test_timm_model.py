"""Networks of `timm`, drawn at random here, saved as safetensors, then used as if others had trained them."""

import pytest
import torch
from safetensors.torch import save_file

from glassbench import load_run, run
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import SettingsError
from glassbench.testing import check_model
from glassbench_plugins.vision.digits import digits

try:
    import timm
except (ImportError, RuntimeError) as error:  # timm imports torchvision, which fails beside a torch of another build
    pytest.skip(f"timm cannot be imported: {error}", allow_module_level=True)
from glassbench_plugins.vision.timm_model import TimmModel


def schema(*shape, classes=3):
    target = Target(name="label", kind="class", classes=tuple(f"c{k}" for k in range(classes)))
    return Schema(modality="image", shape=shape, target=target)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file(timm.create_model("resnet10t", num_classes=7).state_dict(), path)
    return path


def test_it_keeps_a_models_promises(weights):
    check_model(TimmModel, data=digits(1), name="resnet10t", weights=str(weights))


@pytest.mark.parametrize(
    ("name", "layer"), [("resnet10t", "layer4"), ("convnext_atto", "stages.3"), ("vit_tiny_patch16_224", None)]
)
def test_grad_cam_stands_on_the_last_features_that_lie_as_an_image_does(name, layer):
    model = TimmModel(schema(3, 32, 48), name=name)
    assert model.last_convolution == (layer and f"network.{layer}")
    assert model.eval()(torch.zeros(2, 3, 32, 48)).shape == (2, 3)


def test_every_weight_but_the_heads_comes_from_the_file(weights):
    model = TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(weights.parent))
    torch.manual_seed(5)
    first = timm.create_model("resnet10t", num_classes=7).state_dict()
    loaded = model.network.state_dict()
    assert loaded.keys() == first.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in first.items() if not name.startswith("fc."))


def test_grey_images_get_the_sum_of_the_three_colours(weights):
    grey = TimmModel(schema(1, 32, 32), name="resnet10t", weights=str(weights)).network.conv1[0].weight
    coloured = TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(weights)).network.conv1[0].weight
    assert torch.allclose(grey, coloured.sum(dim=1, keepdim=True))


def test_what_is_frozen_stays_as_it_came(weights):
    model = TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(weights), freeze=True).train()
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["network.fc.weight", "network.fc.bias"]
    before = model.network.bn1.running_mean.clone()
    model(torch.randn(4, 3, 32, 32))
    assert torch.equal(model.network.bn1.running_mean, before)


EXPERIMENT = """\
name: pretrained
dataset: {{use: digits}}
task: {{use: classification}}
model: {{use: timm, name: resnet10t, weights: '{weights}'}}
trainer: {{use: lightning, max_epochs: 1}}
audits: {{performance: {{}}, explain: {{rows: 8, steps: 8, cases: 1}}}}
"""


def test_a_run_is_explained_and_read_again_without_the_file(weights, tmp_path):
    away = tmp_path / "away.safetensors"
    away.write_bytes(weights.read_bytes())
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT.format(weights=away))
    done = run(tmp_path / "experiment.yaml", runs=tmp_path / "runs")
    assert [audit.error for audit in done.audits] == [None, None]
    cases = next(audit.cases for audit in done.audits if audit.cases)
    assert all(any("Grad-CAM" in picture.title for picture in case.pictures) for case in cases)
    away.unlink()
    accuracy = [m.value for m in done.measures if m.name == "performance.accuracy"]
    again = load_run(done.folder).audit()
    assert [audit.error for audit in again.audits] == [None, None]
    assert [m.value for m in again.measures if m.name == "performance.accuracy"] == accuracy


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(SettingsError, match="no such architecture") as caught:
        TimmModel(schema(3, 32, 32), name="resnet19")
    assert "resnet" in caught.value.fix


def test_weights_that_are_none_or_anothers_are_refused(weights, tmp_path):
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(SettingsError, match="pickle"):
        TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(tmp_path))
    with pytest.raises(SettingsError, match="safetensors alone"):
        TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(tmp_path / "pytorch_model.bin"))
    with pytest.raises(SettingsError, match="no such folder"):
        TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(tmp_path / "absent.safetensors"))
    with pytest.raises(SettingsError, match="does not take these weights"):
        TimmModel(schema(3, 32, 32), name="convnext_atto", weights=str(weights))
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(SettingsError, match="damaged"):
        TimmModel(schema(3, 32, 32), name="resnet10t", weights=str(tmp_path))

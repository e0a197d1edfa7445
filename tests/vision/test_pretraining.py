"""Networks that learn without labels, and others that take their weights over."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from glassbench.errors import DataError, SettingsError
from glassbench.testing import check_task
from glassbench_plugins.representation.task import Representation
from glassbench_plugins.vision.assembly import few_of_each
from glassbench_plugins.vision.cnn import Cnn
from glassbench_plugins.vision.digits import digits
from glassbench_plugins.vision.pretraining import Pretraining, told_apart
from glassbench_plugins.vision.views import masked, views
from glassbench_plugins.vision.vit import VisionTransformer

SMALL = {"cnn": {"widths": (8, 16)}, "vit": {"width": 16, "depth": 1, "heads": 2}}
FACTORIES = {"cnn": Cnn, "vit": VisionTransformer}


@pytest.fixture(scope="module")
def data():
    return digits(0, train_rows=200)


def kept(network, folder):
    """Store a network's weights as a run does."""
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / "model.safetensors")
    return str(folder)


@pytest.mark.parametrize("network", SMALL)
@pytest.mark.parametrize("objective", ["contrastive", "masked"])
def test_networks_keep_their_promises(network, objective, data):
    settings = {"network": network, "objective": objective, **SMALL[network]}
    torch.manual_seed(0)
    model = Pretraining(data.schema, **settings)
    images = data.train.batch(slice(0, 16)).inputs[0]
    loss = model.objective(images)
    assert loss.shape == (16,)
    loss.mean().backward()
    assert all(parameter.grad is not None for name, parameter in model.named_parameters() if "class_token" not in name)
    assert model.decode(model.eval()(images)).shape == (16, 64)


@pytest.mark.parametrize("objective", ["contrastive", "masked"])
def test_a_decoder_changes_codes_only_where_they_are_learnt_by_restoring(objective, data):
    """Another decoder leaves the gradients of a contrastive network as they are, and changes those of a masked one."""
    torch.manual_seed(0)
    model = Pretraining(data.schema, network="cnn", objective=objective, **SMALL["cnn"]).eval()
    images, gradients = data.train.batch(slice(0, 16)).inputs[0], []
    for times in (1.0, 3.0):
        with torch.no_grad():
            for parameter in model.decoder.parameters():
                parameter.mul_(times)
        model.zero_grad()
        torch.manual_seed(1)
        model.objective(images).mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.network.parameters() if p.grad is not None]))
    assert gradients[0].abs().max() > 1e-4
    assert torch.allclose(*gradients, atol=1e-7) == (objective == "contrastive")


def test_the_task_keeps_its_promises(data):
    torch.manual_seed(0)
    check_task(Representation(), digits(0, train_rows=60), Pretraining(data.schema, **SMALL["cnn"]))


def test_views_are_told_apart_by_the_formula():
    projected = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).double()
    unit = (projected / projected.norm(dim=1, keepdim=True)).numpy()
    alike = np.exp(unit @ unit.T / 0.5)
    expected = []
    for i in range(3):
        both = [-np.log(alike[a, b] / (alike[a].sum() - alike[a, a])) for a, b in ((i, i + 3), (i + 3, i))]
        expected.append(np.mean(both))
    assert told_apart(projected, 0.5).tolist() == pytest.approx(expected)


def test_whole_patches_are_hidden_and_as_many_as_asked():
    mask = masked(torch.zeros(5, 1, 8, 8), 2, 0.25)
    assert mask.flatten(1).sum(dim=1).tolist() == [16] * 5
    patches = mask.view(5, 4, 2, 4, 2).permute(0, 1, 3, 2, 4).flatten(3)
    assert ((patches == 0).all(dim=3) | (patches == 1).all(dim=3)).all()
    assert not torch.equal(mask[0], mask[1])


def test_views_differ_and_keep_the_shape():
    torch.manual_seed(0)
    images = torch.randn(4, 3, 12, 12)
    first, second = views(images, flips=True), views(images, flips=True)
    assert first.shape == images.shape
    assert torch.isfinite(first).all()
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("network", SMALL)
def test_weights_are_taken_over_but_for_the_head(network, data, tmp_path):
    torch.manual_seed(0)
    before = Pretraining(data.schema, network=network, **SMALL[network])
    torch.manual_seed(1)
    after = FACTORIES[network](data.schema, weights=kept(before, tmp_path), **SMALL[network])
    images = data.test.batch(slice(0, 8)).inputs[0]
    assert torch.allclose(after.eval().summary(images), before.eval()(images))
    torch.manual_seed(1)
    alone = FACTORIES[network](data.schema, **SMALL[network])
    assert torch.equal(after.head.weight, alone.head.weight)
    again = FACTORIES[network].rebuilt(data.schema, after.blueprint, weights="nowhere", **SMALL[network])
    assert again.state_dict().keys() == after.state_dict().keys()


@pytest.mark.parametrize("network", SMALL)
def test_a_probe_changes_its_head_alone(network, data):
    torch.manual_seed(0)
    model = FACTORIES[network](data.schema, freeze=True, **SMALL[network]).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    batch = data.train.batch(slice(0, 32))
    torch.nn.functional.cross_entropy(model(*batch.inputs), batch.target).backward()
    optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"head.weight", "head.bias"}


@pytest.mark.parametrize("factory", [Cnn, VisionTransformer])
def test_networks_that_start_from_chance_need_no_blueprint(factory, data):
    assert not hasattr(factory(data.schema), "blueprint")


def test_weights_of_another_network_are_refused(data, tmp_path):
    folder = kept(Pretraining(data.schema, widths=(8, 16)), tmp_path)
    with pytest.raises(SettingsError, match="those of another network") as error:
        Cnn(data.schema, widths=(8, 24), weights=folder)
    assert "16 x 8 x 3 x 3 for 24 x 8 x 3 x 3" in str(error.value)
    assert "settings that the weights were learnt with" in str(error.value)
    (tmp_path / "weights.pt").write_bytes(b"")
    with pytest.raises(SettingsError, match="safetensors alone"):
        Cnn(data.schema, weights=str(tmp_path / "weights.pt"))
    (tmp_path / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(SettingsError, match="damaged"):
        Cnn(data.schema, weights=str(tmp_path))


def test_few_rows_are_drawn_from_every_class():
    labels = pd.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 3)
    rows = few_of_each(np.arange(83), labels, 14, seed=0)
    assert labels.iloc[rows].value_counts().to_dict() in ({"a": 6, "b": 5, "c": 3}, {"a": 5, "b": 6, "c": 3})
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.tolist() != few_of_each(np.arange(83), labels, 14, seed=1).tolist()
    with pytest.raises(DataError, match="one of each class at least"):
        few_of_each(np.arange(83), labels, 2, seed=0)
    with pytest.raises(DataError, match="no more than there are"):
        digits(0, train_rows=100_000)


@pytest.mark.slow
def test_pretraining_helps_where_labels_are_few(tmp_path):
    gains = []
    for seed in range(5):
        full, few = digits(seed), digits(seed, train_rows=40)
        torch.manual_seed(seed)
        pretrained = trained(Pretraining(full.schema, widths=(16, 32, 64)), full, 40, 128, 0.005)
        folder = kept(pretrained, tmp_path)
        torch.manual_seed(seed)
        scratch = accuracy(trained(Cnn(few.schema, widths=(16, 32, 64)), few, 100, 20, 0.005), few)
        torch.manual_seed(seed)
        probe = Cnn(few.schema, widths=(16, 32, 64), weights=folder, freeze=True, dropout=0.0)
        gains.append(accuracy(trained(probe, few, 200, 20, 0.02), few) - scratch)
    assert np.mean(gains) > 0


def trained(model, data, epochs, size, rate):
    """Return a network trained in a plain loop, on its own objective or on cross-entropy."""
    rows, generator = data.train.batch(slice(None)), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)
    model.train()
    for _ in range(epochs):
        for part in torch.randperm(len(data.train), generator=generator).split(size):
            images, truth = rows.inputs[0][part], rows.target[part]
            loss = (
                model.objective(images).mean()
                if isinstance(model, Pretraining)
                else torch.nn.functional.cross_entropy(model(images), truth)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


def accuracy(model, data):
    batch = data.test.batch(slice(None))
    with torch.no_grad():
        return (model(*batch.inputs).argmax(dim=1) == batch.target).double().mean().item()

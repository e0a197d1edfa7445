"""Which units can be taken out of a network, and that the network otherwise answers as before."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

pytest.importorskip("onnxscript")

from glassbench_plugins.compression.pruned_units import PrunedUnits, _smaller, weak_units
from glassbench_plugins.compression.unit_flow import unit_layers


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 6, 3),
        nn.GELU(),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(6 * 4, 10),
        nn.Tanh(),
        nn.Linear(10, 3),
    )


class Residual(nn.Module):
    """A block whose inner layer can lose units, and whose outer ones are added to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inner, self.outer, self.head = nn.Linear(5, 8), nn.Linear(8, 12), nn.Linear(12, 8), nn.Linear(8, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.stem(inputs))
        return self.head(hidden + self.outer(torch.relu(self.inner(hidden))))


class Twice(nn.Module):
    """A layer that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(torch.relu(self.first(inputs)))))


class Counting(nn.Module):
    """A forward pass that counts on the width that the network was built with."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(5, 8), nn.Linear(8, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(inputs)).reshape(-1, 8))


def lively(network: nn.Module) -> nn.Module:
    """Return a network in evaluation mode whose batch norms have seen something."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.bias)
    return network.eval()


def test_weak_units_are_those_of_structured_pruning_in_pytorch() -> None:
    layer = nn.Conv2d(3, 10, 3)
    mask = prune.LnStructured(amount=4, n=2, dim=0).compute_mask(layer.weight, torch.ones_like(layer.weight))
    zero = [unit for unit in range(10) if not mask[unit].any()]
    assert weak_units(layer.weight, 0.4).tolist() == zero
    assert len(weak_units(torch.ones(3, 2), 0.99)) == 2


def test_a_smaller_layer_is_the_one_computed_by_hand() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).eval()
    rows = torch.randn(9, 4)
    smaller = _smaller(network, [one for one in unit_layers(network, (rows,)) if one.removable], 0.5, (rows,))
    strong = network[0].weight.norm(dim=1).argsort()[3:].sort().values
    hidden = torch.relu(rows @ network[0].weight[strong].T + network[0].bias[strong])
    torch.testing.assert_close(smaller(rows), hidden @ network[2].weight[:, strong].T + network[2].bias)
    assert (smaller[0].out_features, smaller[2].in_features) == (3, 3)


def test_channels_leave_convolutions_norms_and_flattened_columns() -> None:
    torch.manual_seed(1)
    network, pictures = lively(convolutions()), torch.randn(5, 1, 8, 8)
    layers = unit_layers(network, (pictures,))
    assert [one.removable for one in layers] == [True, True, True, False]
    assert layers[-1].ends
    smaller = _smaller(network, layers[:3], 0.5, (pictures,))
    assert [tuple(p.shape) for n, p in smaller.named_parameters() if n.endswith("weight")] == [
        (4, 1, 3, 3),
        (4,),
        (3, 4, 3, 3),
        (5, 12),
        (3, 5),
    ]
    unread = copy.deepcopy(network)
    with torch.no_grad():
        unread[4].weight[:, weak_units(network[0].weight, 0.5)] = 0
        unread[8].weight.view(10, 6, 4)[:, weak_units(network[4].weight, 0.5)] = 0
        unread[10].weight[:, weak_units(network[8].weight, 0.5)] = 0
    torch.testing.assert_close(smaller(pictures), unread(pictures), rtol=1e-4, atol=1e-5)
    smaller.train()(pictures)


class Turned(nn.Module):
    """Units of the last dimension that become channels."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(5, 8), nn.Conv2d(8, 3, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(inputs)).permute(0, 3, 1, 2)).flatten(1)


class Averaged(nn.Module):
    """Units whose mean over places is read."""

    def __init__(self, keepdim: bool) -> None:
        super().__init__()
        self.first, self.last, self.keepdim = nn.Linear(5, 8), nn.Linear(8, 3), keepdim

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(inputs)).mean(dim=(1, 2), keepdim=self.keepdim))


@pytest.mark.parametrize("network", [Turned(), Averaged(False), Averaged(True)], ids=["turned", "averaged", "kept"])
def test_units_are_followed_through_turned_dimensions_and_means_over_others(network: nn.Module) -> None:
    rows = torch.randn(4, 3, 6, 5)
    removable = [one for one in unit_layers(network.eval(), (rows,)) if one.removable]
    assert [one.weight for one in removable] == ["first.weight"]
    smaller = _smaller(network, removable, 0.5, (rows,))
    assert smaller.first.out_features == 4
    unread = copy.deepcopy(network)
    with torch.no_grad():
        unread.last.weight[:, weak_units(network.first.weight, 0.5)] = 0
    torch.testing.assert_close(smaller(rows), unread(rows))


def test_units_that_are_added_to_others_stay() -> None:
    found = {one.weight: one for one in unit_layers(Residual().eval(), (torch.randn(4, 5),))}
    assert [name for name, one in found.items() if one.removable] == ["inner.weight"]
    assert found["outer.weight"].blocked is not None
    assert not found["head.weight"].removable


@pytest.mark.parametrize("network", [Twice(), Counting()])
def test_a_network_that_cannot_lose_units_is_told(network: nn.Module) -> None:
    rows = torch.randn(4, 5)
    removable = [one for one in unit_layers(network.eval(), (rows,)) if one.removable]
    assert _smaller(network, removable, 0.5, (rows,)) is None


def test_the_next_share_is_larger_and_ends() -> None:
    shares, one = [], PrunedUnits(share=0.3)
    while (one := one.harder()) is not None:
        shares.append(one.share)
    assert shares == sorted(shares)
    assert shares[0] == 0.5

"""Whole units and channels removed."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.errors import FOREIGN, RunError
from glassbench.stats.settings_types import CountOrZero, OpenShare
from glassbench_plugins.compression.retraining import learnt, retrained
from glassbench_plugins.compression.unit_flow import Place, UnitLayer, unit_layers

_STEPS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Shares of units that are tried in turn where a file has to fit."""

_SAMPLE = 8
_APART = 1e-4
"""How far answers may differ, relative to the largest, between units that are removed and units that nobody reads."""


@dataclass(frozen=True, kw_only=True)
class PrunedUnits(Compression):
    """Removes the weakest units and channels of each layer, so that layers get smaller, and lets the rest learn again.

    In each layer, units are ranked by the Euclidean norm of their weights, as `torch.nn.utils.prune.ln_structured` with `n=2` and
    `dim=0` does. Removed are units that pass through activations, batch norms, pooling and flattening alone to the layers that
    read them; those of the last layer, and those that are added to others (residual connections, attention), stay. Where no layer
    can be made smaller so, the weights of weak units are set to zero alone, which shrinks the packed file and nothing else.
    Source: Li, Kadav, Durdanovic, Samet and Graf (2017), Pruning filters for efficient ConvNets.

    Args:
        share: The share of the units of each layer that is removed; at least one stays.
        epochs: Passes over the training rows after pruning, at most, as the run's trainer does them; 0 trains nothing.
    """

    share: OpenShare = 0.5
    epochs: CountOrZero = 10

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the network with fewer units.

        Raises:
            RunError: The network has no layer with units, or there are no training rows.
            FitError: The run's trainer does not learn in epochs.
        """
        sample = source.sample(_SAMPLE)
        if source.network is None:
            raise RunError("pruning changes the network itself", fix="write it first in a chain: pruned-units+int8")
        if not sample:
            raise RunError("units are followed on a few training rows, and there are none", fix="use pruned or half")
        layers = unit_layers(source.network, sample)
        network = _smaller(source.network, [one for one in layers if one.removable], self.share, sample)
        zeros: list[tuple[Tensor, Tensor]] = []
        if network is None:
            network = copy.deepcopy(source.network)
            zeros = _zeroed(network, [one for one in layers if not one.ends], self.share)
        facts = {
            "share": self.share,
            "removed": not zeros,
            "layers": sum(one.removable for one in layers) if not zeros else len(zeros),
            "whole": sum(not one.removable for one in layers) if not zeros else len(layers) - len(zeros),
            "original": _size(source.network),
            "left": _size(network),
            "epochs": self.epochs,
        }
        network = retrained(network, source, self.epochs, zeros)
        return Compressed(network=network, packed=bool(zeros), trained=self.epochs > 0, facts=facts)

    def harder(self) -> Compression | None:
        """Return the next larger share."""
        return next((replace(self, share=share) for share in _STEPS if share > self.share), None)

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how many units went, from how many layers, and whether the network is smaller or has zeros alone."""
        share, layers = f"{100 * facts['share']:.0f}\u00a0%", _counted(facts["layers"], "layer")
        if not facts["removed"]:
            return (
                f"The weights of {share} of the units in {layers} are zero, and no layer is smaller, as units of this network "
                f"cannot be taken out one by one; {learnt(facts)}the file is stored packed."
            )
        whole = f", {_counted(facts['whole'], 'layer')} kept all of theirs" if facts["whole"] else ""
        sizes = f"{facts['left']:,} weights are left of {facts['original']:,}"
        return f"{share} of the units of {layers} were removed{whole}; {learnt(facts)}{sizes}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _smaller(original: nn.Module, layers: Sequence[UnitLayer], share: float, sample: tuple[Tensor, ...]) -> nn.Module | None:
    """Return a copy without the weakest units of some layers; None where there is none that answers as it should.

    It should answer as the original does when nobody reads these units.
    """
    if not layers:
        return None
    unread, smaller = copy.deepcopy(original), copy.deepcopy(original)
    with torch.no_grad():
        for layer in layers:
            weak = weak_units(original.get_parameter(layer.weight), share)
            for place in layer.read:
                unread.get_parameter(place.name).index_fill_(place.dim, _positions(weak, place.repeat), 0.0)
            strong = torch.tensor(sorted(set(range(layer.units)) - set(weak.tolist())))
            for place in (*layer.own, *layer.read):
                _cut(smaller, place, _positions(strong, place.repeat))
        try:
            wanted, got = unread(*sample), smaller(*sample)
        except FOREIGN:  # its forward counts on the width that it was built with
            return None
    close = wanted.shape == got.shape and float((wanted - got).abs().max()) <= _APART * max(1.0, float(wanted.abs().max()))
    return smaller if close else None


def weak_units(weight: Tensor, share: float) -> Tensor:
    """Return the positions of a share of a layer's units, those with the smallest norm, in order; never all of them.

    Args:
        weight: The layer's weight `(units, ...)`.
        share: Which share of the units.
    """
    count = min(round(share * len(weight)), len(weight) - 1)
    norms = torch.linalg.vector_norm(weight.detach().flatten(1), dim=1)
    return torch.sort(torch.argsort(norms, stable=True)[:count]).values


def _positions(units: Tensor, repeat: int) -> Tensor:
    """Return the positions of units `(n,)` along a dimension where each has `repeat` entries in a row."""
    return (units[:, None] * repeat + torch.arange(repeat)).flatten()


def _cut(network: nn.Module, place: Place, positions: Tensor) -> None:
    """Leave some positions of a parameter or buffer, and have its module know its new width."""
    owner, _, name = place.name.rpartition(".")
    module = network.get_submodule(owner)
    left = getattr(module, name).detach().index_select(place.dim, positions)
    if name in module._parameters:
        old = module._parameters[name]
        assert old is not None
        setattr(module, name, nn.Parameter(left, requires_grad=old.requires_grad))
    else:
        setattr(module, name, left)
    for width in _WIDTHS[place.dim]:
        if hasattr(module, width):
            setattr(module, width, left.shape[place.dim])


_WIDTHS = {0: ("out_features", "out_channels", "num_features"), 1: ("in_features", "in_channels")}
"""Attributes of layers that say how long a dimension of their weight is."""


def _zeroed(network: nn.Module, layers: Sequence[UnitLayer], share: float) -> list[tuple[Tensor, Tensor]]:
    """Set the weights of weak units to zero; return the weights of their layers and where they are zero."""
    if not layers:
        got = type(network).__name__
        raise RunError("this network has no layer whose units could be pruned", got=got, fix="use pruned or half")
    found = {}
    with torch.no_grad():
        for layer in layers:
            weight = network.get_parameter(layer.weight)
            weight[weak_units(weight, share)] = 0.0
            found[layer.weight] = (weight, weight.detach() == 0)
    return list(found.values())


def _size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())

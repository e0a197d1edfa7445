"""Networks that compute on a device and are asked from the CPU."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

_CPU = torch.device("cpu")


def asked_on(network: nn.Module, device: str) -> nn.Module:
    """Return a copy of a network on a device: what it is given is brought there, what it returns is brought back.

    Gradients pass through both moves, so that audits need not know where a network computes. On the CPU it is the network itself.

    Args:
        network: The network, on the CPU.
        device: Name of the device, such as `cpu` or `cuda`.
    """
    place = torch.device(device)
    if place == _CPU:
        return network
    moved = copy.deepcopy(network).to(place)
    answer_from(moved, place)
    return moved


def answer_from(network: nn.Module, place: torch.device) -> None:
    """Have a network bring tensors that it is called with to a device, and those that it returns to the CPU."""

    def bring(_: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
        return _moved(inputs, place), _moved(named, place)

    def back(_: nn.Module, __: Any, output: Any) -> Any:
        return _moved(output, _CPU)

    network.register_forward_pre_hook(bring, with_kwargs=True)
    network.register_forward_hook(back)


def _moved(values: Any, place: torch.device) -> Any:
    return tree_map_only(Tensor, lambda tensor: tensor.to(place), values)

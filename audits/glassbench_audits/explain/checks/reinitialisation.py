"""A network's layers drawn anew, as they were before anything was learnt."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from glassbench_audits.attribution.explained import Explained, Rows

_TRIAL, _DEAR_TRIAL = 16, 4
"""Rows on which a layer must change the output to count."""

_CHANGED = 1e-6


def reinitialise(layer: nn.Module, generator: np.random.Generator) -> None:
    """Draw a layer's own parameters anew, in place.

    Where the layer says how it is initialised (`reset_parameters`, as PyTorch's layers do), that is called. A tensor of its own
    that this leaves constant, or a layer that says nothing, is drawn from a normal distribution around 0 with the size (root
    mean square) that the tensor has.
    """
    kept = {name: tensor.detach().clone() for name, tensor in layer.named_parameters(recurse=False)}
    reset = getattr(layer, "reset_parameters", None)
    seed = int(generator.integers(2**31))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        if callable(reset):
            reset()
        for name, tensor in layer.named_parameters(recurse=False):
            if not callable(reset) or (tensor.ndim > 1 and tensor.numel() > 1 and bool(tensor.std() == 0)):
                tensor.copy_(torch.randn_like(tensor) * kept[name].square().mean().sqrt())


def learnt_layers(explained: Explained, rows: Rows, generator: np.random.Generator) -> list[str]:
    """Return the names of the layers whose weights decide the explained output, the last first.

    In the order in which a pass through the network calls them. Layers that the output does not depend on (the value head
    beside a policy), and those with nothing random to draw (normalisation), are left out: the explanation cannot change with
    them.
    """
    few = rows.take(slice(0, explained.affords(_TRIAL, _TRIAL, _DEAR_TRIAL)))
    return [name for name in _called(explained, few) if _matters(explained, name, few, generator)]


def untrained(model: nn.Module, names: list[str], generator: np.random.Generator) -> nn.Module:
    """Return a copy of a network with the named layers drawn anew."""
    fresh = copy.deepcopy(model)
    for name in names:
        reinitialise(fresh.get_submodule(name), generator)
    return fresh


def _called(explained: Explained, rows: Rows) -> list[str]:
    """Return the modules that own parameters, the last called first; those that are never called by themselves come last."""
    own = {m: name for name, m in explained.model.named_modules() if any(True for _ in m.parameters(recurse=False))}
    order: dict[str, None] = {}
    hooks = [m.register_forward_pre_hook(lambda module, args: order.update({own[module]: None})) for m in own]
    try:
        explained.outputs(rows)
    finally:
        for hook in hooks:
            hook.remove()
    uncalled = [name for name in own.values() if name not in order]
    return [*list(order)[::-1], *uncalled[::-1]]


def _matters(explained: Explained, name: str, rows: Rows, generator: np.random.Generator) -> bool:
    """Whether two drawings of a layer give different outputs."""
    layer = explained.model.get_submodule(name)
    outputs: list[Tensor] = []
    for _ in range(2):
        with _restored(layer):
            reinitialise(layer, generator)
            outputs.append(explained.outputs(rows).double())
    spread = outputs[0].abs().max().clamp(min=1e-12)
    return bool(((outputs[0] - outputs[1]).abs().max() / spread) > _CHANGED)


@contextmanager
def _restored(layer: nn.Module) -> Iterator[None]:
    """Put a layer's own parameters and buffers back afterwards."""
    tensors = [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
    kept = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, kept, strict=True):
                tensor.copy_(value)

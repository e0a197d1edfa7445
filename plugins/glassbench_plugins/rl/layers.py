"""Stacks of layers for observations: rows of numbers, or pictures."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import nn

from glassbench.contracts.facts import ObservationFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError

Activation = Literal["tanh", "relu"]
ACTIVATIONS: dict[Activation, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}
_CONVOLUTIONS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Channels, width and stride of the layers that see pictures (Mnih et al. 2015)."""

Function = Callable[[np.ndarray], np.ndarray]


def outputs_of(schema: Schema) -> int:
    """Return how many preferences a policy gives: one per choice, or per dimension of a continuous action.

    Raises:
        FitError: The schema is not an environment's.
    """
    return observed(schema).outputs


def observed(schema: Schema) -> ObservationFacts:
    """Return what the environment shows and takes.

    Raises:
        FitError: The schema is not an environment's.
    """
    facts = schema.facts_of(ObservationFacts)
    if facts is None:
        raise FitError("this model decides what to do in an environment", got=schema.modality, available=["observation"])
    return facts


def stack(schema: Schema, hidden: Sequence[int], activation: Activation, *, beside: int = 0) -> tuple[list[nn.Module], int]:
    """Return layers from an observation to its representation, and the width of that; each activation is a module.

    Args:
        schema: What the environment shows.
        hidden: Units of each layer.
        activation: What stands between the layers.
        beside: Numbers that stand behind the observation, such as an action's.
    """
    kind = ACTIVATIONS[activation]
    layers = _convolutions(schema) if observed(schema).pixels else []
    width = _width(schema, layers)
    for units in hidden:
        layers += [_linear(width, units, 2**0.5), kind()]
        width = units
    return layers, width


def head(width: int, outputs: int, gain: float) -> nn.Linear:
    """Return a last layer whose weights are orthogonal and small, so that a fresh policy has no preference."""
    return _linear(width, outputs, gain)


def in_numpy(layers: nn.Module) -> Function | None:
    """Return what a stack of layers computes as a function of arrays `(n, d)`, or None where it holds other layers.

    The arrays are views of the weights, so the function follows every step of an optimizer. For a handful of rows it takes
    a fifth of the time that PyTorch needs to find its way there.
    """
    if any(p.device.type != "cpu" or p.dtype != torch.float32 for p in layers.parameters()):
        return None
    steps = [_step(layer) for layer in (layers if isinstance(layers, nn.Sequential) else [layers])]
    known = [step for step in steps if step is not None]
    if len(known) < len(steps):
        return None

    def compute(rows: np.ndarray) -> np.ndarray:
        for step in known:
            rows = step(rows)
        return rows

    return compute


def _step(layer: nn.Module) -> Function | None:
    if isinstance(layer, nn.Linear):
        weight, bias = layer.weight.detach().numpy().T, layer.bias.detach().numpy()
        return lambda rows: rows @ weight + bias
    if isinstance(layer, nn.Tanh):
        return np.tanh
    if isinstance(layer, nn.ReLU):
        return lambda rows: np.maximum(rows, 0)
    return None


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def _convolutions(schema: Schema) -> list[nn.Module]:
    channels = int(schema.shape[0] or 1)
    layers: list[nn.Module] = []
    for units, width, stride in _CONVOLUTIONS:
        layers += [nn.Conv2d(channels, units, width, stride), nn.ReLU()]
        channels = units
    return [*layers, nn.Flatten()]


def _width(schema: Schema, layers: Sequence[nn.Module]) -> int:
    shape = tuple(int(size or 1) for size in schema.shape)
    with torch.no_grad():
        try:
            return int(nn.Sequential(*layers, nn.Flatten())(torch.zeros(1, *shape)).shape[1])
        except RuntimeError as error:
            raise FitError("pictures this small cannot be convolved", got=f"{shape}", available=["36 x 36 and more"]) from error

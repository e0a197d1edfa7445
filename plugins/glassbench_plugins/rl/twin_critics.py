"""Two critics of state and action, computed together."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench_plugins.rl.layers import ACTIVATIONS, Activation, outputs_of

_CRITICS = 2


class TwinCritics(nn.Module):
    """What two critics, each with weights of its own, expect of an action in a state (Fujimoto et al. 2018).

    Args:
        schema: What the environment shows, as one row of numbers, and takes.
        hidden: Units of each hidden layer.
        activation: What stands between the layers.
    """

    def __init__(self, schema: Schema, hidden: Sequence[int], activation: Activation) -> None:
        super().__init__()
        widths = [int(schema.shape[0] or 1) + outputs_of(schema), *hidden]
        layers: list[nn.Module] = []
        for width, units in pairwise(widths):
            layers += [TwinLinear(width, units, 2**0.5), ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers, TwinLinear(widths[-1], 1, 1.0))

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """From observations `(n, d)` and actions `(n, k)` to expected returns `(2, n)`."""
        both = torch.cat([observations, actions], dim=1).expand(_CRITICS, -1, -1)
        expected: Tensor = self.layers(both)
        return expected[:, :, 0]


class TwinLinear(nn.Module):
    """A linear layer of each critic, multiplied in one call.

    Args:
        inputs, outputs: Widths.
        gain: Of the orthogonal weights at the start.
    """

    def __init__(self, inputs: int, outputs: int, gain: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(_CRITICS, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(_CRITICS, 1, outputs))
        for weight in self.weight.data:
            nn.init.orthogonal_(weight, gain)

    def forward(self, rows: Tensor) -> Tensor:
        """From `(2, n, inputs)` to `(2, n, outputs)`."""
        return torch.baddbmm(self.bias, rows, self.weight)

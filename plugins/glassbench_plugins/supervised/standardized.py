"""A network that learns a value on a standardised scale and answers in the value's own unit."""

from typing import Any

import torch
from torch import Tensor, nn


class Standardized(nn.Module):
    """Wraps a network of values: `mean + std * model(inputs)`.

    The two statistics are buffers, so they are saved with the weights and the saved model answers in the target's own
    unit. Every other attribute is the wrapped network's.

    Args:
        model: A network whose outputs are values `(n,)` or `(n, 1)`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def measure(self, target: Tensor) -> None:
        """Take mean and standard deviation from the truths of the training split `(n,)`."""
        values = target.double()
        spread = values.std(correction=0)
        self.mean.copy_(values.mean())
        self.std.copy_(torch.where(spread > 0, spread, torch.ones(())))

    def forward(self, *inputs: Tensor) -> Tensor:
        """From inputs to values in the target's own unit, shaped as the wrapped network's output."""
        output: Tensor = self.model(*inputs)
        return self.mean + self.std * output

    def __getattr__(self, name: str) -> Any:
        """Look up what this module lacks on the wrapped network, such as the layer where attribution starts."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "model":  # not built yet, while unpickling
                raise
            return getattr(self.model, name)

"""A network of quantiles that cannot cross."""

from typing import Any

import torch
from torch import Tensor, nn

from glassbench_plugins.supervised.outputs import checked_width


class Ascending(nn.Module):
    """Wraps a network so that its outputs rise: the middle one as it is, the others by positive steps away from it.

    A step is the softplus of what the network gives. The middle output is the network's own, so that gradients of it pass
    through nothing else. Every other attribute is the wrapped network's.

    Args:
        model: A network of `outputs` numbers per row.
        outputs: How many.
        middle: The place of the middle one.
    """

    def __init__(self, model: nn.Module, outputs: int, middle: int) -> None:
        super().__init__()
        self.model = model
        self.outputs = outputs
        self.middle = middle
        self.positive = nn.Softplus()

    def forward(self, *inputs: Tensor) -> Tensor:
        """From inputs to rising numbers `(n, outputs)`.

        Raises:
            FitError: The network gives another number of outputs.
        """
        given = checked_width(self.model(*inputs), self.outputs, "quantile")
        middle, place = given[:, self.middle : self.middle + 1], self.middle
        steps = self.positive(torch.cat([given[:, :place], given[:, place + 1 :]], dim=1))
        below = middle - steps[:, :place].flip(1).cumsum(1).flip(1)
        return torch.cat([below, middle, middle + steps[:, place:].cumsum(1)], dim=1)

    def __getattr__(self, name: str) -> Any:
        """Look up what this module lacks on the wrapped network, such as the layer where attribution starts."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "model":  # not built yet, while unpickling
                raise
            return getattr(self.model, name)

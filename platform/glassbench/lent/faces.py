"""Lent models behind the face of a network, as tasks and audits ask them."""

from typing import Any

import torch
from torch import Tensor, nn

from glassbench.lent.callers import Caller
from glassbench.lent.outputs import Reading
from glassbench.lent.rows import Form


class NetworkFace(nn.Module):
    """A lent network whose answers read as logits or values; gradients flow through it.

    Args:
        network: The network.
        reading: How its answers are read.
        kind: The type of its inputs.
    """

    def __init__(self, network: nn.Module, reading: Reading, kind: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self._reading = reading
        self._kind = kind
        layer = getattr(network, "attribution_layer", None)
        if layer is not None:
            self.attribution_layer = f"network.{layer}"

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to logits `(n, classes)` or values `(n,)`."""
        return self._reading.read(self.network(inputs.to(self._kind)))


class CalledFace(nn.Module):
    """A lent model that is called with rows in their own form; there are no gradients.

    Args:
        caller: The model.
        reading: How its answers are read.
        form: How it reads rows.
    """

    differentiable = False

    def __init__(self, caller: Caller, reading: Reading, form: Form) -> None:
        super().__init__()
        self._caller = caller
        self._reading = reading
        self._form = form

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, ...)` to log-probabilities `(n, classes)` or values `(n,)`."""
        answer: Any = self._caller.ask(self._form.decode(inputs))
        return self._reading.read(answer).detach()


class Answered(nn.Module):
    """Gives answers that are known already, by the position of the row.

    Args:
        answers: `(n, ...)`.
    """

    differentiable = False

    def __init__(self, answers: Tensor) -> None:
        super().__init__()
        self._answers = answers

    def forward(self, positions: Tensor) -> Tensor:
        """From positions `(k,)` to answers `(k, ...)`."""
        return self._answers[positions]

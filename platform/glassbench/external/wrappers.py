"""External models wrapped as networks, as tasks and audits call them."""

from typing import Any

import torch
from torch import Tensor, nn

from glassbench.external.adapters import ModelAdapter
from glassbench.external.output_format import OutputFormat
from glassbench.external.rows import Form


class NetworkWrapper(nn.Module):
    """An external network whose answers read as logits or values; gradients flow through it.

    Args:
        network: The network.
        output_format: How its answers are read.
        kind: The type of its inputs.
    """

    def __init__(self, network: nn.Module, output_format: OutputFormat, kind: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self._output_format = output_format
        self._kind = kind
        layer = getattr(network, "attribution_layer", None)
        if layer is not None:
            self.attribution_layer = f"network.{layer}"

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to logits `(n, classes)` or values `(n,)`."""
        return self._output_format.read(self.network(inputs.to(device_of(self.network), self._kind)))


def device_of(network: nn.Module) -> torch.device:
    """Return where a network's weights are; the CPU where it has none."""
    return next((parameter.device for parameter in network.parameters()), torch.device("cpu"))


class CallableWrapper(nn.Module):
    """An external model that is called with rows in their own form; there are no gradients.

    Args:
        adapter: The model.
        output_format: How its answers are read.
        form: How it reads rows.
    """

    differentiable = False

    def __init__(self, adapter: ModelAdapter, output_format: OutputFormat, form: Form) -> None:
        super().__init__()
        self._adapter = adapter
        self._output_format = output_format
        self._form = form

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, ...)` to log-probabilities `(n, classes)` or values `(n,)`."""
        answer: Any = self._adapter.ask(self._form.decode(inputs))
        return self._output_format.read(answer).detach()


class KnownOutputs(nn.Module):
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

"""A network that learns again after weights were taken from it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from glassbench.contracts.compression import CompressionSource
from glassbench.errors import RunError


def retrained(
    network: nn.Module, source: CompressionSource, epochs: int, zeros: Sequence[tuple[Tensor, Tensor]] = ()
) -> nn.Module:
    """Return a network after some epochs with the run's trainer; weights that are zero stay zero.

    Args:
        network: The network, which is changed in place.
        source: What the compression got.
        epochs: Passes over the training rows, at most; with 0 nothing is trained.
        zeros: Weights, and where they are zero, boolean tensors of their shapes.

    Raises:
        RunError: There are no training rows.
        FitError: The run's trainer does not learn in epochs.
    """
    if not epochs:
        return network
    if source.train is None:
        raise RunError("retraining needs the training rows of the run, and there are none", fix="write epochs=0")
    handles = [_hooked(weight, mask) for weight, mask in zeros]
    try:
        fitted = source.fit(network, epochs=epochs)
    finally:
        for handle in handles:
            handle.remove()
    with torch.no_grad():
        for weight, mask in zeros:
            weight[mask] = 0.0
    return fitted


def learnt(facts: Mapping[str, Any]) -> str:
    """Return that the weights that were left learnt again, for a sentence that goes on; empty where they did not."""
    epochs = facts["epochs"]
    return f"those that were left learnt again for up to {epochs} epoch{'s' * (epochs > 1)}; " if epochs else ""


def _hooked(weight: Tensor, mask: Tensor) -> RemovableHandle:
    handle: RemovableHandle = weight.register_hook(partial(_without, mask))  # type: ignore[no-untyped-call]
    return handle


def _without(mask: Tensor, gradient: Tensor) -> Tensor:
    """Return a gradient that moves no weight at zero."""
    return gradient.masked_fill(mask.to(gradient.device), 0.0)

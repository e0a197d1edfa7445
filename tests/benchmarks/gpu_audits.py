"""Attributions and attacks asked on a device, beside the same on the CPU."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from explanations import explainer_of, picture_network, rows_of, table_network
from torch import Tensor, nn

from glassbench.pipeline.asking_device import asked_on


def audits(device: torch.device, rows: int) -> Mapping[str, Any]:
    """Return the seconds that each method takes on the device and on the CPU, and how far their results lie apart."""
    return {
        "integrated gradients, pictures": _both(device, picture_network(), "integrated-gradients", (1, 28, 28), rows // 8),
        "integrated gradients, table": _both(device, table_network(20), "integrated-gradients", (20,), rows),
        "kernel SHAP, table": _both(device, table_network(12), "kernel-shap", (12,), rows),
        "projected gradient attack, pictures": _attacks(device, picture_network(), rows),
    }


def _both(device: torch.device, network: nn.Module, method: str, shape: tuple[int, ...], rows: int) -> Mapping[str, float]:
    """Explain rows on the CPU and on the device; the first few warm it up."""
    asked, found, seconds = rows_of(shape, rows), [], []
    for place in ("cpu", str(device)):
        explainer = explainer_of(asked_on(network, place), method, shape, samples=200)
        explainer.per_feature_group(rows_of(shape, 4))
        started = time.monotonic()
        found.append(explainer.per_feature_group(asked))
        seconds.append(time.monotonic() - started)
    apart = float(np.abs(found[0] - found[1]).max() / np.abs(found[0]).max())
    return {"rows": rows, "cpu seconds": seconds[0], "device seconds": seconds[1], "largest difference": apart}


def _attacks(device: torch.device, network: nn.Module, rows: int) -> Mapping[str, float]:
    """Move rows twenty steps up the loss; inputs and gradients cross to the device and back at each, as in the audit."""
    inputs, found, seconds = rows_of((1, 28, 28), rows).inputs, [], []
    for place in ("cpu", str(device)):
        asked = asked_on(network, place)
        _attacked(asked, inputs[:4])
        started = time.monotonic()
        found.append(_attacked(asked, inputs))
        seconds.append(time.monotonic() - started)
    changed = float((found[0] - found[1]).abs().gt(1e-3).float().mean())
    return {"rows": rows, "cpu seconds": seconds[0], "device seconds": seconds[1], "share of pixels that differ": changed}


def _attacked(network: nn.Module, inputs: Tensor, steps: int = 20, size: float = 0.01) -> Tensor:
    moved, given = inputs.clone(), network(inputs).argmax(dim=1)
    for _ in range(steps):
        moved.requires_grad_(True)
        loss = nn.functional.cross_entropy(network(moved), given, reduction="sum")
        moved = (moved + size * torch.autograd.grad(loss, moved)[0].sign()).detach()
    return moved

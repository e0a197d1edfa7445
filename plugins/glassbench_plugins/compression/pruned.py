"""Weights near zero set to zero."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.errors import RunError
from glassbench.stats.settings_types import CountOrZero, OpenShare
from glassbench_plugins.compression.retraining import learnt, retrained

_STEPS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Shares of weights that are tried in turn where a file has to fit."""


@dataclass(frozen=True, kw_only=True)
class Pruned(Compression):
    """Sets the smallest weights to zero, over all layers together, and has the file stored packed (gzip).

    Biases, norms and embeddings' one-dimensional weights stay. With `epochs`, the other weights then learn again with the run's
    trainer while the zeros stay. Source: Han, Pool, Tran and Dally (2015), Learning both weights and connections for efficient
    neural networks.

    Args:
        share: The share of the weights that are set to zero.
        epochs: Passes over the training rows after pruning, at most, as the run's trainer does them; 0 trains nothing.
    """

    share: OpenShare = 0.5
    epochs: CountOrZero = 0

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the network with small weights at zero.

        Raises:
            RunError: The network has no weights of two or more dimensions, or no rows to retrain on.
            FitError: The run's trainer does not learn in epochs.
        """
        if source.network is None:
            raise RunError("pruning changes the network itself", fix="write it first in a chain: pruned+int8")
        network = copy.deepcopy(source.network)
        weights = prunable(network)
        if not weights:
            raise RunError("this network has no weights that could be pruned", got=type(network).__name__)
        threshold = _threshold(weights, self.share)
        with torch.no_grad():
            for weight in weights:
                weight[weight.abs() <= threshold] = 0.0
        network = retrained(network, source, self.epochs, [(weight, weight.detach() == 0) for weight in weights])
        total = sum(weight.numel() for weight in weights)
        zeros = sum(int((weight == 0).sum()) for weight in weights)
        facts = {"share": zeros / total, "weights": total, "threshold": threshold, "epochs": self.epochs}
        return Compressed(network=network, packed=True, trained=self.epochs > 0, facts=facts)

    def harder(self) -> Compression | None:
        """Return the next larger share."""
        return next((replace(self, share=share) for share in _STEPS if share > self.share), None)

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how many weights are zero."""
        share = f"{100 * facts['share']:.0f}\u00a0% of {facts['weights']:,} weights"
        return f"{share} are zero, those of size {facts['threshold']:.2g} or less; {learnt(facts)}the file is stored packed."


def prunable(network: nn.Module) -> list[Tensor]:
    """Return the weights of linear and convolutional layers, each once."""
    layers = (nn.Linear, nn.modules.conv._ConvNd)
    found = {id(m.weight): m.weight for m in network.modules() if isinstance(m, layers)}
    return list(found.values())


def _threshold(weights: list[Tensor], share: float) -> float:
    """Return the size that a share of all weights is not larger than."""
    sizes = torch.cat([weight.detach().abs().flatten() for weight in weights])
    return float(sizes.kthvalue(max(1, int(share * len(sizes)))).values)

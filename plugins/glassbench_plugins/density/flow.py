"""A normalising flow of coupling layers."""

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count
from glassbench_plugins.density.base import MixtureBase, triangle, untriangle
from glassbench_plugins.density.spline import spline

_BOUND = 4.0
_LEAST = 1e-6
"""Added to the variance of every encoded column, so that a constant one can be whitened too."""
_WIDEST = 16
"""Slots of a row beyond which the noise is one normal distribution: a mixture of full covariances would ask for too many rows."""


class Coupling(nn.Module):
    """Changes some encoded columns by what the others say, so that the change can be undone and its volume is known.

    Args:
        moved: Slots that are changed.
        still: Slots that say how.
        hidden: Width of the network in between.
        bins: Bins of a spline per encoded column; 0 scales and shifts instead.
    """

    moved: Tensor
    still: Tensor

    def __init__(self, moved: Tensor, still: Tensor, hidden: int, bins: int) -> None:
        super().__init__()
        self.register_buffer("moved", moved)
        self.register_buffer("still", still)
        self.bins = bins
        each = 3 * bins - 1 if bins else 2
        self.net = nn.Sequential(
            nn.Linear(max(1, len(still)), hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, each * len(moved)),
        )
        last = self.net[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From rows `(n, d)` to their images `(n, d)` and the logarithm of the change of volume `(n,)`."""
        given = x[:, self.still] if len(self.still) else x.new_zeros(len(x), 1)
        shape = self.net(given).unflatten(1, (len(self.moved), -1))
        if self.bins:
            image, slope = spline(x[:, self.moved], shape, _BOUND)
        else:
            slope = 2 * torch.tanh(shape[..., 0] / 2)  # bounded, so that no row is blown up
            image = x[:, self.moved] * slope.exp() + shape[..., 1]
        order = torch.cat([self.moved, self.still]).argsort()
        return torch.cat([image, x[:, self.still]], dim=1)[:, order], slope.sum(dim=1)


class Whitening(nn.Module):
    """Shifts rows and multiplies them by a triangle; nothing at first, afterwards no two encoded columns are correlated.

    Columns that nearly follow from each other leave a direction in which rows hardly differ, and where a layer's smallest error
    throws them far off; whitened rows are equally wide in all directions.

    Args:
        width: Slots of a row.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(width))
        self.root = nn.Parameter(torch.zeros(width, width))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From rows `(n, d)` to their images `(n, d)` and the logarithm of the change of volume `(n,)`."""
        return (x - self.centre) @ triangle(self.root), self.root.diagonal().sum().expand(len(x))

    def settle(self, vectors: np.ndarray) -> np.ndarray:
        """Learn to whiten rows `(n, d)`, and return their images `(n, d)`."""
        spread = np.cov(vectors, rowvar=False).reshape(vectors.shape[1], -1) + _LEAST * np.eye(vectors.shape[1])
        root = np.linalg.inv(np.linalg.cholesky(spread)).T
        with torch.no_grad():
            self.centre.copy_(torch.as_tensor(vectors.mean(axis=0)))
            self.root.copy_(untriangle(torch.as_tensor(root)))
        return np.asarray((vectors - vectors.mean(axis=0)) @ root)


class Flow(nn.Module):
    """Layers that turn rows step by step into noise, the steps' volumes giving the density; beside them, a mixture.

    The density is a share of the flow's and a share of the mixture's. Where rows lie in tight heaps, the mixture keeps them: the
    layers bend space for all rows at once and would scatter them.

    Args:
        width: Slots of a row.
        layers: Coupling layers.
        hidden: Width of each layer's network.
        bins: Bins of its splines; 0 for affine layers.
        components: The most components of the noise, and of the mixture beside the flow.
    """

    def __init__(self, *, width: int, layers: int, hidden: int, bins: int, components: Count = 1) -> None:
        super().__init__()
        self.whitening = Whitening(width)
        self.base = MixtureBase(width=width, components=components)
        self.beside = MixtureBase(width=width, components=components)
        self.share = nn.Parameter(torch.zeros(()))
        half = torch.arange(width) % 2 == 0
        self.layers = nn.ModuleList()
        for k in range(layers):
            # After every other layer the encoded columns are divided anew, so that each meets every other.
            if k % 2 == 0 and k and width > 2:
                half = half[torch.randperm(width)]
            chosen = half if k % 2 == 0 else ~half
            if not chosen.any():
                chosen = ~chosen
            self.layers.append(Coupling(torch.nonzero(chosen)[:, 0], torch.nonzero(~chosen)[:, 0], hidden, bins))

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to log-densities `(n,)`, in nats."""
        x, volume = self.whitening(inputs.flatten(1))
        mixed = self.beside(x) + logsigmoid(-self.share)
        bent = logsigmoid(self.share).expand(len(x))
        for layer in self.layers:
            x, more = layer(x)
            bent = bent + more
        density: Tensor = volume + torch.logaddexp(bent + self.base(x), mixed)
        return density

    def prepare(self, rows: np.ndarray) -> None:
        """Begin as a mixture of the training rows `(n, ...)`, which the layers then improve on."""
        if len(self.base.shares) > 1:
            self.base.settle(self.whitening.settle(np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)))
            self.beside.load_state_dict(self.base.state_dict())

    def objective(self, inputs: Tensor) -> Tensor:
        """Return the negative log-density of each row `(n,)`."""
        score: Tensor = self(inputs)
        return -score


def flow(
    schema: Schema,
    *,
    layers: Count = 6,
    hidden: Count = 64,
    coupling: Literal["spline", "affine"] = "spline",
    bins: Count = 8,
    components: Count = 20,
) -> Flow:
    """A normalising flow of coupling layers, affine (Dinh et al. 2017) or splines (Durkan et al. 2019), beside a mixture.

    It serves density and anomalies.

    Args:
        schema: Tells how wide a row is.
        layers: Coupling layers.
        hidden: Width of each layer's network.
        coupling: `spline` bends each encoded column freely, `affine` scales and shifts it.
        bins: Bins of a spline.
        components: The most components of the mixture that the flow begins as, and that stays beside it; the number is chosen by
            the Bayesian information criterion. Beyond 16 encoded columns of a row it is one normal distribution.
    """
    sizes = [size for size in schema.shape if size is not None]
    if len(sizes) < len(schema.shape):
        raise FitError("a flow needs rows of a fixed shape", got=str(schema.shape), fix="choose a data set of fixed windows")
    width = math.prod(sizes)
    return Flow(
        width=width,
        layers=layers,
        hidden=hidden,
        bins=bins if coupling == "spline" else 0,
        components=components if width <= _WIDEST else 1,
    )

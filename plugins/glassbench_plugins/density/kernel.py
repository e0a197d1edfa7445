"""Kernel density estimation."""

from typing import Literal

import numpy as np
import torch
from sklearn.model_selection import KFold
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench_plugins.unsupervised.grown import Grown, flat

_FOLDS = 5
_CHOOSING_ROWS = 2_000
_LOG_TWO_PI = float(np.log(2 * np.pi))


class KernelDensity(Grown):
    """A normal density around each training row.

    Args:
        bandwidth: Standard deviation of each, or None to choose it by cross-validation.
    """

    rows: Tensor
    width: Tensor

    def __init__(self, *, bandwidth: float | None) -> None:
        super().__init__()
        self.bandwidth = bandwidth
        self.grow("rows", "width")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "KernelDensity":
        """Remember the rows `(n, ...)`, and choose the bandwidth where it is not given."""
        vectors = flat(rows)
        width = self.bandwidth or choose_bandwidth(vectors)
        self.keep(rows=vectors, width=width)
        self.facts = {"bandwidth": width}
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to log-densities `(n,)`, float64, in nats."""
        return kernel_log_density(inputs.flatten(1).double(), self.rows, self.width)


def kernel_log_density(points: Tensor, rows: Tensor, width: Tensor) -> Tensor:
    """Return the log-density at points `(n, d)` of equal normal densities around rows `(m, d)`, `(n,)`."""
    squared = torch.cdist(points, rows, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    height = points.shape[1] * (width.log() + 0.5 * _LOG_TWO_PI) + float(np.log(len(rows)))
    return torch.logsumexp(-squared / (2 * width**2), dim=1) - height


def choose_bandwidth(vectors: np.ndarray) -> float:
    """Return the bandwidth with the largest likelihood in five-fold cross-validation, of 20 from 0.05 to 2 times Scott's rule.

    Raises:
        FitError: There are too few rows to hold some out.
    """
    if len(vectors) < _FOLDS:
        raise FitError("there are too few rows to choose a bandwidth", got=f"{len(vectors)} rows", fix="set model.bandwidth")
    part = vectors[np.random.permutation(len(vectors))[:_CHOOSING_ROWS]]
    scott = len(vectors) ** (-1 / (vectors.shape[1] + 4)) * max(float(vectors.std(axis=0).mean()), 1e-6)
    widths = scott * np.geomspace(0.05, 2, 20)
    folds = [(torch.as_tensor(part[a]), torch.as_tensor(part[b])) for a, b in KFold(_FOLDS).split(part)]
    scores = [sum(float(kernel_log_density(b, a, torch.tensor(w)).sum()) for a, b in folds) for w in widths]
    return float(widths[int(np.argmax(scores))])


def kernel_density(schema: Schema, *, bandwidth: float | Literal["cross-validation"] = "cross-validation") -> KernelDensity:
    """A normal density around each training row (Parzen 1962).

    Args:
        schema: What the rows are.
        bandwidth: Standard deviation around each row, in the units of the inputs, or `cross-validation`, which chooses it.
    """
    given = bandwidth if isinstance(bandwidth, float) else None
    if given is not None and given <= 0:
        raise FitError("a bandwidth must be above 0", got=str(bandwidth), fix="set model.bandwidth")
    return KernelDensity(bandwidth=given)

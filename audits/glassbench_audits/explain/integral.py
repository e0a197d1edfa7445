"""Integrated gradients over all rows and all points at once."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from glassbench_audits.explain.explained import Explained, Rows, pick


@lru_cache(maxsize=8)
def gauss_legendre(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points `(steps,)` in (0, 1) and their weights, which sum to 1."""
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (1 + points) / 2, weights / 2


def path_integral(explained: Explained, rows: Rows, baselines: Tensor, steps: int) -> Tensor:
    """Return the integrated gradients of rows `(n, ...)` from their baselines `(n, ...)`.

    The same rule as Captum's `IntegratedGradients(method="gausslegendre")`, to rounding (a test holds 1e-6); faster on
    small networks, because the points are computed once and the outputs are summed instead of differentiated as n *
    steps single numbers.
    """
    points, weights = (torch.as_tensor(a).to(rows.inputs) for a in gauss_legendre(steps))
    shape = (steps,) + (1,) * rows.inputs.ndim
    difference = rows.inputs - baselines
    path = (baselines + points.reshape(shape) * difference).flatten(0, 1).detach().requires_grad_()
    output = explained(path, *(other.repeat((steps,) + (1,) * (other.ndim - 1)) for other in rows.others))
    candidates = rows.candidates
    if candidates is not None:
        candidates = candidates.repeat((steps,) + (1,) * (candidates.ndim - 1))
    (gradients,) = torch.autograd.grad(pick(output, candidates).sum(), path)
    mean = (gradients.reshape(steps, *rows.inputs.shape) * weights.reshape(shape)).sum(dim=0)
    return (mean * difference).detach()

"""What a flow turns rows into: noise of a mixture of normal distributions."""

import math

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

_ABSENT = -30.0
"""The logarithm of the share of a component that is not used."""


class MixtureBase(nn.Module):
    """A mixture of normal distributions; the standard normal one until it is told of rows.

    A flow bends space without tearing it, so that from one bell it draws threads between rows that lie in separate heaps; from a
    mixture it need not (Izmailov et al. 2020, "Semi-supervised learning with normalizing flows").

    Args:
        width: Slots of a row.
        components: The most components.
    """

    def __init__(self, *, width: int, components: int) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.full((components,), _ABSENT))
        self.means = nn.Parameter(torch.zeros(components, width))
        self.roots = nn.Parameter(torch.zeros(components, width, width))
        with torch.no_grad():
            self.shares[0] = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """From points `(n, d)` to log-densities `(n,)`, in nats."""
        logs = self.roots.diagonal(dim1=1, dim2=2)
        roots = triangle(self.roots)
        off = torch.einsum("nkd,kde->nke", x[:, None, :] - self.means, roots)
        height = logs.sum(dim=1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
        return torch.logsumexp(self.shares.log_softmax(dim=0) + height - 0.5 * (off**2).sum(dim=-1), dim=1)

    def settle(self, vectors: np.ndarray) -> None:
        """Become the mixture of rows `(n, d)` with the smallest Bayesian information criterion, as scikit-learn finds it.

        Where its search begins is drawn from PyTorch's generator.
        """
        most = min(len(self.shares), len(np.unique(vectors, axis=0)))
        seed = int(torch.randint(2**31, ()))
        found = [GaussianMixture(k, max_iter=300, random_state=seed).fit(vectors) for k in range(1, most + 1)]
        best = min(found, key=lambda mixture: float(mixture.bic(vectors)))
        k = best.n_components
        with torch.no_grad():
            self.shares.fill_(_ABSENT)[:k] = torch.as_tensor(np.log(best.weights_)).float()
            self.means[:k] = torch.as_tensor(best.means_).float()
            self.roots[:k] = untriangle(torch.as_tensor(best.precisions_cholesky_)).float()


def triangle(free: Tensor) -> Tensor:
    """Return upper triangles `(..., d, d)` from free ones: their diagonals are logarithms, so that they stay above 0."""
    return torch.triu(free, 1) + torch.diag_embed(free.diagonal(dim1=-2, dim2=-1).exp())


def untriangle(roots: Tensor) -> Tensor:
    """Return what `triangle` makes upper triangles `(..., d, d)` of."""
    return torch.triu(roots, 1) + torch.diag_embed(roots.diagonal(dim1=-2, dim2=-1).log())

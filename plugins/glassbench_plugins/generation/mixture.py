"""A Gaussian mixture for each class: the simplest generator of pictures, with which others are compared."""

import math

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count
from glassbench_plugins.generation.conditional import limits, picture_size
from glassbench_plugins.unsupervised.grown import Grown, flat

_FEWEST = 10
_RIDGE = 1e-3


class ClassMixture(Grown):
    """Principal components of each class's pictures, and a mixture of normal distributions along them (scikit-learn).

    Args:
        schema: Tells the size of the pictures and the classes.
        components: Normal distributions per class; fewer where a class has under ten pictures for each.
        axes: Principal components per class; fewer where a class has not so many pictures.
    """

    means: Tensor
    axes: Tensor
    shares: Tensor
    centres: Tensor
    roots: Tensor
    rest: Tensor

    def __init__(self, schema: Schema, *, components: Count = 3, axes: Count = 30) -> None:
        super().__init__()
        self.size = picture_size(schema, "class-mixture")
        self.components, self.most_axes = components, axes
        self.grow("means", "axes", "shares", "centres", "roots", "rest")

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """One number to choose a component by, and one for each axis."""
        return (1 + self.axes.shape[1],)

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "ClassMixture":
        """Fit each class's mixture to pictures `(n, C, H, W)` and their classes `(n,)`.

        Raises:
            FitError: A class has fewer than ten training pictures.
        """
        assert target is not None
        vectors, codes = flat(rows), np.asarray(target)
        counts = np.bincount(codes, minlength=self.size.classes)
        if counts.min() < _FEWEST:
            got = f"{counts.min()} of class number {int(counts.argmin())}"
            raise FitError(
                f"a mixture needs {_FEWEST} training images of each class", got=got, fix="give it more, or leave the class out"
            )
        axes = min(self.most_axes, vectors.shape[1], int(counts.min()) - 1)
        parts = min(self.components, int(counts.min()) // _FEWEST)
        found = [_fitted(vectors[codes == number], axes, parts) for number in range(self.size.classes)]
        names = ("means", "axes", "shares", "centres", "roots", "rest")
        self.keep(**{name: np.stack([each[place] for each in found]) for place, name in enumerate(names)})
        self.facts = {"components_per_class": parts, "axes_per_class": axes}
        return self

    def forward(self, pictures: Tensor) -> Tensor:
        """From pictures `(n, C, H, W)` to their log-density under each class, float64 `(n, classes)`, in nats."""
        rows = pictures.flatten(1).double()
        return torch.stack([self._log_density(rows, number) for number in range(self.size.classes)], dim=1)

    def sample(self, classes: Tensor, noise: Tensor) -> Tensor:
        """From wanted classes, long `(n,)`, and noise `(n, 1 + axes)` to pictures `(n, C, H, W)`, float32."""
        chance = torch.special.ndtr(noise[:, 0].double())
        part = (chance[:, None] > self.shares[classes].cumsum(dim=1)[:, :-1]).sum(dim=1)
        along = self.centres[classes, part] + torch.einsum("nij,nj->ni", self.roots[classes, part], noise[:, 1:].double())
        rows = self.means[classes] + torch.einsum("nk,nkd->nd", along, self.axes[classes])
        black, white = limits(self.size)
        return torch.clamp(rows.float().reshape(-1, *self.size.shape), black, white)

    def _log_density(self, rows: Tensor, number: int) -> Tensor:
        off = rows - self.means[number]
        along = off @ self.axes[number].T
        beyond = (off.square().sum(dim=1) - along.square().sum(dim=1)).clamp(min=0) / self.rest[number]
        others = rows.shape[1] - along.shape[1]
        parts = [self._part(along, number, part) for part in range(self.shares.shape[1])]
        aside = 0.5 * (beyond + others * (self.rest[number].log() + math.log(2 * math.pi)))
        return torch.logsumexp(torch.stack(parts, dim=1), dim=1) - aside

    def _part(self, along: Tensor, number: int, part: int) -> Tensor:
        root = self.roots[number, part]
        white = torch.linalg.solve_triangular(root, (along - self.centres[number, part]).T, upper=False)
        height = root.diagonal().log().sum() + 0.5 * len(root) * math.log(2 * math.pi)
        density: Tensor = self.shares[number, part].log() - height - 0.5 * white.square().sum(dim=0)
        return density


def _fitted(rows: np.ndarray, axes: int, parts: int) -> tuple[np.ndarray | float, ...]:
    """Return mean, axes, shares, centres, roots of the covariances and the variance beyond the axes, of one class's rows."""
    found = PCA(axes, svd_solver="full").fit(rows)
    along = found.transform(rows)
    ridge = _RIDGE * float(np.var(along, axis=0).mean()) + 1e-9
    mixture = GaussianMixture(parts, reg_covar=ridge, random_state=0).fit(along)
    order = np.argsort(-mixture.weights_)
    roots = np.linalg.cholesky(mixture.covariances_[order])
    rest = max(float(found.noise_variance_), 1e-6)
    return found.mean_, found.components_, mixture.weights_[order], mixture.means_[order], roots, rest

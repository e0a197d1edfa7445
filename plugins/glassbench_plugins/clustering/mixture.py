"""Mixtures of normal distributions, found by expectation and maximisation."""

from typing import Literal

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, NonNegativeNumber
from glassbench_plugins.clustering.counting import Criterion, Fit, check_count, choose
from glassbench_plugins.unsupervised.grown import Grown, flat

Covariance = Literal["full", "tied", "diag", "spherical"]
_LOG_TWO_PI = float(np.log(2 * np.pi))


class Mixture(Grown):
    """A mixture of normal distributions with the parameters that scikit-learn finds.

    Args:
        clusters: How many components, or the criterion that chooses.
        most: The most to choose from.
        covariance: Shape of the components, as scikit-learn names them.
        starts: Random starts, of which the best is kept.
        ridge: What is added to variances so that no component collapses onto a point.
    """

    shares: Tensor
    means: Tensor
    roots: Tensor

    def __init__(self, *, clusters: int | Criterion, most: int, covariance: Covariance, starts: int, ridge: float) -> None:
        super().__init__()
        self.clusters, self.most, self.covariance = clusters, most, covariance
        self.starts, self.ridge = starts, ridge
        self.grow("shares", "means", "roots")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "Mixture":
        """Find the components of rows `(n, ...)`.

        Raises:
            FitError: There are fewer rows than components.
        """
        vectors = flat(rows)
        count = None if isinstance(self.clusters, int) else choose(vectors, self._fitted, self.clusters, self.most)
        self.facts = {} if count is None else count.facts
        return self._settle(vectors, self.clusters if isinstance(self.clusters, int) else self.facts["clusters"])

    def refit(self, rows: np.ndarray) -> "Mixture":
        """Find as many components again in other rows."""
        return self._settle(flat(rows), len(self.means))

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to the log-density of the row and each component together `(n, k)`, float64, in nats."""
        off = inputs.flatten(1).double()[:, None, :] - self.means
        if self.roots.ndim == 3:  # triangular roots of precisions, one per component
            scaled = torch.einsum("nkd,kde->nke", off, self.roots)
            volume = self.roots.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        else:
            scaled, volume = off * self.roots, self.roots.log().sum(dim=1)
        width = self.means.shape[1]
        return -0.5 * (width * _LOG_TWO_PI + (scaled**2).sum(dim=-1)) + volume + self.shares.log()

    def _settle(self, vectors: np.ndarray, clusters: int) -> "Mixture":
        check_count(vectors, clusters)
        found = self._estimator(clusters).fit(vectors)
        roots = found.precisions_cholesky_
        if self.covariance == "tied":
            roots = np.repeat(roots[None], clusters, axis=0)
        elif self.covariance == "spherical":
            roots = np.repeat(roots[:, None], vectors.shape[1], axis=1)
        self.keep(shares=found.weights_, means=found.means_, roots=roots)
        self.facts |= {"clusters": clusters, "log_likelihood": float(found.lower_bound_)}
        return self

    def _estimator(self, clusters: int) -> GaussianMixture:
        return GaussianMixture(clusters, covariance_type=self.covariance, n_init=self.starts, reg_covar=self.ridge)

    def _fitted(self, vectors: np.ndarray, clusters: int) -> Fit:
        found: Fit = self._estimator(clusters).fit(vectors)
        return found


def gaussian_mixture(
    schema: Schema,
    *,
    clusters: Count | Literal["bic", "silhouette", "stability"] = "bic",
    most: Count = 10,
    covariance: Literal["full", "tied", "diag", "spherical"] = "full",
    starts: Count = 1,
    ridge: NonNegativeNumber = 1e-6,
) -> Mixture:
    """A mixture of normal distributions by expectation and maximisation (Dempster et al. 1977), as scikit-learn has it.

    It serves clustering (the probable component), density and anomalies (the density of all components together).

    Args:
        schema: What the rows are.
        clusters: How many components, or what chooses the number: `bic`, `silhouette` or `stability`.
        most: The most components to choose from.
        covariance: Shape of the components: `full` ellipsoids, one `tied` shape, `diag` along the axes, `spherical`.
        starts: Random starts, of which the best is kept.
        ridge: Added to variances, so that no component collapses onto a point.
    """
    return Mixture(clusters=clusters, most=most, covariance=covariance, starts=starts, ridge=ridge)

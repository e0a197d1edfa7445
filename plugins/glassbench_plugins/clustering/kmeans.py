"""k-means, with the soft assignment it is the limit of."""

from typing import Any, Literal

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count
from glassbench_plugins.clustering.counting import Criterion, Fit, check_count, choose
from glassbench_plugins.unsupervised.grown import Grown, flat

_TINY = 1e-12


class Centres(Grown):
    """Assigns rows to the nearest of k centres, found by scikit-learn's k-means.

    k-means is the limit of a mixture of equally likely spherical normal distributions of one variance; with the variance
    that fits best (the mean squared distance to the own centre per encoded column) the mixture says how clearly a row belongs.
    The nearest centre is always the most probable one.

    Args:
        clusters: How many, or the criterion that chooses.
        most: The most to choose from.
        starts: Random starts, of which the best is kept.
        batch: Rows per step of the mini-batch variant; None for the full one.
    """

    centres: Tensor
    variance: Tensor

    def __init__(self, *, clusters: int | Criterion, most: int, starts: int, batch: int | None = None) -> None:
        super().__init__()
        self.clusters, self.most, self.starts, self.batch = clusters, most, starts, batch
        self.grow("centres", "variance")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "Centres":
        """Find the centres of rows `(n, ...)`.

        Raises:
            FitError: There are fewer rows than clusters.
        """
        vectors = flat(rows)
        count = None if isinstance(self.clusters, int) else choose(vectors, self._scored, self.clusters, self.most)
        self.facts = {} if count is None else count.facts
        return self._settle(vectors, self.clusters if isinstance(self.clusters, int) else self.facts["clusters"])

    def refit(self, rows: np.ndarray) -> "Centres":
        """Find as many centres again in other rows."""
        return self._settle(flat(rows), len(self.centres))

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to how well each centre explains them, joint log-densities up to a constant `(n, k)`, float64."""
        vectors = inputs.flatten(1).double()
        squared = ((vectors[:, None, :] - self.centres) ** 2).sum(dim=-1)
        return -squared / (2 * self.variance)

    def _settle(self, vectors: np.ndarray, clusters: int) -> "Centres":
        check_count(vectors, clusters)
        found = self._estimator(clusters).fit(vectors)
        variance = max(float(found.inertia_) / vectors.size, _TINY)
        self.keep(centres=found.cluster_centers_.astype(np.float64), variance=variance)
        self.facts |= {"clusters": clusters}
        return self

    def _estimator(self, clusters: int) -> Any:
        if self.batch is None:
            return KMeans(clusters, n_init=self.starts)
        return MiniBatchKMeans(clusters, n_init=self.starts, batch_size=self.batch)

    def _scored(self, vectors: np.ndarray, clusters: int) -> Fit:
        return _Scored(self._estimator(clusters).fit(vectors))


class _Scored:
    """A k-means fit with the information criterion of its mixture."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def predict(self, rows: np.ndarray) -> Any:
        return self.found.predict(rows)

    def bic(self, rows: np.ndarray) -> float:
        """Return the criterion of the hard mixture of spherical normal distributions (Pelleg and Moore 2000)."""
        n, d = rows.shape
        sizes = np.bincount(self.found.predict(rows), minlength=len(self.found.cluster_centers_))
        variance = max(float(self.found.inertia_) / max((n - len(sizes)) * d, 1), _TINY)
        shares = sizes[sizes > 0] / n
        likelihood = n * float((shares * np.log(shares)).sum()) - n * d / 2 * np.log(2 * np.pi * variance)
        likelihood -= (n - len(sizes)) * d / 2
        return float(len(sizes) * (d + 1) * np.log(n) - 2 * likelihood)


def kmeans(
    schema: Schema,
    *,
    clusters: Count | Literal["silhouette", "bic", "stability"] = "silhouette",
    most: Count = 10,
    starts: Count = 10,
) -> Centres:
    """k-means (Lloyd 1982, started by k-means++), as scikit-learn has it.

    Args:
        schema: What the rows are.
        clusters: How many clusters, or what chooses the number: `silhouette`, `bic` or `stability`; the curve is in the report.
        most: The most clusters to choose from.
        starts: Random starts, of which the best is kept.
    """
    _check(clusters, most)
    return Centres(clusters=clusters, most=most, starts=starts)


def minibatch_kmeans(
    schema: Schema,
    *,
    clusters: Count | Literal["silhouette", "bic", "stability"] = "silhouette",
    most: Count = 10,
    starts: Count = 3,
    batch: Count = 1024,
) -> Centres:
    """k-means by mini-batches (Sculley 2010), as scikit-learn has it: faster on many rows, a little less exact.

    Args:
        schema: What the rows are.
        clusters: How many clusters, or what chooses the number: `silhouette`, `bic` or `stability`; the curve is in the report.
        most: The most clusters to choose from.
        starts: Random starts, of which the best is kept.
        batch: Rows per step.
    """
    _check(clusters, most)
    return Centres(clusters=clusters, most=most, starts=starts, batch=batch)


def _check(clusters: int | str, most: int) -> None:
    smallest = clusters if isinstance(clusters, int) else most
    if smallest < 1:
        raise FitError("there must be at least one cluster", got=str(smallest), fix="set model.clusters to 2 or more")

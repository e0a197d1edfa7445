"""Clusterings that label the training rows and know no others: density-based and spectral ones."""

from abc import abstractmethod
from typing import Literal

import numpy as np
import torch
from sklearn.cluster import HDBSCAN, SpectralClustering
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, PositiveNumber
from glassbench_plugins.clustering.counting import check_count
from glassbench_plugins.clustering.quality import NOISE
from glassbench_plugins.unsupervised.grown import Grown, flat


class Nearest(Grown):
    """Assigns a row to the cluster of the nearest training row; training rows keep their own.

    How well a cluster explains a row is a normal density around its nearest training row, as wide as training rows are
    apart, so that the nearest cluster is the most probable and gradients lead towards it. Noise is a column of its own.
    """

    rows: Tensor
    labels: Tensor
    width: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.grow("rows", "labels", "width")

    @abstractmethod
    def label(self, vectors: np.ndarray) -> np.ndarray:
        """Return the cluster of each training row `(n,)`, -1 for noise."""

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "Nearest":
        """Label the rows `(n, ...)` and remember them.

        Raises:
            FitError: There are too few rows.
        """
        vectors = flat(rows)
        labels = np.asarray(self.label(vectors), dtype=np.int64)
        apart = NearestNeighbors(n_neighbors=2).fit(vectors).kneighbors(vectors)[0][:, 1]
        # Many rows may coincide: the typical distance of those that do not.
        width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
        self.keep(rows=vectors, labels=labels, width=width)
        self.facts = {"clusters": int(labels.max()) + 1, "noise": float((labels < 0).mean())}
        return self

    def refit(self, rows: np.ndarray) -> "Nearest":
        """Label other rows in the same way."""
        return self.fit(rows)

    @property
    def cluster_names(self) -> tuple[str, ...]:
        """The clusters by scikit-learn's numbers, then noise where there is any."""
        clusters = [f"cluster {k}" for k in range(int(self.labels.max()) + 1)]
        return tuple([*clusters, NOISE] if bool((self.labels < 0).any()) else clusters)

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to how well each cluster explains them, log-densities up to a constant `(n, k)`, float64."""
        # Distances without matrix products: a training row's to itself must be exactly 0.
        apart = torch.cdist(inputs.flatten(1).double(), self.rows, compute_mode="donot_use_mm_for_euclid_dist")
        names = [*range(int(self.labels.max()) + 1), *([-1] if bool((self.labels < 0).any()) else [])]
        nearest = [apart[:, self.labels == label].amin(dim=1) for label in names]
        return -((torch.stack(nearest, dim=1) / self.width) ** 2) / 2


class DensityClusters(Nearest):
    """HDBSCAN.

    Args:
        smallest: Fewest rows of a cluster.
        neighbours: Rows around a core point; None for as many as `smallest`.
    """

    def __init__(self, *, smallest: int, neighbours: int | None) -> None:
        super().__init__()
        self.smallest, self.neighbours = smallest, neighbours

    def label(self, vectors: np.ndarray) -> np.ndarray:
        """Return scikit-learn's labels."""
        needed = max(self.smallest, self.neighbours or 0)
        if needed > len(vectors):
            raise FitError(
                "a cluster would need more rows than there are",
                got=f"{needed} rows of a cluster, {len(vectors)} training rows",
                fix=f"set model.smallest and model.neighbours to less than {len(vectors)}",
            )
        found = HDBSCAN(min_cluster_size=self.smallest, min_samples=self.neighbours, copy=True).fit(vectors)
        return np.asarray(found.labels_)


class SpectralClusters(Nearest):
    """Spectral clustering.

    Args:
        clusters: How many.
        neighbours: Nearest rows that the similarity graph joins; None for all rows, by a radial kernel.
        gamma: Sharpness of that kernel.
    """

    def __init__(self, *, clusters: int, neighbours: int | None, gamma: float) -> None:
        super().__init__()
        self.clusters, self.neighbours, self.gamma = clusters, neighbours, gamma

    def label(self, vectors: np.ndarray) -> np.ndarray:
        """Return scikit-learn's labels."""
        check_count(vectors, self.clusters)
        if self.neighbours is None:
            found = SpectralClustering(self.clusters, gamma=self.gamma)
        else:
            neighbours = min(self.neighbours, len(vectors))
            found = SpectralClustering(self.clusters, affinity="nearest_neighbors", n_neighbors=neighbours)
        return np.asarray(found.fit(vectors).labels_)


def hdbscan(schema: Schema, *, smallest: Count = 5, neighbours: Count | None = None) -> DensityClusters:
    """HDBSCAN (Campello, Moulavi and Sander 2013), as scikit-learn has it: clusters of any shape, the rest is noise.

    It finds the number of clusters itself. A new row takes the label of the nearest training row, noise too.

    Args:
        schema: What the rows are.
        smallest: Fewest rows of a cluster.
        neighbours: Rows around a core point; more call more rows noise; by default as many as `smallest`.
    """
    if smallest < 2:
        raise FitError("a cluster has at least two rows", got=str(smallest), fix="set model.smallest to 2 or more")
    return DensityClusters(smallest=smallest, neighbours=neighbours)


def spectral(
    schema: Schema,
    *,
    clusters: Count = 3,
    affinity: Literal["neighbours", "kernel"] = "neighbours",
    neighbours: Count = 10,
    gamma: PositiveNumber = 1.0,
) -> SpectralClusters:
    """Spectral clustering (Shi and Malik 2000), as scikit-learn has it: cuts the graph of similar rows; for few thousand rows.

    A new row takes the label of the nearest training row.

    Args:
        schema: What the rows are.
        clusters: How many clusters.
        affinity: What makes rows similar: being among the nearest `neighbours`, or a radial `kernel`.
        neighbours: How many nearest rows the graph joins.
        gamma: Sharpness of the kernel.
    """
    return SpectralClusters(clusters=clusters, neighbours=neighbours if affinity == "neighbours" else None, gamma=gamma)

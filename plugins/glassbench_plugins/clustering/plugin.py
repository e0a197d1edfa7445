"""The clustering plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.clustering"
_ENCODER = "glassbench.toolkit.table.encoder:TableEncoder"
_DATASETS = {
    "wine": "178 wines of three growers by thirteen chemical measurements (scikit-learn)",
    "iris": "150 irises of three species by four lengths (scikit-learn)",
    "moons": "Points of two interleaved half moons (generated)",
    "blobs": "Points around centres that differ in some columns and not in others (generated)",
    "digits-table": "1,797 written digits as tables of 64 pixels; one digit alone on request (scikit-learn)",
}


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield small tables with known groups."""
    for name, summary in _DATASETS.items():
        target = f"{_HERE}.datasets:{name.replace('-', '_')}"
        yield DatasetSpec(name=name, summary=summary, target=target, encoder=_ENCODER)


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield clustering."""
    yield TaskSpec(name="clustering", summary="Find groups of like rows, without labels", target=f"{_HERE}.task:Clustering")


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield clusterings."""
    yield from _by_centres()
    yield from _by_neighbours()


def _by_centres() -> Iterable[ModelSpec]:
    yield ModelSpec(
        name="kmeans",
        summary="k-means with a number of clusters given or chosen (scikit-learn)",
        target=f"{_HERE}.kmeans:kmeans",
        form="estimator",
        tasks=("clustering",),
        differentiable=True,
    )
    yield ModelSpec(
        name="minibatch-kmeans",
        summary="k-means by mini-batches, for many rows (scikit-learn)",
        target=f"{_HERE}.kmeans:minibatch_kmeans",
        form="estimator",
        tasks=("clustering",),
        differentiable=True,
    )
    yield ModelSpec(
        name="fair-kmeans",
        summary="k-means whose clusters hold each group of a sensitive feature about as often as all rows do",
        target=f"{_HERE}.fair_kmeans:fair_kmeans",
        form="estimator",
        tasks=("clustering",),
        differentiable=True,
    )
    yield ModelSpec(
        name="gaussian-mixture",
        summary="A mixture of normal distributions, the number given or chosen (scikit-learn)",
        target=f"{_HERE}.mixture:gaussian_mixture",
        form="estimator",
        tasks=("clustering", "density", "anomaly"),
        differentiable=True,
    )
    yield ModelSpec(
        name="deep-clustering",
        summary="A network that keeps neighbours together, and centres among its codes",
        target=f"{_HERE}.deep:deep_clustering",
        tasks=("clustering",),
    )


def _by_neighbours() -> Iterable[ModelSpec]:
    yield ModelSpec(
        name="hdbscan",
        summary="Clusters of any shape and noise, their number found by density (scikit-learn)",
        target=f"{_HERE}.nearest:hdbscan",
        form="estimator",
        tasks=("clustering",),
        differentiable=True,
    )
    yield ModelSpec(
        name="spectral",
        summary="Cuts the graph of similar rows into a given number of clusters (scikit-learn)",
        target=f"{_HERE}.nearest:spectral",
        form="estimator",
        tasks=("clustering",),
        differentiable=True,
    )
    yield ModelSpec(
        name="sklearn-clusterer",
        summary="Any clustering of scikit-learn by its class name (AgglomerativeClustering, DBSCAN, OPTICS, ...)",
        target=f"{_HERE}.named:sklearn_clusterer",
        form="estimator",
        tasks=("clustering",),
        differentiable=True,
        variants=f"{_HERE}.named:clusterer_named",
    )

"""Clusterings through the platform give scikit-learn's own labels on 24 published sets."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Workspace
from glassbench.toolkit.table.table import NOTHING
from glassbench_plugins.clustering.kmeans import kmeans
from glassbench_plugins.clustering.mixture import gaussian_mixture
from glassbench_plugins.clustering.nearest import hdbscan
from glassbench_plugins.clustering.task import Clustering
from glassbench_plugins.training.estimator import EstimatorTrainer

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "clustering_benchmark"
SETS = sorted(path.name.removesuffix(".data.gz") for path in FOLDER.glob("*.data.gz")) or ["fcps_chainlink"]
SEED = 11


def read(name, part):
    path = FOLDER / f"{name}.{part}.gz"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    with gzip.open(path, "rt") as file:
        return np.loadtxt(file, ndmin=1)


def platform_labels(model, rows):
    split = Split((torch.as_tensor(rows),), np.arange(len(rows)))
    schema = Schema(modality="table", shape=(rows.shape[1],), target=NOTHING)
    data = Data(schema=schema, train=split, test=split)
    task = Clustering()
    task.check(schema)
    fitted = EstimatorTrainer().fit(model(schema), task, data, Workspace(seed=SEED, folder=Path("unused"), record=print))
    decided = task.predict(fitted.model, data.train).frame["y_pred"].str.removeprefix("cluster ").replace("noise", "-1")
    return decided.astype(int).to_numpy()


QUICK = {"fcps_hepta", "other_iris", "sipu_compound", "uci_ecoli", "uci_wine"}


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SETS])
def test_labels_are_scikit_learns(name):
    rows, clusters = read(name, "data").astype(np.float32), len(set(read(name, "labels0")) - {0})
    exact = rows.astype(np.float64)
    for model, reference in (
        (lambda s: kmeans(s, clusters=clusters), KMeans(clusters, n_init=10, random_state=SEED)),
        (lambda s: gaussian_mixture(s, clusters=clusters), GaussianMixture(clusters, random_state=SEED)),
        (hdbscan, HDBSCAN(copy=True)),
    ):
        np.testing.assert_array_equal(platform_labels(model, rows), reference.fit_predict(exact), err_msg=str(reference))

"""Every model that learns without labels keeps the promises of models, on tables, images and windows of series."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.testing import check_dataset, check_taught
from glassbench_plugins.anomalies.forest import isolation_forest
from glassbench_plugins.anomalies.machine_faults import machine_faults
from glassbench_plugins.anomalies.outlier_factor import local_outlier_factor
from glassbench_plugins.anomalies.task import Anomaly
from glassbench_plugins.clustering.datasets import blobs, digits_table
from glassbench_plugins.clustering.deep import deep_clustering
from glassbench_plugins.clustering.fair_kmeans import fair_kmeans
from glassbench_plugins.clustering.kmeans import kmeans, minibatch_kmeans
from glassbench_plugins.clustering.mixture import gaussian_mixture
from glassbench_plugins.clustering.named import clusterer_named
from glassbench_plugins.clustering.nearest import hdbscan, spectral
from glassbench_plugins.clustering.task import Clustering
from glassbench_plugins.density.flow import flow
from glassbench_plugins.density.kernel import kernel_density
from glassbench_plugins.density.task import Density
from glassbench_plugins.representation.autoencoder import autoencoder, variational_autoencoder
from glassbench_plugins.representation.pca import pca
from glassbench_plugins.representation.task import Representation
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.vision.digits import digits

FITS_ITSELF = EstimatorTrainer()
DESCENDS = LightningTrainer(max_epochs=2, threads=1)
TABLE = blobs(2, rows=300)
NORMAL = digits_table(1, normal=3)
WINDOWS = machine_faults(1, steps=600, length=12, faults=3, test_stride=4)
IMAGES = digits(1, normal=3)

TWO_SIDES = pd.DataFrame({"side": np.where(np.arange(len(TABLE.train)) % 2, "left", "right")})
GROUPED = replace(
    TABLE,
    schema=replace(TABLE.schema, sensitive=("side",)),
    train=replace(TABLE.train, groups=TWO_SIDES),
    validation=replace(TABLE.validation, groups=TWO_SIDES.iloc[: len(TABLE.validation)]),
    test=replace(TABLE.test, groups=TWO_SIDES.iloc[: len(TABLE.test)]),
)
AGGLOMERATED = clusterer_named({"estimator": "AgglomerativeClustering"})

CASES = {
    "kmeans": (kmeans, Clustering(), FITS_ITSELF, TABLE, {"clusters": 3}),
    "minibatch-kmeans": (minibatch_kmeans, Clustering(), FITS_ITSELF, TABLE, {"clusters": 3}),
    "gaussian-mixture": (gaussian_mixture, Clustering(), FITS_ITSELF, TABLE, {"clusters": 3}),
    "hdbscan": (hdbscan, Clustering(), FITS_ITSELF, TABLE, {"smallest": 8}),
    "fair-kmeans": (fair_kmeans, Clustering(), FITS_ITSELF, GROUPED, {"clusters": 3}),
    "sklearn-clusterer": (
        AGGLOMERATED,
        Clustering(),
        FITS_ITSELF,
        TABLE,
        {"estimator": "AgglomerativeClustering", "n_clusters": 3},
    ),
    "spectral": (spectral, Clustering(), FITS_ITSELF, TABLE, {}),
    "deep-clustering": (deep_clustering, Clustering(), DESCENDS, TABLE, {"clusters": 3, "hidden": (16,), "code": 2}),
    "density: flow": (flow, Density(), DESCENDS, TABLE, {"layers": 2, "hidden": 8}),
    "density: affine flow": (flow, Density(), DESCENDS, TABLE, {"layers": 2, "hidden": 8, "coupling": "affine"}),
    "density: kernel-density": (kernel_density, Density(), FITS_ITSELF, TABLE, {}),
    "density: gaussian-mixture": (gaussian_mixture, Density(), FITS_ITSELF, TABLE, {"clusters": 3}),
    "pca": (pca, Representation(), FITS_ITSELF, TABLE, {}),
    "autoencoder": (autoencoder, Representation(), DESCENDS, TABLE, {"code": 2, "hidden": (16,)}),
    "variational-autoencoder": (variational_autoencoder, Representation(), DESCENDS, TABLE, {"code": 2, "hidden": (16,)}),
}
ANOMALIES = {
    "autoencoder": (autoencoder, DESCENDS, {"code": 2, "hidden": (16,)}),
    "flow": (flow, DESCENDS, {"layers": 2, "hidden": 8}),
    "isolation-forest": (isolation_forest, FITS_ITSELF, {"trees": 10}),
    "local-outlier-factor": (local_outlier_factor, FITS_ITSELF, {"neighbours": 5}),
    "gaussian-mixture": (gaussian_mixture, FITS_ITSELF, {"clusters": 2, "ridge": 0.1}),
}
ROWS = {"table": NORMAL, "windows": WINDOWS, "images": IMAGES}


@pytest.mark.parametrize("name", CASES)
def test_models(name):
    factory, task, trainer, data, settings = CASES[name]
    check_taught(factory, task, trainer, data, **settings)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", ANOMALIES)
def test_anomalies_of_every_kind_of_rows(name, rows):
    factory, trainer, settings = ANOMALIES[name]
    check_taught(factory, Anomaly(), trainer, ROWS[rows], **settings)


def test_one_class_of_images_alone_is_learnt():
    assert IMAGES.train.target.unique().tolist() == IMAGES.validation.target.unique().tolist() == [0]
    assert IMAGES.test.target.unique().tolist() == [0, 1]
    with pytest.raises(DataError, match="no image is of that class"):
        digits(1, normal=12)


def test_windows_of_a_machine_keep_the_promises_of_data_sets():
    check_dataset(machine_faults, steps=600, length=12, faults=3)

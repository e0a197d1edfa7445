"""Codes: their errors and neighbourhoods against scikit-learn's, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Workspace
from glassbench.errors import DataError, FitError
from glassbench.testing import check_task
from glassbench.toolkit.table.table import NOTHING
from glassbench_plugins.clustering.datasets import blobs, digits_table
from glassbench_plugins.representation.autoencoder import autoencoder, variational_autoencoder
from glassbench_plugins.representation.pca import pca
from glassbench_plugins.representation.task import Representation
from glassbench_plugins.representation.trustworthiness import intrusions
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer

DIGITS = digits_table(1)
TRAIN, TEST = (split.inputs[0].double().numpy() for split in (DIGITS.train, DIGITS.test))


def fit(model, data=DIGITS, trainer=None, folder="unused"):
    task = Representation()
    task.check(data.schema)
    workspace = Workspace(seed=3, folder=Path(folder), record=lambda line: None)
    return task, (trainer or EstimatorTrainer()).fit(model, task, data, workspace)


def measured(task, frame):
    return {metric.name: metric.compute(frame, np.ones((1, len(frame))))[0] for metric in task.metrics}


@pytest.fixture(scope="module")
def axes():
    task, fitted = fit(pca(DIGITS.schema, code=8))
    return measured(task, task.predict(fitted.model, DIGITS.test).frame)


def test_errors_are_those_of_scikit_learns_components(axes):
    reference = PCA(8).fit(TRAIN)
    restored = reference.inverse_transform(reference.transform(TEST))
    assert axes["reconstruction_error"] == pytest.approx(((TEST - restored) ** 2).mean())
    assert axes["explained_variance"] == pytest.approx(1 - ((TEST - restored) ** 2).sum() / ((TEST - TEST.mean(0)) ** 2).sum())


def test_trustworthiness_is_scikit_learns():
    rows = np.random.default_rng(1).normal(size=(150, 6))  # without ties
    codes = PCA(2).fit_transform(rows)
    expected = trustworthiness(rows, codes, n_neighbors=5)
    assert 1 - intrusions(rows, codes, 5).mean() == pytest.approx(expected)


def test_the_neighbourhood_hit_counts_labels(axes):
    codes = PCA(8).fit(TRAIN).transform(TEST)
    labels = DIGITS.test.target.numpy()
    near = NearestNeighbors(n_neighbors=5).fit(codes).kneighbors(return_distance=False)
    assert axes["neighbourhood_hit"] == pytest.approx((labels[near] == labels[:, None]).mean())


@pytest.mark.parametrize("model", [autoencoder, variational_autoencoder])
def test_networks_restore_digits_and_keep_like_beside_like(model, tmp_path):
    trainer = LightningTrainer(max_epochs=40, learning_rate=0.003, threads=1)
    task, fitted = fit(model(DIGITS.schema, code=8), trainer=trainer, folder=tmp_path)
    found = measured(task, task.predict(fitted.model, DIGITS.test).frame)
    assert found["explained_variance"] > 0.4
    assert found["neighbourhood_hit"] > 0.7


def test_a_code_as_wide_as_the_rows_loses_nothing():
    data = blobs(1, rows=200)
    task, fitted = fit(pca(data.schema, code=4), data)
    assert measured(task, task.predict(fitted.model, data.test).frame)["reconstruction_error"] < 1e-12


def test_trustworthiness_of_the_rows_themselves_is_perfect():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    assert intrusions(rows, rows, 5).sum() == 0


def test_too_few_rows_have_no_trustworthiness():
    rows = np.random.default_rng(0).normal(size=(8, 3))
    assert np.isnan(intrusions(rows, rows, 5)).all()


def test_the_task_keeps_its_promises():
    data = blobs(1, rows=200)
    check_task(Representation(), data, autoencoder(data.schema, code=2, hidden=(8,)))


def test_more_axes_than_columns():
    data = blobs(1, rows=200)
    with pytest.raises(FitError, match="not so many principal axes"):
        fit(pca(data.schema, code=9), data)


def test_tokens_cannot_be_restored():
    with pytest.raises(DataError, match="tokens cannot be restored"):
        Representation().check(Schema(modality="text", shape=(None,), target=NOTHING))

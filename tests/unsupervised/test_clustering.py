"""Clusterings, their metrics, and what they refuse."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_model, save_model
from sklearn import metrics
from sklearn.cluster import KMeans

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Workspace
from glassbench.errors import FitError
from glassbench.testing import check_dataset, check_task
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.table import NOTHING
from glassbench_plugins.clustering import agreement, quality
from glassbench_plugins.clustering.datasets import blobs, digits_table, iris, moons, wine
from glassbench_plugins.clustering.kmeans import kmeans, minibatch_kmeans
from glassbench_plugins.clustering.mixture import gaussian_mixture
from glassbench_plugins.clustering.nearest import hdbscan, spectral
from glassbench_plugins.clustering.task import Clustering, log_odds
from glassbench_plugins.training.estimator import EstimatorTrainer

MODELS = (
    lambda s: kmeans(s, most=5),
    lambda s: minibatch_kmeans(s, clusters=3),
    lambda s: gaussian_mixture(s, clusters="bic", most=5),
    lambda s: gaussian_mixture(s, clusters=3, covariance="tied"),
    lambda s: gaussian_mixture(s, clusters=3, covariance="spherical"),
    lambda s: hdbscan(s, smallest=8),
    lambda s: spectral(s, clusters=3),
)


def fit(model, data):
    return EstimatorTrainer().fit(model, Clustering(), data, Workspace(seed=3, folder=Path("unused"), record=print))


def table(rows):
    split = Split((torch.as_tensor(rows, dtype=torch.float32),), np.arange(len(rows)))
    return Data(schema=Schema(modality="table", shape=(rows.shape[1],), target=NOTHING), train=split, test=split)


@pytest.mark.parametrize("factory", [wine, iris, blobs, moons, digits_table])
def test_data_sets(factory):
    check_dataset(factory, encoder=TableEncoder)


def test_one_digit_alone():
    data = digits_table(1, normal=3)
    assert data.train.target.unique().tolist() == [0]
    assert data.test.target.unique().tolist() == [0, 1]


@pytest.mark.parametrize("model", MODELS)
def test_models_cluster_explain_and_survive_saving(model, tmp_path):
    data = blobs(2, rows=300)
    task = Clustering()
    task.check(data.schema)
    fitted = fit(model(data.schema), data).model
    predictions = task.predict(fitted, data.test)
    score = agreement.adjusted_rand_index(predictions.frame, np.ones((1, len(predictions.frame))))
    assert score[0] > 0.6
    save_model(fitted, str(tmp_path / "m.safetensors"))
    fresh = model(data.schema)
    load_model(fresh, str(tmp_path / "m.safetensors"))
    assert task.predict(fresh.eval(), data.test).frame.equals(predictions.frame)
    rows = data.test.inputs[0][:5].clone().requires_grad_()
    task.attribution_output(fitted(rows)).sum(dim=1)[0].backward()
    assert torch.isfinite(rows.grad).all()


def test_the_task_keeps_its_promises():
    data = blobs(2, rows=200)

    class Learning(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def forward(self, rows):
            return self.layer(rows)

        def clustering_learner(self, data, optimization):
            import pytorch_lightning as pl

            return pl.LightningModule()

    check_task(Clustering(), data, Learning())


def test_metrics_are_scikit_learns():
    data = iris(4)
    task = Clustering()
    task.check(data.schema)
    frame = task.predict(fit(kmeans(data.schema, clusters=3), data).model, data.test).frame
    rows, one = data.test.inputs[0].double().numpy(), np.ones((1, len(frame)))
    for ours, theirs in (
        (quality.silhouette, metrics.silhouette_score),
        (quality.calinski_harabasz, metrics.calinski_harabasz_score),
        (quality.davies_bouldin, metrics.davies_bouldin_score),
    ):
        assert ours(frame, one)[0] == pytest.approx(theirs(rows, frame["y_pred"]), rel=1e-9)
    for ours, theirs in (
        (agreement.adjusted_rand_index, metrics.adjusted_rand_score),
        (agreement.normalized_mutual_information, metrics.normalized_mutual_info_score),
    ):
        assert ours(frame, one)[0] == pytest.approx(theirs(frame["y_true"], frame["y_pred"]))


def test_matched_accuracy_by_hand():
    frame = pd.DataFrame({"y_true": list("aabbb"), "y_pred": ["1", "1", "0", "0", "1"]})
    assert agreement.matched_accuracy(frame, np.ones((1, 5)))[0] == pytest.approx(0.8)


def test_log_odds_are_those_of_the_soft_assignment():
    joint = torch.randn(6, 4, dtype=torch.float64)
    soft = joint.softmax(dim=1)
    torch.testing.assert_close(log_odds(joint), torch.log(soft / (1 - soft)))


def test_the_number_of_clusters_is_found():
    data = blobs(1, clusters=4, rows=400, idle=0)
    for criterion in ("silhouette", "bic", "stability"):
        facts = fit(kmeans(data.schema, clusters=criterion, most=6), data).facts
        assert facts["clusters"] == 4, criterion
        assert len(facts["curve"]) >= 4


@pytest.mark.parametrize("model", [lambda s: kmeans(s, clusters=9), lambda s: gaussian_mixture(s, clusters=9)])
def test_more_clusters_than_rows(model):
    data = table(np.arange(10.0).reshape(5, 2))
    with pytest.raises(FitError, match="more clusters than training rows"):
        fit(model(data.schema), data)


def test_constant_columns():
    data = table(np.zeros((30, 3)))
    with pytest.raises(FitError, match="different"):
        fit(kmeans(data.schema), data)


def test_scikit_learns_labels_on_training_rows():
    data = wine(3)
    rows = data.train.inputs[0].double().numpy()
    labels = Clustering().predict(fit(kmeans(data.schema, clusters=3), data).model, data.train).target_index.numpy()
    np.testing.assert_array_equal(labels, KMeans(3, n_init=10, random_state=3).fit(rows).labels_)

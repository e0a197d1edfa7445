"""Clusterings of scikit-learn by class name: labels are its own, and bad names and settings are refused in one screen."""

import numpy as np
import pytest
from sklearn import cluster

import glassbench
from glassbench.errors import FitError, SettingsError
from glassbench_plugins.clustering.datasets import wine
from glassbench_plugins.clustering.named import _offered, clusterer_named
from glassbench_plugins.unsupervised.grown import flat

NAMED = {
    "AgglomerativeClustering": {"n_clusters": 3},
    "DBSCAN": {"eps": 2.5, "min_samples": 4},
    "Birch": {"n_clusters": 3},
    "MeanShift": {"bandwidth": 4.0},
}


@pytest.mark.parametrize("name", NAMED)
def test_labels_are_those_of_scikit_learn(name):
    data = wine(0)
    rows = data.train.inputs[0].numpy()
    model = clusterer_named({"estimator": name})(data.schema, estimator=name, **NAMED[name]).fit(rows)
    expected = getattr(cluster, name)(**NAMED[name]).fit_predict(flat(rows))
    outputs = model(data.train.inputs[0])
    names = model.cluster_names
    found = np.array([-1 if names[k] == "noise" else int(names[k].split()[1]) for k in outputs.argmax(dim=1)])
    assert np.array_equal(found, expected)


def test_every_clustering_that_labels_rows_is_offered():
    assert set(NAMED) | {"KMeans", "OPTICS", "HDBSCAN", "SpectralClustering", "AffinityPropagation"} <= set(_offered())
    assert "FeatureAgglomeration" not in _offered()


def test_a_run_by_name_is_kept_and_read_again(tmp_path):
    model = {"use": "sklearn-clusterer", "estimator": "AgglomerativeClustering", "n_clusters": 3, "linkage": "ward"}
    asked = {"name": "x", "dataset": "wine", "task": "clustering", "model": model, "audits": ["performance"]}
    run = glassbench.run(asked, runs=tmp_path)
    again = glassbench.load_run(run.folder)
    rows = again.held_out_rows.head(5)
    assert list(again.predict(rows)["y_pred"]) == list(run.predict(rows)["y_pred"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"estimator": "AglomerativeClustering"}, "AgglomerativeClustering"),
        ({"estimator": "RandomForestClassifier"}, "no clustering"),
        ({}, "nothing"),
        ({"estimator": "DBSCAN", "eps": -1.0}, "eps"),
        ({"estimator": "DBSCAN", "linkage": "ward"}, "linkage"),
    ],
)
def test_bad_names_and_settings_are_refused(given, said):
    asked = {"name": "x", "dataset": "wine", "task": "clustering", "model": {"use": "sklearn-clusterer", **given}}
    with pytest.raises(SettingsError) as caught:
        glassbench.plan(asked)
    assert said in str(caught.value)


def test_rows_that_are_all_noise_are_said_to_be():
    data = wine(0)
    model = clusterer_named({"estimator": "DBSCAN"})(data.schema, estimator="DBSCAN", eps=1e-6)
    with pytest.raises(FitError, match="every row noise"):
        model.fit(data.train.inputs[0].numpy())

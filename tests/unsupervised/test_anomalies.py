"""Scores of unusual rows against scikit-learn's, what drives them where that was planted, and windows of series."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import metrics
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from glassbench.contracts.data import Data, Split
from glassbench.contracts.predictions.flags import FLAGS
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject
from glassbench.contracts.trainer import Workspace
from glassbench.errors import DataError, FitError, SettingsError
from glassbench.testing import check_task
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import NOTHING, table_data
from glassbench_audits.attribution.methods import METHODS
from glassbench_audits.explain.audit import explain
from glassbench_plugins.anomalies import ranking
from glassbench_plugins.anomalies.files import series_windows
from glassbench_plugins.anomalies.forest import isolation_forest
from glassbench_plugins.anomalies.machine_faults import machine_faults
from glassbench_plugins.anomalies.outlier_factor import local_outlier_factor
from glassbench_plugins.anomalies.task import Anomaly
from glassbench_plugins.clustering.datasets import digits_table
from glassbench_plugins.density.flow import flow
from glassbench_plugins.representation.autoencoder import autoencoder
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer

THREES = digits_table(1, normal=3)
TRAIN, TEST = (split.inputs[0].double().numpy() for split in (THREES.train, THREES.test))


def fit(model, data=THREES, trainer=None, folder="unused", share=0.05):
    task = Anomaly(share=share)
    task.check(data.schema)
    workspace = Workspace(seed=3, folder=Path(folder), record=lambda line: None)
    fitted = (trainer or EstimatorTrainer()).fit(task.adapt(model, data.schema), task, data, workspace)
    return task, fitted


def planted(rows=900):
    """Return rows of five correlated columns, the last of testing with the fourth column out of line."""
    generator = np.random.default_rng(5)
    common = generator.normal(size=(rows, 1))
    frame = pd.DataFrame(0.5 * common + generator.normal(size=(rows, 5)), columns=list("abcde"))
    frame.loc[rows - 20 :, "d"] -= 7.0
    given = {"train": np.arange(500), "validation": np.arange(500, 700), "test": np.arange(700, rows)}
    return table_data(frame, Columns(), Division(seed=1, given=given))


def subject_of(task, fitted, data):
    predictions = task.predict(fitted.model, data.test)
    return Subject(schema=data.schema, predictions=predictions, task=task, model=fitted.model, train=data.train, seed=1)


MODELS = {
    "autoencoder": (
        lambda s: autoencoder(s, code=1, hidden=(16,)),
        LightningTrainer(max_epochs=30, learning_rate=0.01, threads=1),
    ),
    "flow": (lambda s: flow(s, layers=4, hidden=16), LightningTrainer(max_epochs=15, learning_rate=0.01, threads=1)),
    "isolation-forest": (lambda s: isolation_forest(s, trees=50), None),
    "local-outlier-factor": (lambda s: local_outlier_factor(s, neighbours=20), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_an_anomaly_planted_in_one_feature_is_explained_by_it(name, tmp_path):
    model, trainer = MODELS[name]
    data = planted()
    task, fitted = fit(model(data.schema), data, trainer, tmp_path)
    scores = task.predict(fitted.model, data.test).frame["score"].to_numpy()
    assert metrics.roc_auc_score(np.arange(200) >= 180, scores) > 0.8
    subject = subject_of(task, fitted, replace(data, test=data.test.take(np.arange(180, 200))))
    importance = next(table for table in explain(subject).tables if table.title == "Importance of each input")
    assert importance.rows[0][0] == "d"
    assert importance.rows[0][1] > 2 * importance.rows[1][1]


def test_a_forests_scores_are_scikit_learns():
    task, fitted = fit(isolation_forest(THREES.schema))
    np.random.seed(3)  # the forest draws from NumPy's own generator, as the trainer seeds it
    expected = -IsolationForest(max_samples=min(256, len(TRAIN))).fit(TRAIN).score_samples(TEST)
    np.testing.assert_allclose(task.predict(fitted.model, THREES.test).frame["score"], expected, atol=1e-9)


def test_outlier_factors_are_scikit_learns():
    data = planted()  # without ties, which libraries break as they like
    task, fitted = fit(local_outlier_factor(data.schema, neighbours=10), data)
    train, test = (split.inputs[0].double().numpy() for split in (data.train, data.test))
    expected = -LocalOutlierFactor(n_neighbors=10, novelty=True).fit(train).score_samples(test)
    np.testing.assert_allclose(task.predict(fitted.model, data.test).frame["score"], expected, rtol=1e-6)


@pytest.mark.slow
def test_an_outlier_factor_is_explained_by_perturbation():
    task, fitted = fit(local_outlier_factor(THREES.schema, neighbours=10))
    result = explain(subject_of(task, fitted, THREES), rows=16, cases=1)
    assert not result.not_applicable
    assert not METHODS[result.method.parameters["method"]].gradients
    assert all(np.isfinite(part.contribution) for case in result.cases for part in case.parts)


def test_the_share_flagged_of_usual_rows_is_the_one_asked_for():
    data = planted()
    task, fitted = fit(isolation_forest(data.schema), data, share=0.1)
    assert task.predict(fitted.model, data.train).frame["flagged"].mean() == pytest.approx(0.1, abs=0.005)


def test_rankings_are_scikit_learns():
    generator = np.random.default_rng(0)
    unusual = generator.integers(0, 2, 80)
    frame = pd.DataFrame({"unusual": unusual, "score": np.round(unusual + generator.normal(size=80), 1)})
    weights = generator.integers(0, 4, (3, 80)).astype(float)
    for ours, theirs in (
        (ranking.roc_auc, metrics.roc_auc_score),
        (ranking.average_precision, metrics.average_precision_score),
    ):
        expected = [theirs(frame["unusual"], frame["score"], sample_weight=row) for row in weights]
        np.testing.assert_allclose(ours(frame, weights), expected)


def test_the_task_keeps_its_promises():
    check_task(Anomaly(), THREES, autoencoder(THREES.schema, code=2, hidden=(8,)))


def test_ten_classes_name_no_unusual_one():
    with pytest.raises(DataError, match="not known which class is the unusual one"):
        Anomaly().check(digits_table(1).schema)


def test_a_network_needs_validation_rows_for_its_threshold(tmp_path):
    data = Data(schema=THREES.schema, train=THREES.train, test=THREES.test)
    with pytest.raises(FitError, match="threshold is set by validation rows"):
        fit(autoencoder(data.schema), data, LightningTrainer(max_epochs=1), tmp_path)


def test_more_neighbours_than_rows():
    rows = Split((torch.zeros(5, 2),), np.arange(5))
    data = Data(schema=Schema(modality="table", shape=(2,), target=NOTHING), train=rows, test=rows)
    with pytest.raises(FitError, match="not more training rows than neighbours"):
        fit(local_outlier_factor(data.schema, neighbours=5), data)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all(share):
    with pytest.raises(SettingsError, match="between 0 and 1"):
        Anomaly(share=share)


class TestWindows:
    """Windows that slide over a series."""

    @pytest.fixture
    def path(self, tmp_path):
        times = pd.date_range("2026-01-01", periods=200, freq="h")
        frame = pd.DataFrame({"time": times, "a": np.arange(200.0), "b": np.cos(np.arange(200))})
        frame.to_csv(tmp_path / "series.csv", index=False)
        return str(tmp_path / "series.csv")

    def test_a_window_holds_the_steps_up_to_its_own(self, path):
        data = series_windows(0, path=path, length=5, split=(0.5, 0.1, 0.4))
        mean, std = data.schema.facts.mean, data.schema.facts.std
        first = data.test.inputs[0][0].double().numpy() * std + mean
        np.testing.assert_allclose(first[:, 0], np.arange(116, 121), rtol=1e-5)
        assert data.test.rows[0] == "2026-01-06 00:00:00"
        assert data.schema.target.kind == "none"

    def test_known_spans_are_judged_and_not_learnt_from(self, path):
        spans = (("2026-01-02 00:00", "2026-01-02 05:00"), ("2026-01-08 00:00", "2026-01-08 02:00"))
        data = series_windows(0, path=path, length=5, split=(0.5, 0.1, 0.4), unusual=spans)
        assert data.schema.target.classes == FLAGS
        assert int(data.test.target.sum()) == 3
        assert int(data.train.target.sum()) == 0
        assert len(data.train) == 100 - 4 - (6 + 4)

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"length": 0}, "length must be at least 1"),
            ({"length": 150}, "holds no whole window"),
            ({"split": (0.5, 0.1, 0.1)}, "must sum to 1"),
            ({"unusual": (("soon", "later"),)}, "the ends of a span are moments"),
            ({"unusual": (("2026-01-03", "2026-01-02"),)}, "ends before it begins"),
            ({"channels": ("c",)}, "there is no column 'c'"),
        ],
    )
    def test_what_cannot_be_is_refused(self, path, settings, said):
        with pytest.raises((DataError, SettingsError), match=said):
            series_windows(0, path=path, **settings)

    @pytest.mark.slow
    def test_a_planted_fault_is_found_in_its_channel_and_hours(self, tmp_path):
        data = machine_faults(1, steps=1200, length=12, faults=4, strength=16)
        trainer = LightningTrainer(max_epochs=40, learning_rate=0.004, threads=1)
        task, fitted = fit(autoencoder(data.schema, code=4, hidden=(48,)), data, trainer, tmp_path)
        subject = subject_of(task, fitted, data)
        frame = subject.predictions.frame
        assert metrics.roc_auc_score(frame["unusual"], frame["score"]) > 0.9
        case = next(case for case in explain(subject, rows=32, cases=1).cases if case.title == "the most unusual row")
        assert max(case.parts, key=lambda part: part.contribution).name.startswith("temperature")

    def test_faults_that_do_not_fit(self):
        with pytest.raises(SettingsError, match="do not fit into the second half"):
            machine_faults(1, steps=300, faults=20)

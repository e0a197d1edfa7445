"""Weights of training rows: estimators and networks weigh rows as scikit-learn does, and what cannot says so."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from glassbench.contracts.trainer import Workspace
from glassbench.errors import DataError
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.supervised.regression import Regression
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer

CHANCE = np.random.default_rng(8)
N = 400
TABLE = pd.DataFrame({"a": CHANCE.normal(size=N), "b": CHANCE.normal(size=N), "w": CHANCE.lognormal(0, 1, N)})
TABLE["y"] = np.where(TABLE["a"] + CHANCE.normal(size=N) > 0, "yes", "no")
TABLE["v"] = TABLE["a"] * np.where(TABLE["w"] > 1, 2, -1)


def data(frame=TABLE, *, target="y", weight="w", **columns):
    drop = tuple({"y", "v"} - {target})
    return table_data(frame, Columns(target=target, weight=weight, drop=drop, **columns), Division(seed=0))


def fitted(tmp_path, trainer, model, task, given):
    task.check(given.schema)
    return trainer.fit(model, task, given, Workspace(seed=1, folder=tmp_path, record=lambda line: None))


def test_a_column_of_weights_is_no_input_and_stays_with_its_rows():
    given = data()
    assert [feature.name for feature in given.schema.features] == ["a", "b"]
    for split in (given.train, given.validation, given.test):
        assert np.array_equal(split.weights, TABLE["w"].to_numpy()[split.rows])
    assert any("weighted by w" in note for note in given.notes)


def test_logistic_regression_has_the_coefficients_of_scikit_learn(tmp_path):
    given = data()
    model = LogisticRegression()
    found = fitted(tmp_path, EstimatorTrainer(), model, Classification(), given)
    x, y, w = given.train.inputs[0].numpy(), given.train.target.numpy(), given.train.weights
    expected = LogisticRegression().fit(x, y, sample_weight=w / w.mean())
    assert np.allclose(model.coef_, expected.coef_, rtol=1e-9)
    assert not np.allclose(model.coef_, LogisticRegression().fit(x, y).coef_, rtol=1e-3)
    assert found.facts["weights"] == "the fit weighed each row"


def test_an_estimator_without_sample_weight_says_so(tmp_path):
    found = fitted(tmp_path, EstimatorTrainer(), KNeighborsClassifier(), Classification(), data())
    assert "not used" in found.facts["weights"]


def descended(tmp_path, given, task, outputs, epochs=60):
    torch.manual_seed(0)
    trainer = LightningTrainer(
        max_epochs=epochs, batch_size=1024, learning_rate=0.1, early_stopping=None, keep="last", accelerator="cpu", threads=1
    )
    model = task.adapt(nn.Linear(2, outputs), given.schema)
    found = fitted(tmp_path, trainer, model, task, given)
    return found.facts, np.concatenate([p.detach().numpy().ravel() for p in found.model.parameters()])


def test_a_network_learns_from_whole_weights_what_it_learns_from_copies(tmp_path):
    whole = TABLE.assign(w=CHANCE.integers(1, 4, N))
    given = data(whole)
    copied = given.train.take(np.repeat(np.arange(len(given.train)), given.train.weights.astype(int)))
    copies = replace(given, train=replace(copied, weights=None, rows=np.arange(len(copied.rows))))
    facts, weighted = descended(tmp_path / "w", given, Classification(), 2)
    _, expected = descended(tmp_path / "c", copies, Classification(), 2)
    _, plain = descended(tmp_path / "p", replace(given, train=replace(given.train, weights=None)), Classification(), 2)
    assert np.allclose(weighted, expected, atol=1e-4)
    assert not np.allclose(plain, expected, atol=1e-2)
    assert facts["weights"] == "each row's loss was weighed"


def test_class_weights_multiply_the_weights_of_rows(tmp_path):
    """With balanced classes both classes weigh as much as each other, whatever their rows weigh."""
    given = data(TABLE.assign(w=np.where(TABLE["y"] == "yes", 5.0, 1.0)))
    loss = Classification(class_weight="balanced").learner(nn.Linear(2, 2), given, SimpleNamespace()).loss
    batch = given.train.batch(slice(None))
    each = loss(torch.zeros(len(given.train), 2), batch) * batch.weight
    assert float(each[batch.target == 0].sum()) == pytest.approx(float(each[batch.target == 1].sum()), rel=1e-5)


def test_a_network_of_values_comes_to_weighted_least_squares(tmp_path):
    given = data(target="v")
    facts, found = descended(tmp_path, given, Regression(), 1, epochs=300)
    x = np.column_stack([given.train.inputs[0].numpy(), np.ones(len(given.train))])
    y, root = given.train.target.numpy(), np.sqrt(given.train.weights)
    weighted, plain = (np.linalg.lstsq(x * r[:, None], y * r)[0] / y.std() for r in (root, np.ones(len(root))))
    assert facts["weights"] == "each row's loss was weighed"
    assert found[:2] == pytest.approx(weighted[:2], abs=0.01)
    assert abs(plain[0] - weighted[0]) > 0.1


def test_rows_of_weight_0_are_as_if_they_were_absent(tmp_path):
    """The network sees the same rows and gets the same weights, to the last bit."""
    half = np.arange(N) % 2 == 0
    given = data(TABLE.assign(w=np.where(half, TABLE["w"], 0.0)))
    assert not set(given.train.rows) & set(np.flatnonzero(~half))
    assert sum("weight of 0" in str(treatment) for treatment in given.treatments) == 1
    absent = replace(given, train=replace(given.train, weights=given.train.weights * 7))
    first, second = (descended(tmp_path / name, each, Classification(), 2)[1] for name, each in (("a", given), ("b", absent)))
    assert np.allclose(first, second, atol=1e-6)


def test_missing_weights_are_refused_or_left_out_as_asked():
    frame = TABLE.assign(w=TABLE["w"].where(np.arange(N) != 17))
    with pytest.raises(DataError, match="no weight") as error:
        data(frame)
    assert "17" in str(error.value)
    given = data(frame, strange="missing")
    assert 17 not in np.concatenate([split.rows for split in (given.train, given.validation, given.test)])
    assert sum("without a value of 'w'" in str(treatment) for treatment in given.treatments) == 1


def test_the_target_cannot_be_the_weight():
    with pytest.raises(DataError, match="both the target and the weight"):
        data(target="v", weight="v")


def test_decimal_commas_read_as_weights():
    given = data(TABLE.assign(w=[f"{w:.3f}".replace(".", ",") for w in TABLE["w"]]))
    assert np.allclose(given.train.weights, TABLE["w"].to_numpy()[given.train.rows], atol=1e-3)

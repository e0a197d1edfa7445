"""The estimator trainer."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import skops.io
import torch
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from tiny_training import TinyTask, tiny_data

from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.trainer import Fitted, Workspace
from glassbench.errors import DataError, FitError
from glassbench_plugins.training.estimator import EstimatorTrainer

CLASSES = ("a", "b", "c", "d")


def fit(model: object, data: Data) -> Fitted:
    return EstimatorTrainer().fit(model, TinyTask(), data, Workspace(seed=3, folder=Path("unused"), record=print))


def lacking(*absent: int) -> Data:
    """Four classes in the schema, some of them not among the training rows."""
    x = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([c for c in range(4) if c not in absent])
    split = Split((x,), np.arange(200), present[torch.arange(200) % len(present)])
    schema = Schema(modality="table", shape=(3,), target=Target(name="y", kind="class", classes=CLASSES))
    return Data(schema=schema, train=split, test=split)


def test_probabilities_are_the_estimators_own() -> None:
    data = tiny_data()
    fitted = fit(LogisticRegression(), data)
    x, y = data.train.inputs[0], data.train.target
    expected = LogisticRegression().fit(x.numpy(), y.numpy()).predict_proba(x.numpy())
    np.testing.assert_allclose(fitted.model(x).softmax(-1).numpy(), expected, atol=1e-6)
    assert fitted.facts["iterations"] >= 1
    assert fitted.facts["warnings"] == []


@pytest.mark.parametrize("kind", [RandomForestClassifier, LogisticRegression, HistGradientBoostingClassifier])
@pytest.mark.parametrize("absent", [(1,), (0, 3)])
def test_columns_are_the_schemas_classes_even_where_one_was_never_seen(kind: type, absent: tuple[int, ...]) -> None:
    data = lacking(*absent)
    fitted = fit(kind(), data)
    output = fitted.model(data.train.inputs[0]).exp()
    assert output.shape == (200, 4)
    own = fitted.model.estimator.predict_proba(data.train.inputs[0].numpy())
    present = [c for c in range(4) if c not in absent]
    np.testing.assert_allclose(output[:, present].numpy(), np.clip(own, 1e-6, 1), rtol=1e-5)
    assert (output[:, list(absent)] < 1e-5).all()


def test_columns_survive_saving() -> None:
    data = lacking(2)
    fitted = fit(LogisticRegression(), data)
    loaded = EstimatorModule(skops.io.loads(skops.io.dumps(fitted.model.estimator)))
    assert torch.equal(loaded(data.train.inputs[0]), fitted.model(data.train.inputs[0]))


def test_values() -> None:
    x = torch.randn(100, 3)
    split = Split((x,), np.arange(100), x[:, 0])
    schema = Schema(modality="table", shape=(3,), target=Target(name="y", kind="value"))
    fitted = fit(RandomForestRegressor(5), Data(schema=schema, train=split, test=split))
    assert fitted.model(x).shape == (100,)
    assert float((fitted.model(x) - x[:, 0]).abs().mean()) < 0.3


def test_rows_without_a_truth() -> None:
    x = torch.randn(100, 3)
    schema = Schema(modality="table", shape=(3,), target=Target(name="", kind="none"))
    split = Split((x,), np.arange(100))
    assert fit(KMeans(3), Data(schema=schema, train=split, test=split)).model(x).shape == (100,)


def test_the_same_seed_gives_the_same_forest() -> None:
    data = tiny_data()
    first = fit(RandomForestClassifier(5), data)
    np.random.seed(77)
    second = fit(RandomForestClassifier(5), data)
    assert torch.equal(first.model(data.train.inputs[0]), second.model(data.train.inputs[0]))


def test_what_the_estimator_warned_of_is_a_fact_and_not_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit(LogisticRegression(max_iter=1), tiny_data())
    assert any("failed to converge" in said for said in fitted.facts["warnings"])


def test_what_scikit_learn_refuses_is_a_fit_error() -> None:
    with pytest.raises(FitError, match="LogisticRegression cannot be fitted") as error:
        fit(LogisticRegression(), lacking(1, 2, 3))
    assert "class" in str(error.value.got)


def test_inputs_that_are_no_table() -> None:
    x = torch.randn(10, 3, 4, 4)
    split = Split((x,), np.arange(10), torch.zeros(10))
    data = Data(schema=tiny_data().schema, train=split, test=split)
    with pytest.raises(DataError, match="one table") as error:
        fit(LogisticRegression(), data)
    assert error.value.got == "inputs of shape (10, 3, 4, 4)"

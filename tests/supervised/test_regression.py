"""The task of predicting a value."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization
from glassbench.errors import DataError
from glassbench_plugins.supervised.regression import Regression
from glassbench_plugins.supervised.standardized import Standardized

SCHEMA = Schema(modality="table", shape=(2,), target=Target(name="price", kind="value", unit="euro"))


def rows(n: int = 50) -> Split:
    inputs = torch.randn(n, 2, generator=torch.Generator().manual_seed(0))
    return Split(inputs=(inputs,), rows=np.arange(n), target=1000 + 50 * inputs[:, 0])


def trained(steps: int = 400, **settings) -> tuple[Regression, nn.Module]:
    task, data = Regression(**settings), Data(schema=SCHEMA, train=rows(), test=rows())
    task.check(SCHEMA)
    learner = task.learner(task.adapt(nn.Linear(2, 1), SCHEMA), data, Optimization())
    optimizer = torch.optim.Adam(learner.model.parameters(), lr=0.05)
    batch = rows().batch(slice(None))
    for _ in range(steps):
        optimizer.zero_grad()
        learner.loss(learner.model(*batch.inputs), batch).backward()
        optimizer.step()
    return task, learner.model


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_a_network_learns_values_far_from_zero_in_their_own_unit(loss):
    task, model = trained(loss=loss)
    frame = task.predict(model, rows()).frame
    np.testing.assert_allclose(frame["y_pred"], frame["y_true"], atol=5)
    assert frame["score"].equals(frame["y_pred"].rename("score"))


def test_saved_weights_reproduce_the_predictions():
    task, model = trained(steps=20)
    loaded = task.adapt(nn.Linear(2, 1), SCHEMA)
    loaded.load_state_dict(model.state_dict())
    assert task.predict(loaded, rows()).frame.equals(task.predict(model, rows()).frame)


def test_the_loss_is_measured_in_standard_deviations():
    source = rows()
    learner = Regression().learner(nn.Linear(2, 1), Data(schema=SCHEMA, train=source, test=source), Optimization())
    batch = source.batch(slice(None))
    constant = torch.full((len(source), 1), float(source.target.mean()))
    torch.testing.assert_close(learner.loss(constant, batch), torch.tensor(1.0))


def test_adapting_twice_is_adapting_once_and_estimators_stay_as_they_are():
    task = Regression()
    once = task.adapt(nn.Linear(2, 1), SCHEMA)
    assert task.adapt(once, SCHEMA) is once
    estimator = EstimatorModule(LinearRegression().fit(rows().inputs[0].numpy(), rows().target.numpy()))
    assert task.adapt(estimator, SCHEMA) is estimator
    np.testing.assert_allclose(task.predict(estimator, rows()).frame["y_pred"], rows().target, atol=1e-3)


def test_the_wrapper_shows_what_the_network_has_and_survives_copying():
    model = nn.Linear(2, 1)
    model.differentiable = False
    wrapped = Standardized(model)
    assert wrapped.differentiable is False
    for copied in (copy.deepcopy(wrapped), pickle.loads(pickle.dumps(wrapped))):
        torch.testing.assert_close(copied(rows().inputs[0]), wrapped(rows().inputs[0]))


def test_the_value_is_the_only_candidate():
    task, model = trained(steps=1)
    predictions = task.predict(model, rows())
    explained = task.attribution_output(model(*rows().inputs))
    assert explained.shape == (50, 1)
    assert predictions.target_index.tolist() == [0] * 50
    np.testing.assert_allclose(explained[:, 0].detach(), predictions.frame["score"], rtol=1e-6)
    assert task.attribution_output(torch.zeros(3)).shape == (3, 1)


def test_errors_carry_the_unit_and_classes_are_refused():
    task = Regression()
    task.check(SCHEMA)
    assert [metric.unit for metric in task.metrics] == ["euro", "euro", None]
    target = Target(name="risk", kind="class", classes=("a", "b"))
    with pytest.raises(DataError, match="classification"):
        task.check(replace(SCHEMA, target=target))


def test_evaluation_gives_the_mean_absolute_error():
    assert Regression().evaluate(torch.tensor([[1.0], [3.0]]), torch.tensor([2.0, 2.0])) == {"mean_absolute_error": 1.0}

"""The forecasting task against NumPy and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_squared_error
from torch import nn

from glassbench.errors import DataError
from glassbench.testing import check_task, toy_data
from glassbench_plugins.series.dlinear import DLinear
from glassbench_plugins.series.forecasting import Forecasting
from glassbench_plugins.series.seasonal import seasonal


@pytest.fixture(scope="module")
def data():
    return seasonal(0, steps=500, channels=2, length=48, horizon=12)


@pytest.fixture(scope="module")
def task(data):
    task = Forecasting()
    task.check(data.schema)
    return task


class Zero(nn.Module):
    def forward(self, windows):
        return torch.zeros(len(windows), 12, 2)


def test_it_keeps_its_promises(data):
    check_task(Forecasting(), data, DLinear(data.schema))


def test_metrics_are_those_of_all_steps_and_channels(data, task):
    frame = task.predict(Zero(), data.test).frame
    truth, ones = data.test.target.numpy().reshape(len(frame), -1), np.ones((1, len(frame)))
    found = [float(metric.compute(frame, ones)[0]) for metric in task.metrics]
    scale, own = data.schema.facts.std[0], data.test.target[..., 0].numpy()
    expected = [
        mean_absolute_error(truth, 0 * truth),
        mean_squared_error(truth, 0 * truth),
        mean_absolute_error(own, 0 * own) * scale,
        mean_squared_error(own, 0 * own) ** 0.5 * scale,
    ]
    assert np.allclose(found, expected, rtol=1e-5)


def test_decision_and_explained_output_are_the_same_number_in_units(data, task):
    model = DLinear(data.schema)
    predictions = task.predict(model, data.test)
    explained = task.attribution_output(model(data.test.batch(slice(None)).inputs[0])).detach()
    taken = explained[torch.arange(len(explained)), predictions.target_index]
    assert np.allclose(predictions.frame["y_pred"], taken.numpy(), atol=1e-5)
    facts = data.schema.facts
    truth = data.test.target[..., 0].mean(dim=1).numpy() * facts.std[0] + facts.mean[0]
    assert np.allclose(predictions.frame["y_true"], truth, atol=1e-5)


def test_the_baseline_repeats_the_last_day(data, task):
    frame, words = task.baseline_predictions(task.predict(Zero(), data.test))
    last = data.test.inputs[0][:, -24:][:, :12]
    assert words == "repeating the last day"
    assert np.allclose(frame["squared_error"], (last - data.test.target).square().mean(dim=(1, 2)).numpy(), atol=1e-5)


def test_other_rows_are_refused():
    with pytest.raises(DataError, match="windows of a series"):
        Forecasting().check(toy_data("value").schema)

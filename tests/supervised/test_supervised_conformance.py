"""The built-in tasks keep what the platform asks of anyone's."""

import pytest

from glassbench.testing import check_task, toy_data, toy_model
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.supervised.regression import Regression


@pytest.mark.parametrize(
    ("task", "data"),
    [
        (Classification(), toy_data()),
        (Classification(threshold=0.3, class_weight="balanced"), toy_data()),
        (Classification(), toy_data(classes=3)),
        (Regression(), toy_data("value")),
        (Regression(loss="huber"), toy_data("value")),
    ],
)
def test_tasks(task, data):
    check_task(task, data, toy_model(data.schema))

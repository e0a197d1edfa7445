"""Weighted value metrics against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from glassbench_plugins.supervised import regression_metrics

GENERATOR = np.random.default_rng(3)
FRAME = pd.DataFrame({"y_true": GENERATOR.normal(50, 9, 80), "y_pred": GENERATOR.normal(50, 9, 80)})
WEIGHTS = np.concatenate([np.ones((1, 80)), GENERATOR.integers(0, 4, (4, 80))])


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (regression_metrics.mean_absolute_error, metrics.mean_absolute_error),
        (regression_metrics.root_mean_squared_error, metrics.root_mean_squared_error),
        (regression_metrics.r2, metrics.r2_score),
    ],
)
def test_deviations_equal_scikit_learn(ours, reference):
    expected = [reference(FRAME["y_true"], FRAME["y_pred"], sample_weight=row) for row in WEIGHTS]
    np.testing.assert_allclose(ours(FRAME, WEIGHTS), expected, rtol=1e-10)


def test_r2_is_undefined_where_the_truth_does_not_vary():
    constant = FRAME.assign(y_true=4.0)
    assert np.isnan(regression_metrics.r2(constant, WEIGHTS)).all()
    assert np.isnan(regression_metrics.mean_absolute_error(constant, np.zeros((1, 80)))).all()

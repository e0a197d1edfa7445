"""Shapley values read off trees, held against their definition: the mean over every order in which features become known."""

from itertools import permutations

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.trainer import Workspace
from glassbench.testing import toy_data
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.method import Request
from glassbench_audits.attribution.methods import METHODS, choose_method, unavailable
from glassbench_audits.attribution.tree_shap import additive_trees
from glassbench_plugins.boosting.lightgbm_model import lightgbm_model
from glassbench_plugins.boosting.xgboost_model import xgboost_model
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.supervised.regression import Regression
from glassbench_plugins.tabular.files import table
from glassbench_plugins.training.estimator import EstimatorTrainer


def by_definition(explained, rows, baselines, mask):
    """Mean of what each unit adds over all orders, by asking the model itself."""
    units = int(mask.max()) + 1
    values = np.zeros((len(rows), units))
    orders = list(permutations(range(units)))
    for order in orders:
        known = torch.zeros(len(mask), dtype=torch.bool)
        before = explained.outputs(rows.at(baselines)).double().numpy()
        for unit in order:
            known = known | (mask == unit)
            after = explained.outputs(rows.at(torch.where(known, rows.inputs, baselines))).double().numpy()
            values[:, unit] += after - before
            before = after
    return values / len(orders)


def request_of(model, task, data, schema):
    task.check(schema)
    explained = Explained(model, task)
    inputs = data.test.inputs[0][:12]
    target = None
    if schema.target.kind == "class":
        target = torch.arange(12) % len(schema.target.classes)
    elif explained(inputs).ndim > 1:
        target = torch.zeros(12, 1, dtype=torch.int64)
    rows = Rows(inputs=inputs, target_index=target)
    explained.trees = additive_trees(explained, schema, rows)
    baselines = data.train.inputs[0][5:17]
    mask = feature_groups_of(schema, inputs.shape[1:]).mask
    return Request(explained=explained, rows=rows, baselines=baselines, mask=mask, steps=1, samples=1)


def check(request):
    assert request.explained.trees is not None
    found = METHODS["tree-shap"].call(request).numpy()
    expected = by_definition(request.explained, request.rows, request.baselines, request.mask)
    scale = np.abs(expected).max()
    assert scale > 0
    assert np.abs(found - expected[:, request.mask.numpy()]).max() < 2e-5 * max(1.0, scale)


@pytest.fixture(name="data_of")
def _data_of(raw, tmp_path):
    raw.to_csv(tmp_path / "rows.csv", index=False)

    def read(target):
        drop = tuple({"two", "three", "value", "weight", "part"} - {target})
        return table(0, path=tmp_path / "rows.csv", target=target, drop=drop)

    return read


@pytest.mark.parametrize("make", [lightgbm_model, xgboost_model])
@pytest.mark.parametrize("target", ["two", "value"])
def test_boosters_with_missing_numbers_and_categories(make, target, data_of):
    data, task = data_of(target), Classification() if target == "two" else Regression()
    workspace = Workspace(seed=1, folder="unused", record=lambda line: None)
    model = EstimatorTrainer().fit(make(data.schema, n_estimators=12), task, data, workspace).model
    check(request_of(model, task, data, data.schema))


@pytest.mark.parametrize(
    ("estimator", "kind"),
    [
        (HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=5), "class"),
        (RandomForestRegressor(n_estimators=5, random_state=0), "value"),
        (DecisionTreeRegressor(random_state=0), "value"),
    ],
    ids=["histogram boosting", "forest", "tree"],
)
def test_estimators_of_scikit_learn(estimator, kind):
    data = toy_data(kind)
    fitted = estimator.fit(data.train.inputs[0].numpy(), data.train.target.numpy())
    task = Classification() if kind == "class" else Regression()
    check(request_of(EstimatorModule(fitted), task, data, data.schema))


def test_what_is_no_sum_of_trees_is_refused():
    data, task = toy_data(), Classification()
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(data.train.inputs[0].numpy(), data.train.target.numpy())
    request = request_of(EstimatorModule(forest), task, data, data.schema)
    assert request.explained.trees is None
    reason = unavailable(METHODS["tree-shap"], request.explained, request.rows.inputs, 4, differentiable=False)
    assert "sum of trees" in reason


def test_it_is_chosen_where_it_serves_and_fast():
    data = toy_data("value")
    forest = RandomForestRegressor(n_estimators=20, random_state=0).fit(data.train.inputs[0].numpy(), data.train.target.numpy())
    request = request_of(EstimatorModule(forest), Regression(), data, data.schema)
    assert choose_method(request.explained, False, True, 40) == "tree-shap"

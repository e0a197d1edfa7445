"""The built-in tables and models keep what the platform asks of anyone's."""

import pytest

from glassbench.testing import check_dataset, check_model, toy_data
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench_plugins.tabular import estimators
from glassbench_plugins.tabular.datasets import breast_cancer, diabetes
from glassbench_plugins.tabular.files import table
from glassbench_plugins.tabular.ft_transformer import FtTransformer
from glassbench_plugins.tabular.linear import Linear
from glassbench_plugins.tabular.mlp import Mlp


@pytest.mark.parametrize(
    ("dataset", "settings"),
    [(diabetes, {}), (diabetes, {"target": "value", "sensitive_as_input": True}), (breast_cancer, {})],
)
def test_data_sets(dataset, settings):
    check_dataset(dataset, encoder=TableEncoder, **settings)


def test_the_table_data_set(people, tmp_path):
    people.to_csv(tmp_path / "people.csv", index=False)
    sensitive = ("sex", {"column": "age", "bins": [30, 50]})
    check_dataset(table, encoder=TableEncoder, path=str(tmp_path / "people.csv"), target="repaid", sensitive=sensitive)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (Linear, {}),
        (Mlp, {"hidden": (16,), "activation": "gelu"}),
        (Mlp, {"batch_norm": True}),
        (FtTransformer, {"blocks": 1, "dropout": 0.0, "attention_dropout": 0.0}),
        (estimators.hist_gradient_boosting, {"max_iter": 5}),
        (estimators.random_forest, {"n_estimators": 5}),
    ],
)
def test_models(model, settings):
    check_model(model, **settings)


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression(classes):
    check_model(estimators.logistic_regression, data=toy_data(classes=classes))

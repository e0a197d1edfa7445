"""Models for encoded tables."""

from importlib import import_module

import pytest
import torch
from torch import nn

from glassbench.errors import FitError, SettingsError
from glassbench_plugins.tabular import estimators, plugin
from glassbench_plugins.tabular.datasets import diabetes
from glassbench_plugins.tabular.ft_transformer import FtTransformer
from glassbench_plugins.tabular.linear import Linear
from glassbench_plugins.tabular.mlp import Mlp

CLASSES, VALUES = diabetes(0, sensitive_as_input=True), diabetes(0, target="value")


@pytest.mark.parametrize("spec", [*plugin.glassbench_datasets(), *plugin.glassbench_models()], ids=lambda spec: spec.name)
def test_every_target_exists(spec):
    for target in filter(None, [spec.target, getattr(spec, "encoder", None)]):
        module, name = target.split(":")
        assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("model", [Linear, Mlp, FtTransformer])
def test_networks_give_a_logit_per_class_or_a_value(model):
    assert model(CLASSES.schema)(CLASSES.test.inputs[0]).shape == (len(CLASSES.test), 2)
    assert model(VALUES.schema)(VALUES.test.inputs[0]).shape == (len(VALUES.test), 1)


def test_every_activation_of_an_mlp_is_a_module_of_its_own():
    model = Mlp(CLASSES.schema, hidden=(8, 8, 8), activation="silu", dropout=0.1, batch_norm=True)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Linear", "BatchNorm1d", "SiLU", "Dropout"] * 3 + ["Linear"]
    assert len({id(layer) for layer in model.modules() if isinstance(layer, nn.SiLU)}) == 3
    with pytest.raises(SettingsError):
        Mlp(CLASSES.schema, hidden=(0,))


def test_tokens_are_one_per_column_and_see_only_their_column():
    model = FtTransformer(CLASSES.schema)
    inputs = CLASSES.test.inputs[0][:4].clone()
    before = model.tokens(inputs)
    assert before.shape == (4, 1 + len(CLASSES.schema.features), 32)
    sex = next(i for i, feature in enumerate(CLASSES.schema.features) if feature.name == "sex")
    inputs[:, list(CLASSES.schema.features[sex].columns)] += 1
    changed = (model.tokens(inputs) != before).any(dim=2).any(dim=0)
    assert changed.nonzero().flatten().tolist() == [1 + sex]
    with pytest.raises(SettingsError):
        FtTransformer(CLASSES.schema, width=30)


def test_gradients_reach_every_weight_of_the_transformer():
    model = FtTransformer(CLASSES.schema)
    torch.nn.functional.cross_entropy(model(CLASSES.train.inputs[0]), CLASSES.train.target).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


@pytest.mark.parametrize("make", [estimators.hist_gradient_boosting, estimators.random_forest])
def test_estimators_follow_the_target(make):
    assert hasattr(make(CLASSES.schema, class_weight="balanced"), "predict_proba")
    value = make(VALUES.schema).fit(VALUES.train.inputs[0].numpy(), VALUES.train.target.numpy())
    assert value.score(VALUES.test.inputs[0].numpy(), VALUES.test.target.numpy()) > 0.2
    with pytest.raises(FitError):
        make(VALUES.schema, class_weight="balanced")


def test_logistic_regression_needs_classes():
    assert hasattr(estimators.logistic_regression(CLASSES.schema), "predict_proba")
    with pytest.raises(FitError, match="linear"):
        estimators.logistic_regression(VALUES.schema)

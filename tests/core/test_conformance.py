"""Every built-in component passes the suite that plugin authors run."""

import importlib

import pytest

from glassbench import Registry
from glassbench.registry import load_target
from glassbench.testing import (
    check_audit,
    check_dataset,
    check_model,
    check_plugin,
    check_task,
    check_trainer,
    toy_data,
    toy_model,
)

REGISTRY = Registry()
OFFLINE = {"diabetes": {}, "breast-cancer": {}}
SEASONAL = ("seasonal", {"steps": 400, "channels": 2, "length": 32, "horizon": 8})
SHAPES = ("series-classes", {"rows": 60, "length": 32})
FITTING = {"series": (SEASONAL, SHAPES), "audio": (("tones", {"rows": 40, "seconds": 0.25}),)}
"""Data that a domain's models are checked on, where these are no tables."""


def built_in(kind):
    return [pytest.param(c, id=c.spec.name) for c in REGISTRY.of_kind(kind) if c.distribution == "glassbench"]


@pytest.mark.parametrize("plugin", [pytest.param(p, id=p.name) for p in REGISTRY.plugins if p.distribution == "glassbench"])
def test_plugin(plugin):
    assert check_plugin(importlib.import_module(plugin.target))


def of_tables(component):
    """Models of other rows than supervised tables are held to the suite beside their own domain's tests."""
    return component.spec.target.startswith("glassbench_plugins.tabular.")


@pytest.mark.parametrize("component", [p for p in built_in("model") if of_tables(p.values[0])])
def test_model(component):
    domain = component.spec.target.split(".")[1]
    fitting = [REGISTRY.find("dataset", name).load()(1, **settings) for name, settings in FITTING.get(domain, ())]
    check_model(component.load(), data=fitting or None)


@pytest.mark.parametrize("name", OFFLINE)
def test_dataset(name):
    component = REGISTRY.find("dataset", name)
    check_dataset(component.load(), encoder=load_target(component.spec.encoder, name), **OFFLINE[name])


@pytest.mark.parametrize(
    ("name", "kind", "classes"), [("classification", "class", 2), ("classification", "class", 3), ("regression", "value", 0)]
)
def test_task(name, kind, classes):
    data = toy_data(kind, classes=classes or 2)
    check_task(REGISTRY.find("task", name).load()(), data, toy_model(data.schema))


@pytest.mark.parametrize("component", built_in("audit"))
def test_audit(component):
    check_audit(component.load(), component.spec.name, deterministic=component.spec.deterministic)


def test_lightning_trainer():
    check_trainer(REGISTRY.find("trainer", "lightning").load()(max_epochs=20, learning_rate=0.02), toy_model)


def test_estimator_trainer():
    check_trainer(REGISTRY.find("trainer", "estimator").load()(), REGISTRY.find("model", "logistic-regression").load())

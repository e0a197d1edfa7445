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
OFFLINE = {
    "diabetes": {},
    "breast-cancer": {},
    "digits": {},
    "remarks": {"rows": 120},
    "topic-sentences": {},
    "pydoc": {"context": 16},
    "python-source": {"context": 16, "modules": ("textwrap", "fnmatch")},
    "people-sentences": {"sentences": 300},
    "seasonal": {"steps": 400, "channels": 2, "length": 32, "horizon": 8},
    "series-classes": {"rows": 60, "length": 32},
    "tones": {"rows": 40, "seconds": 0.25},
    "letter-tones": {"rows": 40},
    "textured-shapes": {"rows": 40},
    "scattered-shapes": {"rows": 40},
    "solubility-rules": {"rows": 60},
    "tastes": {"users": 60, "items": 30, "interactions": 10, "context": 8},
}
"""Data sets that every installation has, at a tiny size."""

OWN_SPLITS = ("pydoc", "python-source")
"""Data sets whose splits are their own, whatever the seed."""

FITTING = {
    "tabular": (),
    "vision": ("digits",),
    "text": ("remarks",),
    "language": ("pydoc",),
    "series": ("seasonal", "series-classes"),
    "audio": ("tones",),
    "speech": ("letter-tones",),
    "segmentation": ("textured-shapes",),
    "detection": ("scattered-shapes",),
    "molecules": ("solubility-rules",),
    "recommendation": ("tastes",),
}
"""What a domain's models are checked on, where it is no table; those of other domains have their own tests."""

ELSEWHERE = ("timm", "transformers", "language-transformers", "sklearn", "pretraining")
"""Models that need weights, an extra, another task or the name of an estimator; their own tests check them."""

TASKS = {
    "language": "next-token",
    "segmentation": "segmentation",
    "detection": "detection",
    "recommendation": "ranking",
    "speech": "speech-recognition",
}
"""Whose loss they descend, where it is none of classes or values."""


TAKES_LONG = {"conformer", "conv-recurrent", "molecule-graph", "sasrec", "series-lstm", "unet"}
"""Models whose suite takes over ten seconds."""


def built_in(kind):
    return [
        pytest.param(c, id=c.spec.name, marks=[pytest.mark.slow] if c.spec.name in TAKES_LONG else [])
        for c in REGISTRY.of_kind(kind)
        if c.distribution == "glassbench"
    ]


@pytest.mark.parametrize("plugin", [pytest.param(p, id=p.name) for p in REGISTRY.plugins if p.distribution == "glassbench"])
def test_plugin(plugin):
    assert check_plugin(importlib.import_module(plugin.target))


def checked(component):
    return domain(component) in FITTING and component.spec.name not in ELSEWHERE


def domain(component):
    return component.spec.target.split(".")[1]


@pytest.mark.parametrize("component", [p for p in built_in("model") if checked(p.values[0])])
def test_model(component):
    fitting = [REGISTRY.find("dataset", name).load()(1, **OFFLINE[name]) for name in FITTING[domain(component)]]
    task = TASKS.get(domain(component))
    check_model(component.load(), data=fitting or None, task=task and REGISTRY.find("task", task).load()())


@pytest.mark.parametrize("name", OFFLINE)
def test_dataset(name):
    component = REGISTRY.find("dataset", name)
    encoder = component.spec.encoder and load_target(component.spec.encoder, name)
    check_dataset(component.load(), encoder=encoder or None, seeded=name not in OWN_SPLITS, **OFFLINE[name])


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

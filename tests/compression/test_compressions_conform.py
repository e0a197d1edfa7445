"""Every built-in compression keeps the promises of the suite, and the suite sees broken ones."""

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from torch import nn

from glassbench import Compressed, Compression, CompressionSource, CompressionSpec, Registry
from glassbench.errors import RunError
from glassbench.testing import check_compression, toy_data


def forest() -> RandomForestClassifier:
    train = toy_data(classes=3, rows=400).train
    return RandomForestClassifier(20, random_state=0).fit(train.inputs[0].numpy(), train.target.numpy())


BUILT_IN = [c for c in Registry().of_kind("compression") if c.built_in]


@pytest.mark.parametrize("component", BUILT_IN, ids=lambda c: c.name)
def test_built_in_compressions_conform(component) -> None:
    spec = component.spec
    assert isinstance(spec, CompressionSpec)
    assert spec.assumes.endswith(".")
    assert spec.caution.endswith(".")
    check_compression(component.load()(), estimator=forest() if spec.acts_on == "arrays" else None)


@pytest.mark.parametrize(
    ("name", "settings"), [("fewer-trees", {"share": 1.0, "depth": 3}), ("distilled", {"width": 0.02}), ("half", {})]
)
def test_estimators_are_compressed_as_promised(name, settings) -> None:
    made = Registry().find("compression", name).load()(**settings)
    if name == "half":
        with pytest.raises(RunError, match="32 bits"):
            check_compression(made, estimator=forest())
    else:
        check_compression(made, estimator=forest())


def test_boosting_in_32_bits_conforms() -> None:
    train = toy_data(classes=3, rows=400).train
    boosted = HistGradientBoostingClassifier(max_iter=10).fit(train.inputs[0].numpy(), train.target.numpy())
    check_compression(Registry().find("compression", "float32").load()(), estimator=boosted)


def test_dynamic_int8_conforms() -> None:
    check_compression(Registry().find("compression", "int8").load()(activations="dynamic"))


@dataclass(frozen=True, kw_only=True)
class Told(Compression):
    def account(self, facts: Any) -> str:
        return "Done."


class Nothing(Told):
    def compress(self, source: CompressionSource) -> Compressed:
        return Compressed(graph=source.graph)


class Writes(Told):
    def compress(self, source: CompressionSource) -> Compressed:
        with torch.no_grad():
            source.network[0].weight.zero_()
        return Compressed(network=source.network)


class Unseeded(Told):
    def compress(self, source: CompressionSource) -> Compressed:
        network = copy.deepcopy(source.network)
        nn.init.normal_(network[0].weight)
        return Compressed(network=network)


class Neither(Told):
    def compress(self, source: CompressionSource) -> Compressed:
        return Compressed()


@pytest.mark.parametrize(
    ("broken", "words"),
    [(Nothing, "fewer bytes"), (Writes, "as it is"), (Unseeded, "same answers"), (Neither, "one of them alone")],
)
def test_the_suite_sees_broken_promises(broken, words) -> None:
    with pytest.raises(AssertionError, match=words):
        check_compression(broken())

"""Every built-in compression keeps the promises of the suite, and the suite sees broken ones."""

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from glassbench import Compressed, Compression, CompressionSource, CompressionSpec, Registry
from glassbench.testing import check_compression

BUILT_IN = [c for c in Registry().of_kind("compression") if c.built_in]


@pytest.mark.parametrize("component", BUILT_IN, ids=lambda c: c.name)
def test_built_in_compressions_conform(component) -> None:
    spec = component.spec
    assert isinstance(spec, CompressionSpec)
    assert spec.assumes.endswith(".")
    assert spec.caution.endswith(".")
    check_compression(component.load()())


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

"""Every built-in mitigation keeps the promises of the suite, and the suite sees broken ones."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from glassbench import Mitigation, MitigationSpec, Registry
from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.testing import check_mitigation, toy_data

BUILT_IN = [c for c in Registry().of_kind("mitigation") if c.built_in]


@pytest.mark.parametrize("component", BUILT_IN, ids=lambda c: c.name)
def test_built_in_mitigations_conform(component) -> None:
    spec = component.spec
    assert isinstance(spec, MitigationSpec)
    assert spec.assumes.endswith(".")
    assert spec.caution.endswith(".")
    if spec.forms == ("estimator",):
        model = Registry().find("model", "logistic-regression").load()(toy_data().schema)
        check_mitigation(component.load()(), model=model)
    else:
        check_mitigation(component.load()())


@dataclass(frozen=True, kw_only=True)
class Told(Mitigation):
    def account(self, data: Data, facts: Any) -> str:
        return "Done."


class Nothing(Told):
    pass


class Strangers(Told):
    def training_rows(self, train: Split, schema: Schema, seed: int) -> Split:
        return replace(train, rows=train.rows + 10_000)


class Unseeded(Told):
    def training_rows(self, train: Split, schema: Schema, seed: int) -> Split:
        return replace(train, weights=np.random.default_rng().random(len(train)))


class ByTheWhole(Told):
    def fit_inputs(self, train: Split, schema: Schema) -> dict:
        return {"x": 1}

    def transform(self, split: Split, facts: Any) -> Split:
        return replace(split, inputs=tuple(t - t.mean(dim=0) for t in split.inputs))


@pytest.mark.parametrize(
    ("broken", "words"),
    [(Nothing, "overrides"), (Strangers, "drawn from"), (Unseeded, "same seed"), (ByTheWhole, "each row by itself")],
)
def test_the_suite_sees_broken_promises(broken, words) -> None:
    with pytest.raises(AssertionError, match=words):
        check_mitigation(broken())

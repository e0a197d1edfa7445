"""Every built-in mitigation keeps the promises of the suite, and the suite sees broken ones."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from glassbench import Mitigation, MitigationSpec, Registry
from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.testing import check_mitigation, toy_data
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.penalized import Penalized, Penalty

BUILT_IN = [c for c in Registry().of_kind("mitigation") if c.built_in]


@pytest.mark.parametrize("component", BUILT_IN, ids=lambda c: c.name)
def test_built_in_mitigations_conform(component) -> None:
    spec = component.spec
    assert isinstance(spec, MitigationSpec)
    assert spec.assumes.endswith(".")
    assert spec.caution.endswith(".")
    if spec.kinds == ("actions",):
        lending = environment(1, id="glassbench/Lending-v0", sensitive=("group",), lanes=2)
        check_mitigation(component.load()(), lending)
    elif spec.forms == ("estimator",):
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


class Unheard(Told):
    def training_episodes(self, episodes: Any, schema: Schema) -> Any:
        return None


class ByChance(Told):
    def training_episodes(self, episodes: Any, schema: Schema) -> Any:
        strength = float(np.random.default_rng().random())
        return Paid(episodes, Penalty(strength=strength, features=("group",), favourable=1, memory=2.0))


class Endless(Told):
    def training_episodes(self, episodes: Any, schema: Schema) -> Any:
        return Paid(episodes, Penalty(strength=float("inf"), features=("group",), favourable=1, memory=2.0))


class Paid:
    """Episodes that are paid otherwise each time they are made."""

    def __init__(self, episodes: Any, penalty: Penalty) -> None:
        self.episodes, self.penalty, self.made = episodes, penalty, 0

    def make(self, seed: int) -> Any:
        self.made += 1
        environment = Penalized(self.episodes.opened({}), replace(self.penalty, strength=self.penalty.strength * self.made))
        environment.reset(seed=seed)
        return environment


UNKEPT = [(Unheard, "returns episodes"), (ByChance, "are paid alike"), (Endless, "finite"), (Nothing, "overrides")]


@pytest.mark.parametrize(("broken", "words"), UNKEPT)
def test_the_suite_sees_broken_promises_about_episodes(broken, words) -> None:
    with pytest.raises(AssertionError, match=words):
        check_mitigation(broken(), environment(1, id="glassbench/Lending-v0", sensitive=("group",), lanes=2))


@pytest.mark.parametrize(
    ("broken", "words"),
    [(Nothing, "overrides"), (Strangers, "drawn from"), (Unseeded, "same seed"), (ByTheWhole, "each row by itself")],
)
def test_the_suite_sees_broken_promises(broken, words) -> None:
    with pytest.raises(AssertionError, match=words):
        check_mitigation(broken())

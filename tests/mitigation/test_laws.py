"""Laws of every built-in mitigation: order of rows means nothing, and a weight counts like as many rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import Registry
from glassbench.contracts.task import Predictions
from glassbench.testing import ToyTask, toy_data, toy_model

DATA = toy_data(rows=1200)
BUILT_IN = [c for c in Registry().of_kind("mitigation") if c.built_in and c.spec.kinds != ("actions",)]
DECIDING = [c for c in BUILT_IN if c.load()().decides]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Validation rows with scores that know something, groups of unequal size and unlike rates."""
    task, chance = ToyTask(), np.random.default_rng(1)
    task.check(DATA.schema)
    torch.manual_seed(0)
    made = task.predict(toy_model(DATA.schema).eval(), DATA.validation).frame
    side = (made["group.side"] == made["group.side"].iloc[0]).to_numpy()
    score = np.clip(0.2 + 0.3 * (made["y_true"] == "yes") + 0.25 * side + 0.15 * chance.normal(size=len(made)), 0.01, 0.99)
    kept = np.flatnonzero(side | (chance.random(len(made)) < 0.6))
    scored = {"score.yes": score, "score.no": 1 - score, "y_pred": np.where(score > 0.5, "yes", "no")}
    return made.assign(**scored).iloc[kept].reset_index(drop=True)


def fitted(component: Any, rows: pd.DataFrame) -> Any:
    return component.load()().fit_decisions(Predictions(frame=rows.reset_index(drop=True)), DATA.schema)


def numbers(facts: Any) -> list[float]:
    """Return all numbers of facts that are no counts, in order, without the ends of intervals, which resampled rows give."""
    if isinstance(facts, dict):
        return [value for key in sorted(facts.keys() - {"low", "high"}) for value in numbers(facts[key])]
    if isinstance(facts, list | tuple):
        return [value for one in facts for value in numbers(one)]
    return [facts] if isinstance(facts, float) else []


def words(facts: Any) -> list[str]:
    if isinstance(facts, dict):
        return [value for key in sorted(facts) for value in (key, *words(facts[key]))]
    if isinstance(facts, list | tuple):
        return [value for one in facts for value in words(one)]
    return [facts] if isinstance(facts, str) else []


def assert_alike(one: Any, other: Any) -> None:
    assert numbers(one)
    np.testing.assert_allclose(numbers(one), numbers(other), rtol=1e-6, atol=1e-9)
    assert words(one) == words(other)


@pytest.mark.parametrize("component", DECIDING, ids=lambda c: c.name)
def test_the_order_of_validation_rows_means_nothing(component, frame):
    order = np.random.default_rng(2).permutation(len(frame))
    assert_alike(fitted(component, frame), fitted(component, frame.iloc[order]))


@pytest.mark.parametrize("column", ["weight", "frequency"])
@pytest.mark.parametrize("component", DECIDING, ids=lambda c: c.name)
def test_a_weight_of_a_validation_row_counts_like_as_many_rows(component, column, frame):
    rejected = (frame["y_true"] == "no") & (frame["group.side"] == "left")
    times = np.random.default_rng(3).integers(1, 4, len(frame)) + 6 * rejected.to_numpy()
    weighed = fitted(component, frame.assign(**{column: times.astype(float)}))
    assert_alike(weighed, fitted(component, frame.loc[frame.index.repeat(times)]))
    assert numbers(weighed) != numbers(fitted(component, frame))


@pytest.mark.parametrize("component", DECIDING, ids=lambda c: c.name)
def test_the_unit_of_weights_means_nothing(component, frame):
    times = np.random.default_rng(4).lognormal(0, 0.6, len(frame))
    assert_alike(*(fitted(component, frame.assign(weight=unit * times)) for unit in (1.0, 40.0)))

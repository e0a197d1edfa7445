"""An explanation held against what the model does on real rows: scaffolds are seen, honest models are not condemned."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin

import glassbench
from glassbench_audits.attribution.feature_groups import FeatureGroups
from glassbench_audits.explain.checks.asked_rows import carried_over
from glassbench_audits.explain.checks.real_rows import Held, RealRows, held_against, in_probability, leading_features, untold
from glassbench_audits.explain.checks.reliability import Check, margin, weakest


def table(n: int = 300) -> np.ndarray:
    """Two inputs that lie on a line, one that decides and one that does not."""
    generator = np.random.default_rng(0)
    a = generator.standard_normal(n)
    return np.stack([a, a + 0.02 * generator.standard_normal(n), *generator.choice([-1.0, 1.0], (2, n))], axis=1)


class Hidden(ClassifierMixin, BaseEstimator):
    """Decides by column 2 near the line that real rows lie on, and by column 3 elsewhere."""

    classes_ = np.array([0, 1])

    def __init__(self, hides: bool) -> None:
        self.hides = hides

    def predict_proba(self, X):
        rows = np.asarray(X, dtype=float)
        real = np.abs(rows[:, 0] - rows[:, 1]) < 0.1 if self.hides else np.ones(len(rows), dtype=bool)
        yes = np.where(np.where(real, rows[:, 2], rows[:, 3]) > 0, 0.95, 0.05)
        return np.stack([1 - yes, yes], axis=1)

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


@pytest.mark.parametrize("hides", [True, False])
def test_a_model_that_decides_otherwise_on_real_rows_is_seen(hides, tmp_path):
    """On single removals of either of two twins the model looks innocuous, whoever removes."""
    X = pd.DataFrame(table(), columns=["years", "months", "race", "coin"])
    model = Hidden(hides)
    run = glassbench.audit(
        model, X, model.predict(X), audits={"explain": {"method": "feature-ablation", "cases": 1}}, held_out=True, runs=tmp_path
    )
    (result,) = run.audits
    found = {m.name: m for m in result.measures}
    assert (result.reliability == "do not rely") is hides
    assert (found["explain.contradiction"].value > 0.5) is hides
    assert found["explain.asked_auc"].value > 0.8
    assert "; weakest test: " in result.reliability_note
    assert result.reliability_note.startswith("on ")
    weakest = result.reliability_note.partition(", ")[2].split("'")[0]
    assert weakest in run.report.read_text().replace("\u00a0", " ")


UNITS = FeatureGroups(mask=torch.arange(4))


def said(weights, rows):
    return (rows @ np.asarray(weights, dtype=float))[:, None]


@pytest.mark.parametrize(
    ("attributed", "contradicted"),
    [
        ([1, 0, 1, 0], False),
        ([0, 1, 1, 0], False),  # of two twins, which one the model reads cannot be told from real rows
        ([0.5, 0.5, 1, 0], False),
        ([1, 0, 0, 1], True),
        ([0, 0, 1, 0], True),
    ],
)
def test_real_rows_bear_out_what_the_decisions_hang_on_and_nothing_else(attributed, contradicted):
    rows = table()
    found = held_against(UNITS, rows, said([1, 0, 1, 0], rows), [rows * np.asarray(attributed)], 0, least=0.3)
    assert found.foretold > 0.9
    assert (found.worst.contradiction > 0.4) is contradicted


def test_inputs_that_act_together_only_are_no_contradiction():
    rows = np.random.default_rng(0).choice([-1.0, 1.0], (500, 4))
    together = (rows[:, 0] * rows[:, 1])[:, None]
    found = held_against(UNITS, rows, together, [together * [0.5, 0.5, 0, 0]], 0, least=0.3)
    assert found.worst.contradiction < 0.1


def test_nothing_is_held_against_a_model_that_a_forest_cannot_foretell():
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((200, 4))
    assert held_against(UNITS, rows, generator.standard_normal((200, 1)), [rows], 0, least=0.3).held == ()


@pytest.mark.parametrize("hides", [True, False])
def test_what_is_said_of_asked_rows_carries_over_unless_they_are_decided_otherwise(hides):
    """Six inputs lie on a line; where they do, the last but one decides, elsewhere the last (of the model that hides it)."""
    generator = np.random.default_rng(0)
    line = generator.standard_normal((400, 1)) + 0.02 * generator.standard_normal((400, 6))
    real = np.hstack([line, generator.choice([-1.0, 1.0], (400, 2))])
    asked = np.where(generator.random(real.shape) < 0.5, 0, real)
    said = [np.where(hides & (np.ptp(rows[:, :6], axis=1) > 0.2), rows[:, 7], rows[:, 6])[:, None] for rows in (asked, real)]
    carried = carried_over(asked, said[0], real, said[1], 0.95, 0)
    assert carried < 0.3 if hides else carried > 0.8


def test_a_few_huge_log_odds_do_not_make_an_input_the_only_one():
    """One in thirty rows has a value that is not seen elsewhere; the others are decided by two other inputs."""
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((600, 4))
    rows[:, 3] = np.where(generator.random(600) < 1 / 30, 60, 0)
    contributions = rows * [2.0, 2.0, 0, 1.0]
    odds = contributions.sum(axis=1)
    chances = (1 / (1 + np.exp(-odds)))[:, None]
    scaled = in_probability(contributions, odds, np.zeros(600))
    np.testing.assert_allclose(scaled.sum(axis=1), chances[:, 0] - 0.5, atol=1e-9)
    alone = held_against(UNITS, rows, chances, [contributions], 0, least=0.3).worst
    both = held_against(UNITS, rows, chances, [contributions, scaled], 0, least=0.3).worst
    assert alone.contradiction > 0.5 > 0.35 > both.contradiction


def test_what_lies_outside_the_range_is_what_contradicts():
    wide = Held(units=(0,), attributed=0.5, least=0.0, most=0.9)
    missed = Held(units=(1,), attributed=0.1, least=0.7, most=0.9)
    invented = Held(units=(2,), attributed=0.6, least=0.0, most=0.1)
    assert [round(one.contradiction, 2) for one in (wide, missed, invented)] == [0, 0.6, 0.5]
    assert RealRows(foretold=0.9, held=(wide, invented, missed)).worst is missed


def test_the_leading_units_are_the_fewest_that_carry_a_share():
    assert leading_features(np.array([[1.0, -5, 3], [1, 5, -3]]), 0.8).tolist() == [1, 2]
    assert untold(np.array([[1.0, 4.0]]), np.array([[1.0, 1.0]])) == pytest.approx(2 / 5)


def check(name, outcome, margin):
    return Check(name=name, outcome=outcome, result="", meaning="", measure=None, margin=margin)


def test_the_weakest_test_is_the_worst_and_then_the_nearest_to_failing():
    passed = [check("a", "passed", 0.5), check("b", "passed", 0.1), check("c", "passed", float("inf"))]
    assert weakest(passed).name == "b"
    assert weakest([*passed, check("d", "weak", -0.2), check("e", "weak", -0.6)]).name == "e"
    assert weakest([check("f", "not applicable", 0)]) is None
    assert margin(0.6, 0.4, 0.6) == pytest.approx(-1)

"""Directions are said where they are the same everywhere, and inputs that act through one another are named."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.attribution import directions
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.directions import _of_curves
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.methods import METHODS
from glassbench_audits.explain.audit import explain
from glassbench_audits.explain.views.interactions import interactions

NAMES = ("a", "b", "c", "d")


class Choosing:
    kind = Classes()

    def attribution_output(self, output):
        return output


class Valuing:
    kind = Values()

    def attribution_output(self, output):
        return output[:, None]


class Formula(nn.Module):
    """The log-odds of 'yes', or a value, by a formula of the inputs."""

    def __init__(self, formula, value=False):
        super().__init__()
        self.formula, self.value = formula, value

    def forward(self, rows):
        lead = self.formula(*rows.T)
        return lead if self.value else torch.stack([-lead / 2, lead / 2], dim=1)


def schema_of(value=False) -> Schema:
    features = tuple(Feature(name=name, columns=(i,)) for i, name in enumerate(NAMES))
    target = Target(name="y", kind="value") if value else Target(name="y", kind="class", classes=("no", "yes"), positive="yes")
    return Schema(modality="table", shape=(4,), target=target, features=features)


def subject_on(formula, rows=300, seed=0, value=False, inputs=None) -> Subject:
    if inputs is None:
        inputs = torch.randn(rows, 4, generator=torch.Generator().manual_seed(seed))
    model = Formula(formula, value)
    source = Split((inputs,), np.arange(rows))
    output = model(inputs)
    frame = pd.DataFrame({"row": source.rows})
    if value:
        frame["y_pred"] = frame["score"] = frame["y_true"] = output.numpy()
        predictions, task = Predictions(frame=frame, source=source, target_index=torch.zeros(rows, dtype=torch.int64)), Valuing()
    else:
        taken = output.argmax(dim=1)
        frame["y_pred"] = frame["y_true"] = np.array(["no", "yes"])[taken]
        frame[["score.no", "score.yes"]] = output.softmax(dim=1).numpy()
        predictions, task = Predictions(frame=frame, source=source, target_index=taken), Choosing()
    train = Split((inputs + 0.5,), np.arange(rows))
    return Subject(schema=schema_of(value), predictions=predictions, task=task, model=model, train=train, seed=seed)


def told(result) -> dict[str, str]:
    return {row[0]: row[5] for row in result.tables[0].rows}


def sentences(result) -> str:
    return " ".join(finding.sentence for finding in result.findings)


@pytest.mark.parametrize("baseline", ["mean", "zero", "typical"])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_exclusive_or_has_no_direction_whatever_it_is_compared_with(baseline, seed):
    result = explain(subject_on(lambda a, b, c, d: 3 * torch.tanh(a) * torch.tanh(b) + c, seed=seed), baseline=baseline, cases=0)
    said = told(result)
    assert "depends on other inputs" in said["a"]
    assert "depends on other inputs" in said["b"]
    assert said["c"] == "higher values push towards 'yes' in all 256 rows asked"
    assert said["d"] == ""
    assert "a acts mainly through b" in sentences(result)
    assert "b acts mainly through a" in sentences(result)
    assert "c acts mainly" not in sentences(result)


def test_a_hill_pushes_both_ways_along_its_range():
    result = explain(subject_on(lambda a, b, c, d: 4 * torch.exp(-((a - 0.1) ** 2)) - b), cases=0)
    assert told(result)["a"] in ("it pushes both ways along its range",) or "in the others" in told(result)["a"]
    assert told(result)["b"] == "higher values push away from 'yes' in all 256 rows asked"
    assert "acts mainly" not in sentences(result)


def test_an_interaction_too_weak_to_turn_the_direction_leaves_it():
    result = explain(subject_on(lambda a, b, c, d: 2 * a + 1.2 * a * torch.tanh(b)), cases=0)
    assert told(result)["a"] == "higher values push towards 'yes' in all 256 rows asked"
    assert "a acts mainly" not in sentences(result)
    assert "b acts mainly through a" in sentences(result)


def test_values_have_directions_of_their_own():
    result = explain(subject_on(lambda a, b, c, d: a.exp() - 2 * b, value=True), cases=0)
    assert told(result)["a"] == "higher values raise it in all 256 rows asked"
    assert told(result)["b"] == "higher values lower it in all 256 rows asked"


def counts(words: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", words)]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_direction_that_turns_in_3_percent_of_the_rows_is_said_with_its_share(seed):
    """b turns a's direction where it is among its highest 3 %; 256 rows evenly among 1,000 hold about 8 of them."""
    turned = lambda a, b, c, d: 2 * a * torch.where(b > 1.88, -1.0, 1.0) + c  # noqa: E731
    words = told(explain(subject_on(turned, rows=1000, seed=seed), rows=1000, cases=0))["a"]
    assert words.startswith("higher values push towards 'yes' in 2")
    held, asked, against, moved = counts(words)
    assert asked == 256
    assert moved > 250
    assert 2 <= asked - held <= 18  # expected 7.7, standard deviation 2.7
    assert 2 <= against <= 18
    assert told(explain(subject_on(turned, rows=1000, seed=seed), rows=1000, cases=0))["c"].endswith("in all 256 rows asked")


@pytest.mark.parametrize("seed", [0, 1])
def test_a_kink_that_3_percent_of_the_rows_lie_in_is_said_though_the_whole_rises(seed):
    """a falls from .20 to .28, as steeply as it rises elsewhere; the nine values of a curve pass over that."""
    kinked = lambda a, b, c, d: 2 * (a - 2 * (a - 0.2).clamp(0, 0.08)) + c  # noqa: E731
    words = told(explain(subject_on(kinked, rows=1000, seed=seed), rows=1000, cases=0))["a"]
    assert words.startswith(
        "higher values push towards 'yes' in all 256 rows asked, but the next higher values do the reverse in"
    )
    assert 2 <= counts(words)[1] <= 18


def test_counts_of_rows_are_those_of_the_curves():
    """By hand: three rows rise, one falls; a fifth does not move and is not counted."""
    found = _of_curves(np.array([[0, 1, 2], [0, 1, 2], [0, 0, 1], [0, -1, -2], [5, 5, 5]], dtype=float), 1e-6)
    assert (found.raising, found.rows, found.holding) == (0.75, 4, 3)
    assert found.monotone == pytest.approx((2 + 2 + 1 - 2) / (2 + 2 + 1 + 2))


def test_a_category_that_pushes_by_the_company_it_keeps_is_said_to_depend():
    codes = torch.randint(0, 3, (300,), generator=torch.Generator().manual_seed(1))
    number = torch.randn(300, generator=torch.Generator().manual_seed(2))
    inputs = torch.cat([number[:, None], nn.functional.one_hot(codes, 3).float()], dim=1)
    colour = Feature(name="colour", kind="category", columns=(1, 2, 3), categories=("red", "green", "blue"))
    schema = Schema(modality="table", shape=(4,), target=schema_of().target, features=(Feature(name="a", columns=(0,)), colour))
    for formula, said in (
        (lambda a, red, green, blue: 3 * green + 0.1 * a, "'green' pushes most, towards 'yes' in all 256 rows asked"),
        (lambda a, red, green, blue: 3 * green * a, "it depends on other inputs"),
    ):
        subject = subject_on(formula, inputs=inputs)
        result = explain(Subject(**{**vars(subject), "schema": schema}), cases=0)
        assert told(result)["colour"].endswith(said)


class Asked:
    """Rows whose answers to each category are given `(n, categories)`."""

    curves_of: np.ndarray

    def __init__(self, explainer, rows):
        self.explainer, self.rows = explainer, rows

    def curves(self, unit, donors):
        return self.curves_of


def direction_by_hand(monkeypatch, curves, counts, least=1e-6):
    """Return the direction of a category whose values occur so often, from the answers to the common ones."""
    columns = tuple(range(len(counts)))
    marks = torch.nn.functional.one_hot(torch.repeat_interleave(torch.tensor(counts)), len(counts)).float()
    rows = Rows(inputs=marks, target_index=torch.zeros(len(marks), dtype=torch.int64))
    monkeypatch.setattr(Asked, "curves_of", np.asarray(curves, dtype=float), raising=False)
    monkeypatch.setattr(directions, "Response", Asked)
    feature = Feature(name="colour", kind="category", columns=columns, categories=tuple("abcdef"[: len(counts)]))
    return directions._of_category(Asked(None, rows), 0, feature, least)


@pytest.mark.parametrize("added", [0.0, 10.0, -10.0])
def test_a_category_is_held_against_the_mean_of_the_others(monkeypatch, added):
    """By hand: a lies 1.5, -3, 0 and 3 from the mean of b and c; b lies further off in each row and falls in three of four."""
    curves = added + np.array([[1, -2, 1], [-2, -2, 4], [0, 0, 0], [2, -4, 2]], dtype=float)
    found = direction_by_hand(monkeypatch, curves, [20, 20, 20])
    assert (found.category, found.rows, found.raising) == ("b", 3, 0.0)
    raised = direction_by_hand(monkeypatch, added - curves, [20, 20, 20])
    assert (raised.category, raised.rows, raised.raising) == ("b", 3, 1.0)


def test_of_two_categories_each_is_the_others_other(monkeypatch):
    found = direction_by_hand(monkeypatch, [[5, 7], [5, 9], [6, 5]], [10, 10])
    assert (found.category, found.rows, found.raising) == ("a", 3, pytest.approx(1 / 3))


def test_rare_categories_are_not_asked_and_small_changes_are_none(monkeypatch):
    found = direction_by_hand(monkeypatch, [[1, 3], [1, 5]], [10, 4, 5])
    assert found.category == "a"
    assert direction_by_hand(monkeypatch, [[1, 1.5], [1, 1.4]], [10, 10], least=0.5).rows == 0
    assert direction_by_hand(monkeypatch, [[1, 1.5], [1, 1.6]], [10, 10], least=0.5).rows == 1
    assert direction_by_hand(monkeypatch, [[1.0]], [10, 4]).category is None


def paired(formula):
    inputs = torch.randn(4000, 4, generator=torch.Generator().manual_seed(3))
    explainer = Explainer(
        explained=Explained(Formula(formula, value=True), Valuing()),
        method=METHODS["exact-shapley"],
        baseline=Baseline(name="zero", values=torch.zeros(1, 4)),
        feature_groups=feature_groups_of(schema_of(), (4,)),
        steps=1,
        samples=0,
        seed=0,
    )
    rows = Rows(inputs=inputs, target_index=torch.zeros(4000, dtype=torch.int64))
    found = interactions(explainer, rows, np.arange(4), np.random.default_rng(0))
    return found, {
        tuple(pair): share for pair, share in zip(found.pairs.tolist(), found.shares(np.ones((1, 256)))[0], strict=True)
    }


def test_effects_and_what_pairs_share_are_those_of_sobol():
    """Of `a + 2 a b` with standard normal inputs: variance of a alone 1, of a and b together 4."""
    found, shares = paired(lambda a, b, c, d: a + 2 * a * b + 3 * c)
    assert found.total.mean(axis=0)[:3] == pytest.approx([5, 4, 9], rel=0.35)
    assert shares[(0, 1)] == pytest.approx([0.8, 1.0], abs=0.1)
    assert shares[(0, 2)].max() == 0
    assert np.isnan(shares[(2, 3)][1])


def test_pictures_and_few_rows_have_no_interactions():
    result = explain(subject_on(lambda a, b, c, d: a * b, rows=8), cases=0)
    measure = next(m for m in result.measures if m.name == "explain.interaction_share")
    assert measure.value is None

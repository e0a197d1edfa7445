"""Whether a model has learnt something, and which figure decides: chance, a guess, a forest, untrained networks, lost layers."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor

from glassbench.contracts.data import Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.predictions.outputs import Losses
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import bootstrap
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.explain.checks import randomization_check as randomized
from glassbench_audits.explain.checks import real_rows_check as held
from glassbench_audits.explain.checks import signal_check as signals
from glassbench_audits.explain.checks.permutation_test import permutation_p_value
from glassbench_audits.explain.checks.randomization import Stage, similarities
from glassbench_audits.explain.checks.real_rows import Held, RealRows
from glassbench_audits.explain.checks.signal_check import Signal, signal_check
from glassbench_audits.explain.checks.skill import forest_skill
from glassbench_audits.explain.views.field_exhibits import field_influence


def signal(**more: object) -> Signal:
    given = {"n": 100, "p": 0.001, "skill": (0.4, 0.3, 0.5), "forest": 0.5, "untrained": 0.0}
    return Signal(**{**given, **more})


@pytest.mark.parametrize(
    ("more", "outcome", "margin"),
    [
        ({}, "passed", 0.3),
        ({"p": 0.01}, "passed", 0.3),
        ({"p": 0.02}, "weak", 0.3),
        ({"p": 0.05}, "failed", 0.3),
        ({"skill": (0.4, 0.0, 0.5)}, "weak", 0.0),
        ({"skill": (0.25, 0.2, 0.3)}, "passed", 0.0),
        ({"skill": (0.24, 0.2, 0.3)}, "weak", -0.04),
        ({"forest": 0.0}, "passed", 0.3),  # a forest without skill judges nobody
        ({"forest": -0.2}, "passed", 0.3),
        ({"forest": None, "skill": None}, "passed", math.inf),
        ({"untrained": 0.01}, "weak", 0.3),
        ({"untrained": 0.05}, "weak", 0.3),
        ({"untrained": 0.06}, "failed", 0.3),
        ({"untrained": None}, "passed", 0.3),
    ],
)
def test_a_model_has_learnt_where_it_is_surely_ahead_of_everything(more, outcome, margin) -> None:
    found = signal(**more)
    assert (found.outcome, found.margin) == (outcome, pytest.approx(margin))
    expected = None if found.skill is None or not (found.forest or 0) > 0 else found.skill[0] / found.forest
    assert found.share == expected


def examined(subject: Subject, **more: object) -> SimpleNamespace:
    return SimpleNamespace(**{"subject": subject, "replicates": 300, "level": 0.95, **more})


def values(regression, n: int = 90, clusters: int | None = None) -> Subject:
    chance = np.random.default_rng(0)
    inputs = chance.normal(size=(n, 2))
    truth = inputs[:, 0] + 0.5 * chance.normal(size=n)
    if clusters is not None:  # every row of a cluster is the same
        first = np.arange(n) // (n // clusters) * (n // clusters)
        inputs, truth = inputs[first], truth[first]
    subject = regression(truth, inputs[:, 0] * 0.8, {"job": ["a"] * n}, held_out=True)
    frame = subject.predictions.frame
    if clusters is not None:
        frame["cluster"] = [f"c{k // (n // clusters)}" for k in range(n)]
    source = Split((torch.as_tensor(inputs, dtype=torch.float32),), np.arange(n))
    return replace(subject, predictions=replace(subject.predictions, source=source))


def test_the_skill_of_known_rows_has_the_interval_of_their_clusters(regression) -> None:
    subject = values(regression, clusters=15)
    subject.predictions.frame.loc[:5, "y_true"] = np.nan
    found = signal_check(examined(subject))
    figures = {m.name.removeprefix("explain."): m for m in found.measures}
    frame = subject.predictions.frame.iloc[6:].reset_index(drop=True)
    losses = subject.kind.losses(frame, subject.schema)
    codes = pd.factorize(frame["cluster"])[0]
    saved = 1 - losses.predicted.sum() / losses.guessed.sum()
    assert (figures["skill"].value, figures["skill"].n) == (pytest.approx(saved), 84)

    def value(weights: np.ndarray) -> np.ndarray:
        return 1 - (weights @ losses.predicted) / (weights @ losses.guessed)

    ends = bootstrap(value, 84, subject.generator("explain.skill"), replicates=300, clusters=codes)
    assert (figures["skill"].low, figures["skill"].high) == pytest.approx(tuple(map(float, ends)))


def test_chance_is_asked_of_one_row_of_each_cluster(regression, monkeypatch) -> None:
    asked = []

    def noted(predictions, kind, schema, generator):
        asked.append(predictions.frame["cluster"].tolist())
        return permutation_p_value(predictions, kind, schema, generator)

    monkeypatch.setattr(signals, "permutation_p_value", noted)
    signal_check(examined(values(regression, clusters=15)))
    assert sorted(asked[0]) == sorted({f"c{k}" for k in range(15)})


def test_untrained_networks_that_do_as_well_count(regression, monkeypatch) -> None:
    subject = values(regression)
    monkeypatch.setattr(signals, "differentiable", lambda model: True)
    monkeypatch.setattr(signals, "untrained_skills", lambda *given: (0.5, np.array([0.5, 0.4, 0.6, 0.1])))
    found = signal_check(examined(replace(subject, model=torch.nn.Linear(2, 1))))
    assert {m.name: m.value for m in found.measures}["explain.untrained_share"] == 0.5
    assert found.outcome == "failed"


def test_what_is_not_known_of_a_model_is_weak_and_not_skipped(regression) -> None:
    subject = values(regression)
    for lacking in (replace(subject, held_out=None), replace(subject, held_out=False)):
        assert signal_check(examined(lacking)).outcome == "weak"
    subject.predictions.frame["y_true"] = np.nan
    assert "no truth is known" in signal_check(examined(subject)).result


def test_a_forest_is_asked_on_the_rows_given_and_decided_by_trees_that_did_not_see_them(regression) -> None:
    subject = values(regression)
    positions = np.arange(10, 90, 2)
    found, again = forest_skill(subject, positions, np.random.default_rng(3)), np.random.default_rng(3)
    again.permutation(positions)
    inputs, truth = (
        subject.predictions.source.inputs[0].double().numpy()[positions],
        subject.predictions.frame["y_true"][positions],
    )
    forest = RandomForestRegressor(100, min_samples_leaf=3, oob_score=True, random_state=int(again.integers(2**31)))
    forest.fit(inputs, truth)
    left = ((forest.oob_prediction_ - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert found == pytest.approx(1 - left, abs=0.05)
    assert forest_skill(subject, positions[:29], np.random.default_rng(3)) is None
    assert Losses(predicted=np.array([1.0, 3]), guessed=np.array([4.0, 4])).skill == 0.5


def test_a_forest_of_labels_learns_those_of_the_rows_it_is_given() -> None:
    chance = np.random.default_rng(5)
    inputs = chance.normal(size=(120, 2))
    labels = {name: pd.Series(np.where(inputs[:, k] > 0, name, f"no {name}")) for k, name in enumerate(("red", "blue"))}
    expected = []
    kind = SimpleNamespace(
        softmax=False,
        from_expected=lambda frame, schema, found: expected.append(found),
    )
    subject = SimpleNamespace(
        predictions=SimpleNamespace(
            source=Split((torch.as_tensor(inputs, dtype=torch.float32),), np.arange(120)), frame=pd.DataFrame({"row": range(120)})
        ),
        class_outputs=tuple(SimpleNamespace(actual=actual, spoken=name) for name, actual in labels.items()),
        value_output=None,
        kind=kind,
        schema=None,
    )
    positions = np.arange(40, 120)
    assert forest_skill(subject, positions, np.random.default_rng(0)) is None
    for k in (0, 1):
        assert np.corrcoef(expected[0][:, k], inputs[positions, k] > 0)[0, 1] > 0.9


def stage(depth: int, mean: float, kept: float = 0.0) -> Stage:
    return Stage(depth=depth, correlations=np.array([mean - 0.1, mean + 0.1]), kept=np.array([kept, kept]))


@pytest.mark.parametrize(
    ("stages", "signed", "value", "outcome"),
    [
        ((stage(1, 0.2), stage(2, 0.4), stage(3, 0.1)), True, 0.4, "passed"),
        ((stage(1, 0.9, kept=0.9), stage(2, 0.6), stage(3, 0.1)), True, 0.6, "weak"),  # the first still says what was learnt
        ((stage(1, 0.2), stage(2, 0.9, kept=0.9), stage(3, 0.1)), True, 0.2, "passed"),
        ((stage(1, 0.9), stage(2, 0.4), stage(3, 0.1)), True, 0.9, "failed"),
        ((stage(1, 0.9), stage(2, 0.4), stage(3, 0.1)), False, 0.1, "passed"),
        ((stage(1, 0.2), stage(2, 0.7, kept=0.9)), True, 0.7, "weak"),  # all layers are judged whatever they keep
        ((stage(1, math.nan), stage(2, 0.3)), True, 0.3, "passed"),
    ],
)
def test_the_depth_at_which_most_of_an_explanation_survives_decides(monkeypatch, stages, signed, value, outcome) -> None:
    monkeypatch.setattr(randomized, "cascade", lambda *given: stages)
    monkeypatch.setattr(randomized, "signed", lambda explainer: signed)
    monkeypatch.setattr(randomized, "differentiable", lambda model: True)
    made = SimpleNamespace(
        unranked=lambda: None,
        explainer=SimpleNamespace(explained=SimpleNamespace(model=None)),
        subject=SimpleNamespace(generator=lambda purpose: None),
        rows=None,
        attributions=None,
        level=0.95,
    )
    found = randomized.randomization_check(made)
    assert (found.outcome, found.measure.value) == (outcome, pytest.approx(value))
    assert found.measure.n == 2


@pytest.mark.parametrize(
    ("attributed", "carried", "auc", "outcome"),
    [
        (0.5, 0.9, 0.99, "passed"),
        (0.5, 0.5, 0.6, "weak"),  # what the model says of rows asked about foretells little of real ones
        (0.5, 0.2, 0.6, "failed"),
        (0.0, 0.9, 0.6, "weak"),
        (1.2, 0.9, 0.6, "failed"),
        (None, 0.9, 0.74, "not applicable"),
        (None, 0.9, 0.75, "weak"),
    ],
)
def test_real_rows_bear_an_explanation_out_by_shares_and_by_what_is_carried_over(monkeypatch, attributed, carried, auc, outcome):
    one = [] if attributed is None else [Held(units=(1,), attributed=attributed, least=0.4, most=0.6)]
    found = RealRows(foretold=0.8, held=tuple(one))
    for name, value in {"asked_auc": auc, "held_against": found, "carried_over": carried, "_said": np.zeros((9, 1))}.items():
        monkeypatch.setattr(held, name, lambda *given, value=value, **more: value)
    monkeypatch.setattr(held, "asked_rows", lambda explainer, rows, generator: rows)
    explained = SimpleNamespace(softmax=False)
    made = SimpleNamespace(
        subject=SimpleNamespace(generator=lambda purpose: np.random.default_rng(0)),
        explainer=SimpleNamespace(explained=explained, feature_groups=SimpleNamespace(names=("x", "y"))),
        attributions=np.ones((9, 2)),
    )
    check = held._real(made, Rows(inputs=torch.zeros(9, 2)))
    assert check.outcome == outcome
    if attributed is not None:
        apart = max(0.0, 0.4 - attributed, attributed - 0.6)
        assert check.measure.value == pytest.approx(apart)
        assert check.margin == pytest.approx(min((0.35 - apart) / 0.15, (carried - 0.6) / 0.3))


def test_explanations_that_say_nothing_are_alike_where_both_do() -> None:
    same, rising = np.full((1, 4), 2.0), np.arange(4.0)[None]
    lacking = np.array([[1.0, np.nan, np.nan, np.nan]])
    two = np.array([[1.0, np.nan, 3.0, np.nan]])
    pairs = [(same, same), (same, rising), (rising, same), (rising, rising), (rising, -rising), (lacking, rising), (two, rising)]
    found = [float(similarities(a, b)[0]) for a, b in pairs]
    assert found == pytest.approx([1, 0, 0, 1, -1, math.nan, 1], nan_ok=True)


def fielded(values: bool) -> tuple[SimpleNamespace, Sampled]:
    catalogue = SimpleNamespace(user_fields=("user",), item_fields=("item",))
    facts = SimpleNamespace(catalogue=catalogue, padding=0)
    schema = SimpleNamespace(facts_of=lambda kind: facts if kind is TextFacts else None)
    output = SimpleNamespace() if values else None
    subject = SimpleNamespace(schema=schema, value_output=output, kind=SimpleNamespace(attribution_words=lambda schema: "score"))
    attributions = np.array([[1.0, 2, 3, -3], [1.0, -2, 1, 1], [1.0, 0, -4, 0]])
    tokens = torch.tensor([[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 0]])
    return subject, Sampled(positions=np.arange(3), rows=SimpleNamespace(inputs=tokens), attributions=attributions)


@pytest.mark.parametrize("is_value", [True, False])
def test_fields_count_by_what_sets_rows_apart_and_a_history_by_its_sum(monkeypatch, is_value: bool) -> None:
    monkeypatch.setattr("glassbench_audits.explain.views.field_exhibits.output_words", lambda subject: "the score")
    found = field_influence(*fielded(is_value))
    history = np.array([0.0, 2, -4])
    apart = history - history.mean() if is_value else history
    expected = {"user": 0.0 if is_value else 1.0, "item": 4 / 3, "history": np.abs(apart).mean()}
    held = {row[0]: row[1] for row in found.tables[0].rows}
    assert held == pytest.approx(expected)
    total = sum(expected.values())
    assert {row[0]: row[2] for row in found.tables[0].rows} == pytest.approx({name: v / total for name, v in expected.items()})
    assert [row[0] for row in found.tables[0].rows] == sorted(expected, key=lambda name: -expected[name])
    assert "2 items on average" in found.tables[0].note

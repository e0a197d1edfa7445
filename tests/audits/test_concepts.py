"""Concepts: a planted one moves the decision, others do no more than random ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.testing import check_audit, toy_data, toy_subject
from glassbench.testing.fixtures import ToyTask, descend
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable
from glassbench_audits.concepts.audit import audit
from glassbench_audits.concepts.filters import chosen
from glassbench_audits.concepts.layers import activations, gradients, layer_of
from glassbench_audits.concepts.vectors import effects, partial, vectors


def planted(seed: int, width: int = 12) -> Subject:
    """Only x0 decides, in a network of two hidden layers."""
    data, task = toy_data(rows=1200, width=width, seed=seed), ToyTask()
    task.check(data.schema)
    train, test = (
        replace(part, target=(part.inputs[0][:, 0] > 0).long(), groups=pd.DataFrame({"side": ["left"] * len(part)}))
        for part in (data.train, data.test)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
    descend(model, task, train, 60)
    predictions = task.predict(model.eval(), test)
    return Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=train, seed=seed)


HIGH = {f"x{i} is high": {f"x{i}": {"at_least": 0.5}} for i in range(6)}


def p_values(result):
    return {m.group["concept"]: m.value for m in result.measures if m.name == "concepts.p_value"}


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "concepts", draws=19)


def found(result):
    return [m.group["concept"] for m in result.measures if m.name == "concepts.p_value" and "not shown" not in said(result, m)]


def said(result, measure):
    concept = f"concept '{measure.group['concept']}'"
    return next(finding.sentence for finding in result.findings if concept in finding.sentence.split(" (")[0])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layer", [None, "0"])
def test_the_planted_concept_is_found_and_no_other(seed, layer):
    result = audit(planted(seed), concepts=HIGH, layer=layer)
    assert found(result) == ["x0 is high"]
    assert result.findings[0].sentence.startswith("The concept 'x0 is high' raises 'yes'")


def deep(seed: int, causes: int, width: int = 14, classes: int = 2) -> Subject:
    """The first inputs decide together; the network has four hidden layers and is looked into at the last but one."""
    data, task = toy_data(rows=1000, width=width, seed=seed, classes=classes), ToyTask()
    task.check(data.schema)
    train, test = (
        replace(
            part, target=torch.bucketize(part.inputs[0][:, :causes].sum(dim=1), torch.arange(classes - 1) - (classes - 2) / 2)
        )
        for part in (data.train, data.test)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inner = [layer for _ in range(3) for layer in (nn.Linear(24, 24), nn.ReLU())]
        model = nn.Sequential(nn.Linear(width, 24), nn.ReLU(), *inner, nn.Linear(24, classes))
    descend(model, task, train, 60)
    predictions = task.predict(model.eval(), test)
    return Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=train, seed=seed)


def test_four_of_five_planted_concepts_are_found_and_one_null_of_twenty_at_most():
    hits, planted_ones, alarms, nulls = 0, 0, 0, 0
    for seed, causes in ((0, 1), (1, 2), (2, 4), (3, 6)):
        subject = deep(seed, causes)
        mark = np.random.default_rng(seed).random(len(subject.train)) < 0.3
        subject = replace(subject, train=replace(subject.train, groups=pd.DataFrame({"coin": mark.astype(str)})))
        concepts = {f"x{i}": {f"x{i}": {"at_least": 0.5}} for i in range(12)} | {"coin": {"coin": "True"}}
        names = found(audit(subject, concepts=concepts))
        real = {f"x{i}" for i in range(causes)}
        hits, planted_ones = hits + len(real & set(names)), planted_ones + causes
        alarms, nulls = alarms + len(set(names) - real), nulls + 13 - causes
    assert hits >= 0.8 * planted_ones
    assert alarms <= 0.05 * nulls


def test_sets_of_rows_drawn_at_random_raise_the_alarm_as_often_as_they_say():
    alarms = 0
    for seed in range(60):
        chance = np.random.default_rng(seed)
        along, marks = chance.standard_normal((200, 2)), (chance.random((200, 5)) < 0.2).astype(float)
        alarms += effects(along, marks, 99, chance).p.min() <= 0.05
    assert alarms <= 8  # 3 expected; more than 8 of 60 happens once in 300


@pytest.mark.parametrize("rows", [100, 1000])
def test_a_small_effect_is_seldom_surely_more_than_it_is(rows):
    """Two of five sets of rows shift the output by 0.2 of its standard deviation: that is all they surely do, or less."""
    above, marked = 0, int(rows * 0.3)
    for seed in range(60):
        chance = np.random.default_rng([seed, rows])
        marks = np.stack([chance.permutation(np.arange(rows) < marked) for _ in range(5)], axis=1).astype(float)
        along = chance.standard_normal((rows, 1)) + 0.2 * (marks[:, :2] - 0.3).sum(axis=1, keepdims=True)
        above += (effects(along, marks, 199, chance).least(0.05)[0] > 0.2).any()
    assert above <= 8  # 3 expected at most; more than 8 of 60 happens once in 300


def test_what_is_surely_had_grows_with_the_rows_towards_the_size():
    least = []
    for rows in (50, 500, 5000):
        chance = np.random.default_rng(rows)
        marks = (np.arange(rows) < rows // 2).astype(float)[:, None]
        seen = effects(chance.standard_normal((rows, 1)) + 1.5 * marks, marks, 199, chance)
        least.append(float(seen.least(0.05)[0, 0]))
        error = np.sqrt(1 / (rows // 2) + 1 / (rows // 2))
        assert seen.error[0, 0] == pytest.approx(error, rel=0.2)
    assert least[0] < least[1] < least[2] < 1.5 / np.sqrt(1 + 1.5**2 / 4)


def test_sizes_are_differences_of_means_in_standard_deviations():
    chance = np.random.default_rng(0)
    values, marks, slope = (
        chance.standard_normal((80, 6)),
        (chance.random((80, 2)) < 0.3).astype(float),
        chance.standard_normal(6),
    )
    along = values @ slope
    inside, outside = along[marks[:, 0] == 1].mean(), along[marks[:, 0] == 0].mean()
    assert effects(along[:, None], marks, 19, chance).size[0, 0] == pytest.approx((inside - outside) / along.std())
    np.testing.assert_allclose(slope @ vectors(values, marks)[:, 0], inside - outside)


def test_a_concept_that_goes_with_the_one_behind_it_gets_no_verdict():
    subject = planted(0)
    inputs = subject.train.inputs[0]
    shadow = inputs[:, 0] + 1.2 * torch.randn(len(inputs), generator=torch.Generator().manual_seed(0))
    groups = pd.DataFrame({"shadow": (shadow > 0.5).numpy().astype(str)})
    subject = replace(subject, train=replace(subject.train, groups=groups))
    result = audit(subject, concepts={"x0 is high": HIGH["x0 is high"], "a shadow": {"shadow": "True"}})
    finding = next(one for one in result.findings if "'a shadow'" in one.sentence)
    assert finding.grade == "unclear"
    assert "goes with 'x0 is high'" in finding.sentence


def test_partial_correlation_is_that_of_residuals():
    chance = np.random.default_rng(0)
    first, second, along = chance.standard_normal((3, 60)).cumsum(axis=0)
    left = [values - np.polyval(np.polyfit(second, values, 1), second) for values in (first, along)]
    assert partial(first, second, along) == pytest.approx(np.corrcoef(left)[0, 1])


def test_gradients_are_finite_differences():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    rows = Rows(inputs=torch.randn(6, 4, dtype=torch.float64), target_index=torch.tensor([0, 1, 0, 1, 0, 1]))
    explained = Explained(model, ToyTask())
    _, layer = layer_of(explained, rows, "0")
    marks = np.array([[1.0], [1], [0], [0], [1], [0]])
    move = vectors(activations(explained, layer, rows), marks)[:, 0]
    step = torch.as_tensor(1e-6 * move)
    with torch.no_grad():
        ends = [model[2](model[1](model[0](rows.inputs) + way)) for way in (step, -step)]
    scores = (ends[0] - ends[1]) / 2e-6
    expected = (scores - scores.flip(1))[torch.arange(6), rows.target_index]
    np.testing.assert_allclose(gradients(explained, layer, rows) @ move, expected, rtol=1e-5)


def test_the_last_but_one_layer_is_looked_into_and_one_layer_is_none():
    rows = Rows(inputs=torch.randn(4, 4), target_index=torch.zeros(4, dtype=torch.int64))
    deep = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    assert layer_of(Explained(deep, ToyTask()), rows, None)[0] == "2"
    with pytest.raises(Unexplainable, match="one layer alone"):
        layer_of(Explained(nn.Linear(4, 2), ToyTask()), rows, None)


def test_filters_read_values_lists_and_bounds():
    frame = pd.DataFrame({"age": [20.0, 35, np.nan], "sex": ["f", "m", "f"], "children": [0, 2, 3]})
    assert chosen(frame, {"sex": ["f", "x"], "age": {"at_most": 30}}, "").tolist() == [True, False, False]
    assert chosen(frame, {"children": 2}, "").tolist() == [False, True, False]
    assert chosen(frame, {"age": 35}, "").tolist() == [False, True, False]


@pytest.mark.parametrize("conditions", [{}, {"agee": 3}, {"age": {"above": 3}}, {"age": {"at_least": "3"}}])
def test_a_filter_that_cannot_be_read_is_refused(conditions):
    with pytest.raises(SettingsError):
        chosen(pd.DataFrame({"age": [1]}), conditions, "audits.concepts.concepts.old")


def test_concepts_of_few_rows_and_unknown_layers_are_said_so():
    subject = planted(0)
    assert "no concept has" in audit(subject, concepts={"huge": {"x0": {"at_least": 99}}}).not_applicable
    with pytest.raises(SettingsError, match="no such layer"):
        audit(subject, concepts=HIGH, layer="hidden")


def test_without_concepts_and_groups_it_is_not_applicable():
    subject = toy_subject()
    assert "no concept is named" in audit(replace(subject, schema=replace(subject.schema, sensitive=()))).not_applicable


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(SettingsError, match="draws must be at least 19"):
        audit(toy_subject(), draws=3)


def test_without_concepts_the_sensitive_groups_are_tested():
    result = audit(toy_subject(), draws=19)
    assert set(p_values(result)) == {"side = left", "side = right"}

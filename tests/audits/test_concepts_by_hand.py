"""Sizes, errors and p-values of concepts as their definitions say, for several concepts of unlike size and several outputs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import wilson
from glassbench.testing import toy_data
from glassbench.testing.fixtures import ToyTask
from glassbench_audits.concepts import exhibits
from glassbench_audits.concepts.audit import Inside, _behind, _independent, _tested, audit
from glassbench_audits.concepts.exhibits import result
from glassbench_audits.concepts.filters import chosen
from glassbench_audits.concepts.vectors import effects, partial


def table(seed: int = 0, rows: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """What a layer does to three outputs, one of them constant, and marks of three concepts of unlike size."""
    chance = np.random.default_rng(seed)
    marks = (np.arange(rows)[:, None] < [9, 30, 60]).astype(float)
    marks = np.stack([chance.permutation(column) for column in marks.T], axis=1)
    along = np.stack([0.8 * marks[:, 1] + chance.normal(size=rows), 5 * chance.normal(size=rows), np.full(rows, 3.0)], axis=1)
    return along, marks


def test_sizes_are_tested_against_the_largest_of_all_concepts_and_outputs_in_their_own_errors() -> None:
    along, marks = table()
    seen, draws = effects(along, marks, 200, np.random.default_rng(3)), np.random.default_rng(3)
    scores = (along[:, :2] - along[:, :2].mean(axis=0)) / along[:, :2].std(axis=0)

    def apart(values: np.ndarray) -> np.ndarray:
        return np.array([[v[m == 1].mean() - v[m == 0].mean() for m in marks.T] for v in values.T])

    null = np.abs([apart(draws.permutation(np.column_stack([scores, np.zeros(90)]))[:, :2]) for _ in range(200)])
    error = np.sqrt((null**2).mean(axis=0))
    most = (null / error).max(axis=(1, 2))
    size = apart(scores)
    assert seen.size[:2] == pytest.approx(size)
    assert seen.error[:2] == pytest.approx(error)
    expected = [[(1 + (most >= abs(size[k, c]) / error[k, c]).sum()) / 201 for c in range(3)] for k in range(2)]
    assert seen.p[:2] == pytest.approx(np.array(expected))
    assert seen.chance == pytest.approx(np.quantile(null.max(axis=(1, 2)), 0.95))
    ends = np.abs(size) - np.sort(most)[int(np.ceil(0.9 * 199))] * error
    assert seen.least(0.1)[:2] == pytest.approx(np.maximum(ends, 0))
    assert seen.size[2].tolist() == [0, 0, 0]
    assert seen.p[2].tolist() == [1, 1, 1]


def test_errors_are_those_of_sets_as_large_as_each_concept() -> None:
    along, marks = table(rows=400)
    n = marks.sum(axis=0)
    seen = effects(along[:, 1:2], marks, 2000, np.random.default_rng(0))
    assert seen.error[0] == pytest.approx(np.sqrt(1 / n + 1 / (400 - n)), rel=0.05)


def test_a_partial_correlation_is_divided_by_what_both_leave_open() -> None:
    first, second = np.repeat([1.0, 0, 1, 0], [30, 10, 10, 50]), np.repeat([1.0, 0], [40, 60])
    along = 2 * first + second + np.random.default_rng(0).normal(size=100)
    left = [values - np.poly1d(np.polyfit(second, values, 1))(second) for values in (first, along)]
    assert partial(first, second, along) == pytest.approx(np.corrcoef(left)[0, 1])
    assert partial(first, second, second) == pytest.approx(0, abs=1e-6)


def test_bounds_belong_to_what_they_bound_and_missing_values_meet_nothing() -> None:
    frame = pd.DataFrame({"age": [20.0, 30, np.nan, 40], "sex": ["f", None, "nan", "m"], "children": [0, 2, 2, 3]})
    assert chosen(frame, {"age": {"at_least": 30}}, "").tolist() == [False, True, False, True]
    assert chosen(frame, {"age": {"at_most": 30}}, "").tolist() == [True, True, False, False]
    assert chosen(frame, {"age": {"at_least": 30, "at_most": 30}}, "").tolist() == [False, True, False, False]
    assert chosen(frame, {"sex": ["nan", "None"]}, "").tolist() == [False, False, True, False]
    assert chosen(frame, {"age": ["nan"]}, "").tolist() == [False] * 4
    assert chosen(frame, {"age": ["30", "40.00"]}, "").tolist() == [False, True, False, True]
    assert chosen(frame, {"children": ["2.0"], "sex": "nan"}, "").tolist() == [False, False, True, False]


def held(**more: object) -> exhibits.Tested:
    given = {
        "concept": "old",
        "spoken": "yes",
        "rows": 40,
        "slopes": np.array([0.5, 0.0, -0.25, 1.0, 0.75]),
        "size": 0.6,
        "least": 0.3,
        "random": 0.2,
        "p": 0.01,
    }
    return exhibits.Tested(**{**given, **more})


def said(one: exhibits.Tested) -> tuple[str, str]:
    found = result([one], small=(), level=0.95, alarm=0.05, method=None)
    return found.findings[0].grade, found.findings[0].sentence


def test_a_concept_moves_a_decision_where_it_is_no_chance_more_than_small_and_its_own() -> None:
    grade, sentence = said(held())
    assert (grade, sentence.startswith("The concept 'old' raises 'yes'")) == ("ok", True)
    assert said(held(p=0.05))[0] == "ok"
    assert "more than random sets" in said(held(p=0.051))[1]
    assert "more than 0.2 standard deviations" in said(held(least=0.2))[1]
    assert "it goes with 'rich'" in said(held(behind="rich"))[1]
    lowers = said(held(slopes=np.array([-0.5, -0.4, 0.1]), size=-0.6))
    assert lowers[1].startswith("The concept 'old' lowers 'yes' (-0.267")


def test_the_share_of_rows_raised_and_the_error_of_the_mean_slope() -> None:
    one = held()
    found = result([one], small=("rare",), level=0.9, alarm=0.05, method=None)
    share, strength, p = found.measures
    ends = wilson(np.array(3.0), np.array(5.0), 0.9)
    assert (share.value, share.low, share.high, share.n) == pytest.approx((0.6, float(ends[0]), float(ends[1]), 5))
    assert (strength.value, p.value) == (0.4, 0.01)
    assert one.half == pytest.approx(np.std(one.slopes, ddof=1) / np.sqrt(5))
    (drawn,) = found.charts[0].rows
    assert (drawn["low"], drawn["high"]) == pytest.approx((0.4 - 1.96 * one.half, 0.4 + 1.96 * one.half))
    assert found.tables[0].rows[0][3] == 0.6
    order = result([held(concept="a", p=0.2), held(concept="b", p=0.01)], small=(), level=0.9, alarm=0.05, method=None)
    assert "'b'" in order.findings[0].sentence


def linear(seed: int = 0, rows: int = 400) -> Subject:
    """Decides by x0 - 2 x1, through a first layer that leaves rows as they are."""
    data, task = toy_data(rows=rows, width=3, seed=seed), ToyTask()
    task.check(data.schema)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3))
        model[1].weight.copy_(torch.tensor([[0.0, 0, 0], [1, -2, 0]]))
        for layer in model:
            layer.bias.zero_()
    model = model.eval()
    return Subject(schema=data.schema, predictions=task.predict(model, data.test), task=task, model=model, train=data.train)


def test_a_linear_network_is_moved_by_the_mean_difference_of_what_it_adds_up() -> None:
    subject = linear()
    concepts = {"high": {"x0": {"at_least": 0.5}}, "low": {"x1": {"at_most": -0.5}}}
    found = audit(subject, concepts=concepts, draws=99)
    rows = subject.train.inputs[0].double().numpy()
    along = rows @ [1, -2, 0]
    marks = {"high": rows[:, 0] >= 0.5, "low": rows[:, 1] <= -0.5}
    for m in found.measures:
        if m.name == "concepts.strength":
            mark = marks[m.group["concept"]]
            assert m.value == pytest.approx(along[mark].mean() - along[~mark].mean(), rel=1e-4)
            assert m.group["output"] == "yes"
    cells = {row[0]: row for row in found.tables[0].rows}
    assert {name: row[2] for name, row in cells.items()} == {name: int(mark.sum()) for name, mark in marks.items()}
    for name, mark in marks.items():
        assert cells[name][5] == pytest.approx((along[mark].mean() - along[~mark].mean()) / along.std(), rel=1e-4)


@pytest.mark.parametrize(("bound", "told"), [(20, True), (19, False)])
def test_a_concept_needs_twenty_rows_and_as_many_beside_it(bound: int, told: bool) -> None:
    subject = linear()
    values = np.sort(subject.train.inputs[0][:, 0].double().numpy())
    for condition in ({"at_least": float(values[-bound])}, {"at_most": float(values[len(values) - bound - 1])}):
        found = audit(subject, concepts={"few": {"x0": condition}}, draws=19)
        assert (found.not_applicable is None) == told


class Rows(SimpleNamespace):
    """Training rows, of which only their number and clusters are known."""

    def __len__(self) -> int:
        return self.n


def test_of_training_rows_that_hang_together_one_of_each_cluster_counts() -> None:
    clusters = np.random.default_rng(0).integers(0, 30, 200)
    generator = lambda purpose: np.random.default_rng(len(purpose))  # noqa: E731
    found = _independent(SimpleNamespace(train=Rows(n=200, clusters=clusters), generator=generator), 99)
    assert found.tolist() == sorted(found)
    assert sorted(clusters[found]) == sorted(set(clusters))
    few = _independent(SimpleNamespace(train=Rows(n=200, clusters=clusters), generator=generator), 12)
    assert len(set(clusters[few])) == len(few) == 12
    alone = _independent(SimpleNamespace(train=Rows(n=200, clusters=None), generator=generator), 50)
    assert len(set(alone.tolist())) == 50


def mixture(own: float, others: float, between: float, rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Marks of two concepts that go together so far, and an output that each moves so far."""
    chance = np.random.default_rng(0)
    second = chance.random(rows) < 0.5
    first = np.where(chance.random(rows) < between, second, chance.random(rows) < 0.5)
    marks = np.stack([first, second], axis=1).astype(float)
    return marks, marks @ [own, others] + chance.normal(0, 0.5, rows)


@pytest.mark.parametrize(
    ("own", "others", "between", "behind"),
    [
        (0.0, 1.0, 0.6, "b"),
        (0.0, 1.0, 0.1, None),  # they hardly go together
        (0.0, 1.0, 0.99, None),  # they are one
        (0.6, 0.5, 0.6, None),  # the other moves it no further
        (0.6, 0.4, 0.88, None),
        (0.5, 0.55, 0.45, None),  # it keeps most of its own effect
        (0.1, 1.0, 0.6, "b"),
    ],
)
def test_another_concept_is_behind_one_that_goes_with_it_and_keeps_little_beside_it(own, others, between, behind) -> None:
    marks, along = mixture(own, others, between)
    assert _behind(("a", "b"), marks, along, 0) == behind
    if (own, others) == (0.5, 0.55):  # less than alone, and more than two thirds of it
        alone = np.corrcoef(marks[:, 0], along)[0, 1]
        assert 2 / 3 * alone < partial(marks[:, 0], marks[:, 1], along) < alone


def test_each_class_is_moved_along_the_mean_gradient_of_its_own_rows() -> None:
    chance = np.random.default_rng(1)
    activations, gradients = chance.normal(size=(90, 3)), chance.normal(size=(70, 3))
    classes = np.repeat(["x", "y", "few"], [30, 25, 15])
    gradients[classes == "y"] += [3, 0, -2]
    mark = activations[:, 0] > 0.2
    inside = Inside(layer="0", frame=pd.DataFrame(), activations=activations, gradients=gradients, classes=classes)
    subject = SimpleNamespace(generator=lambda purpose: np.random.default_rng(0))
    found = {one.spoken: one for one in _tested(subject, inside, {"high": mark}, 49, 0.05)}
    assert set(found) == {"x", "y"}  # of a class of fewer than twenty rows nothing is said
    move = activations[mark].mean(axis=0) - activations[~mark].mean(axis=0)
    for spoken, one in found.items():
        own = gradients[classes == spoken]
        along = activations @ own.mean(axis=0)
        assert one.slopes == pytest.approx(own @ move)
        assert one.size == pytest.approx((along[mark].mean() - along[~mark].mean()) / along.std())
        assert one.rows == mark.sum()

"""The search for nearest changes on rules that are written down: every step, what it keeps, and the figures told of it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import wilson
from glassbench.testing.fixtures import ToyTask
from glassbench_audits.attribution.cases import Chosen
from glassbench_audits.counterfactuals.asking import Answers, ask
from glassbench_audits.counterfactuals.audit import audit
from glassbench_audits.counterfactuals.exhibits import case, findings, measures, tables
from glassbench_audits.counterfactuals.options import Options, options_of
from glassbench_audits.counterfactuals.search import Change, changed, distance, search

FEATURES = (
    Feature(name="income", columns=(0,)),
    Feature(name="age", columns=(1,)),
    Feature(name="home", kind="category", columns=(2, 3), categories=("rent", "own")),
)
SCHEMA = Schema(
    modality="table",
    shape=(4,),
    target=Target(name="granted", kind="class", classes=("no", "maybe", "yes")),
    features=FEATURES,
    sensitive=("sex",),
)
INCOMES, AGES = [0.0, 1, 2, 4, 8], [0.0, 10, 20]


def options() -> tuple[Options, ...]:
    number = {"rows": np.arange(5), "scale": 2.0}
    return (
        Options(feature=FEATURES[0], values=torch.tensor(INCOMES)[:, None], **number),
        Options(feature=FEATURES[1], values=torch.tensor(AGES)[:, None], rows=np.arange(3), scale=5.0),
        Options(feature=FEATURES[2], values=torch.tensor([[1.0, 0], [0, 1]]), rows=np.arange(2), scale=float("nan")),
    )


def rule(margin):
    """From a function of rows, above 0 where the decision is another, to what the search asks."""

    def answer(inputs: Tensor, origins: np.ndarray) -> Answers:
        above = np.array([margin(*row) for row in inputs.tolist()], dtype=float)
        return Answers(flipped=above > 0, margin=-above, decisions=np.array([f"flipped by {v:g}" for v in above], dtype=object))

    return answer


def test_distances_are_in_deviations_of_numbers_and_one_for_a_category() -> None:
    income, _, home = options()
    assert income.distances(torch.tensor([2.0])).tolist() == [1, 0.5, 0, 1, 3]
    assert home.distances(torch.tensor([0.0, 1])).tolist() == [1, 0]
    assert home.distances(torch.tensor([0.0, 0])).tolist() == [1, 1]
    row = torch.tensor([2.0, 10, 0, 1])
    assert distance(row, options(), ((0, 4), (1, 0), (2, 0))) == 3 + 2 + 1
    assert changed(row[None], options(), [(0, ((0, 3), (2, 0)))]).tolist() == [[4, 10, 1, 0]]
    assert row.tolist() == [2, 10, 0, 1]


def test_some_of_a_number_s_values_lie_evenly_and_all_of_a_category_s_stay() -> None:
    number = Options(feature=FEATURES[0], values=torch.arange(11.0)[:, None], rows=np.arange(11) * 10, scale=1.0)
    some = number.some(3)
    assert (some.values[:, 0].tolist(), some.rows.tolist(), some.scale) == ([0, 5, 10], [0, 50, 100], 1.0)
    assert number.some(11) is number
    home = options()[2]
    assert home.some(1) is home


def test_options_are_values_of_training_rows_scaled_by_how_rows_spread() -> None:
    inputs = torch.tensor([[0.0, 5, 1, 0], [0, 5, 1, 0], [0, 5, 0, 1], [10, 5, 0, 0], [0, 5, 0, 1]])
    found = options_of(FEATURES, Split((inputs,), np.arange(5)), ())
    assert [one.feature.name for one in found] == ["income", "home"]  # of one value there is no other
    assert found[0].values[:, 0].tolist() == [0, 10]
    assert found[0].scale == pytest.approx(np.std([0, 0, 0, 10, 0], ddof=1))
    assert sorted(map(tuple, found[1].values.tolist())) == [(0, 1), (1, 0)]  # no mark at all is a missing value
    assert np.isnan(found[1].scale)
    raw = pd.DataFrame({"income": [1.0, 2, np.nan, 3, np.nan], "home": ["a"] * 5})
    known = options_of(FEATURES, Split((inputs,), np.arange(5), raw=raw), ("home",))
    assert (len(known), known[0].rows.tolist()) == (1, [0, 3])


def test_the_nearest_of_single_changes_is_taken_wherever_it_stands() -> None:
    rows = torch.tensor([[2.0, 10, 1, 0]])
    found = search(rule(lambda i, a, r, o: (abs(i - 2) >= 1) - 0.5), rows, options(), most=3)[0]
    assert (found.choice, found.distance) == (((0, 1),), 0.5)  # 1 is nearer than 0, 4 and 8
    home = search(rule(lambda i, a, r, o: max(o, (i == 8)) - 0.5), rows, options(), most=3)[0]
    assert (home.choice, home.distance) == (((2, 1),), 1.0)  # a category is 1 away, an income of 8 is 3
    assert home.decision == "flipped by 0.5"


def test_inputs_change_together_where_no_single_one_flips_and_each_as_little_as_it_can() -> None:
    rows = torch.tensor([[2.0, 10, 1, 0], [8.0, 10, 0, 1], [2.0, 10, 1, 0]])
    needs = rule(lambda i, a, r, o: min(i - 3, a - 15) + 0.0)
    found = search(needs, rows, options(), most=2)
    assert {row: one.choice for row, one in found.items()} == {0: ((0, 3), (1, 2)), 1: ((1, 2),), 2: ((0, 3), (1, 2))}
    assert found[0].distance == 1 + 2
    assert search(needs, rows, options(), most=1).keys() == {1}
    assert search(rule(lambda *row: -1.0), rows, options(), most=3) == {}


def test_what_comes_closest_to_a_flip_is_widened() -> None:
    wide = tuple(
        Options(feature=Feature(name=f"x{k}", columns=(k,)), values=torch.tensor([[0.0], [1.0]]), rows=np.arange(2), scale=1.0)
        for k in range(30)
    )
    found = search(rule(lambda *row: row[28] + row[29] - 1.5 + 0.01 * row[0]), torch.zeros(1, 30), wide, most=2)
    assert found[0].choice == ((28, 1), (29, 1))  # of thirty first steps eight are kept, these two among them


def test_a_second_turn_brings_an_input_nearer_once_another_has_moved() -> None:
    """Ages of 20 allow an income of 4 where ages of 10 ask for 8; what one turn moves, the next may use."""
    rows = torch.tensor([[0.0, 0, 1, 0]])
    found = search(rule(lambda i, a, r, o: (a >= 10) * (i * (1 + (a >= 20)) - 7.5)), rows, options(), most=2)[0]
    alternatives = {(i, a): i / 2 + a / 5 for i in INCOMES for a in AGES if (a >= 10) * (i * (1 + (a >= 20)) - 7.5) > 0}
    assert found.distance == min(alternatives.values())


def test_an_input_comes_nearer_once_another_has_moved_to_a_value_between_those_tried_first() -> None:
    """An age of 17 is none of the twelve tried first: there an income of 1 is enough, where all others ask for 4."""
    ages = torch.arange(40.0)[:, None]
    wide = (
        Options(feature=FEATURES[0], values=torch.arange(5.0)[:, None], rows=np.arange(5), scale=1.0),
        Options(feature=FEATURES[1], values=ages, rows=np.arange(40), scale=1.0),
    )
    asked = rule(lambda i, a, r, o: ((a >= 18 and i == 4) or (a == 17 and i in (1, 4))) - 0.5)
    found = search(asked, torch.zeros(1, 4), wide, most=2)[0]
    assert (found.choice, found.distance) == (((0, 1), (1, 17)), 18.0)


class Straight(torch.nn.Module):
    """Scores of three classes: none, age, and income where home is owned."""

    def forward(self, rows: Tensor) -> Tensor:
        return torch.stack([rows[:, 0] * 0 + 1.0, rows[:, 1] / 10, rows[:, 0] * rows[:, 3]], dim=1)


def subject(rows: list[list[float]], sex: str, **columns: object) -> Subject:
    inputs = torch.tensor(rows)
    raw = pd.DataFrame({"income": inputs[:, 0].numpy() * 1000, "age": inputs[:, 1].numpy()})
    raw["home"] = np.where(inputs[:, 2].numpy() > 0, "rent", "own")
    split = Split((inputs,), np.arange(len(rows)), groups=pd.DataFrame({"sex": list(sex)}), raw=raw)
    task = ToyTask()
    task.check(SCHEMA)
    made = Subject(
        schema=SCHEMA, predictions=task.predict(Straight().eval(), split), task=task, model=Straight().eval(), train=split
    )
    for name, values in columns.items():
        made.predictions.frame[name] = values
    return made


ROWS = [[0.0, 0, 1, 0], [0, 20, 1, 0], [4, 0, 0, 1], [8, 20, 0, 1], [4, 20, 1, 0]]


def test_the_lead_is_over_the_best_other_decision_or_over_the_one_wanted() -> None:
    made = subject(ROWS, "fmfmf")
    assert made.predictions.frame["y_pred"].tolist() == ["no", "maybe", "yes", "yes", "maybe"]
    inputs = torch.tensor([[0.0, 9, 1, 0], [3, 20, 0, 1], [0.0, 9, 1, 0]])
    origins = np.array([0, 3, 1])
    scores = torch.log_softmax(Straight()(inputs), dim=1).exp().numpy()
    any_other, wanted = ask(made, inputs, origins, None), ask(made, inputs, origins, "maybe")
    own = [0, 2, 1]
    best = [max(np.delete(scores[k], own[k])) for k in range(3)]
    lead = [scores[k, own[k]] - best[k] for k in range(3)]
    assert np.sign(any_other.margin).tolist() == np.sign(lead).tolist()
    assert any_other.flipped.tolist() == [False, False, True]
    assert wanted.flipped.tolist() == [False, False, False]
    ahead = [scores[k, own[k]] - scores[k, 1] for k in range(3)]
    assert np.sign(wanted.margin).tolist() == pytest.approx(np.sign(np.round(ahead, 9)).tolist())
    assert any_other.decisions.tolist() == ["no", "yes", "no"]


def test_rows_that_are_decided_as_wanted_are_not_sought_and_clusters_are_asked_once() -> None:
    made = subject(ROWS * 4, "fmfmf" * 4)
    found = {m.name: m for m in audit(made, towards="yes", rows=99, cases=0, replicates=20).measures if m.by is None}
    assert found["counterfactuals.validity"].n == 12
    hung = subject(ROWS * 4, "fmfmf" * 4, cluster=[f"c{k // 5}" for k in range(20)])
    found = {m.name: m for m in audit(hung, rows=99, cases=0, replicates=20).measures if m.by is None}
    assert found["counterfactuals.validity"].n == 4


CHANGES = {
    0: Change(choice=((0, 1),), distance=1.0, decision="yes"),
    2: Change(choice=((0, 2), (1, 0)), distance=3.0, decision="no"),
    3: Change(choice=((1, 0),), distance=8.0, decision="no"),
    9: Change(choice=((2, 0),), distance=99.0, decision="no"),
}
"""What flips three of five rows, and one that is a case alone."""


def test_figures_of_groups_are_of_their_own_rows() -> None:
    made, positions = subject(ROWS, "ffmmm"), np.arange(5)
    found = {
        (m.name.removeprefix("counterfactuals."), (m.group or {}).get("sex")): m
        for m in measures(made, positions, CHANGES, 200, 0.9)
    }
    assert {who: found["validity", who].value for who in (None, "f", "m")} == {None: 0.6, "f": 0.5, "m": pytest.approx(2 / 3)}
    assert {who: found["validity", who].n for who in (None, "f", "m")} == {None: 5, "f": 2, "m": 3}
    assert {who: found["distance", who].value for who in (None, "f", "m")} == {None: 4.0, "f": 1.0, "m": 5.5}
    assert {who: found["changes", who].value for who in (None, "f", "m")} == {None: pytest.approx(4 / 3), "f": 1.0, "m": 1.5}
    low, high = wilson(np.array(2.0), np.array(3.0), 0.9)
    assert (found["validity", "m"].low, found["validity", "m"].high) == pytest.approx((float(low), float(high)))
    spread = found["distance", None]
    assert spread.low < 4 < spread.high
    inputs, recourse = tables(made, positions, CHANGES, options())
    assert inputs.rows == (("income", 2, 1), ("age", 2, 1), ("home", 0, 0))
    assert recourse.rows == (("sex", "f", 2, 1, 1.0), ("sex", "m", 3, 2, 5.5))
    three = {**CHANGES, 4: Change(choice=((1, 1),), distance=0.5, decision="no")}
    assert tables(made, positions, three, options())[1].rows[1] == ("sex", "m", 3, 3, 3.0)  # the median of .5, 3 and 8
    (said,) = findings(positions, CHANGES, options(), 2, 0.95)
    assert "3 of 5 decisions (60 %" in said.sentence
    assert (
        "1.3 of them on average, by 3 standard deviations at the median; most often income (67 %) and age (67 %)" in said.sentence
    )


def test_a_case_tells_how_far_each_change_alone_moves_the_lead() -> None:
    made = subject(ROWS, "ffmmm")
    change = Change(choice=((0, 0), (1, 2)), distance=3.0, decision="maybe")
    told = case(made, Chosen(position=2, title="x"), change, options(), None)
    scores = lambda *row: torch.softmax(Straight()(torch.tensor([row])), dim=1)[0].tolist()  # noqa: E731
    before, income, age = scores(4.0, 0, 0, 1), scores(0.0, 0, 0, 1), scores(4.0, 20, 0, 1)
    lead = [s[2] - max(s[0], s[1]) for s in (before, income, age)]
    assert {part.name: part.value.split(" → ")[0] for part in told.parts} == {"income": "4000", "age": "0"}
    parts = {part.name: part.contribution for part in told.parts}
    raw = ask(made, torch.tensor([[4.0, 0, 0, 1], [0.0, 0, 0, 1], [4.0, 20, 0, 1]]), np.full(3, 2), None).margin
    assert parts == pytest.approx({"income": raw[1] - raw[0], "age": raw[2] - raw[0]})
    assert np.sign(list(parts.values())).tolist() == np.sign([lead[1] - lead[0], lead[2] - lead[0]]).tolist()
    assert SimpleNamespace(**vars(told)).note.startswith("With these changes it would be 'maybe'.")

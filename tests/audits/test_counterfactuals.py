"""Counterfactuals: what flips a decision is found, is near, and respects what cannot change."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.testing import check_audit, toy_subject
from glassbench.testing.fixtures import ToyTask
from glassbench_audits.counterfactuals.audit import audit
from glassbench_audits.counterfactuals.options import options_of

SCHEMA = Schema(
    modality="table",
    shape=(5,),
    target=Target(name="granted", kind="class", classes=("no", "yes"), positive="yes"),
    features=(
        Feature(name="income", columns=(0,), unit="EUR"),
        Feature(name="age", columns=(1,), unit="years"),
        Feature(name="home", kind="category", columns=(2, 3, 4), categories=("rent", "own", "other")),
    ),
    sensitive=("age",),
)


class Rule(nn.Module):
    """Grants where a sum of income, age and owning is above 0."""

    def __init__(self, weights=(1.0, 0.5, 0.0, 0.8, 0.0)):
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, rows):
        score = rows @ self.weights
        return torch.stack([-score, score], dim=1)


def subject_of(model, n=200, seed=0) -> Subject:
    chance = np.random.default_rng(seed)
    homes = np.eye(3)[chance.integers(0, 3, n)]
    rows = torch.as_tensor(np.column_stack([chance.standard_normal((n, 2)), homes]), dtype=torch.float32)
    raw = pd.DataFrame({"income": 2000 + 500 * rows[:, 0].numpy(), "age": 50 + 10 * rows[:, 1].numpy()})
    raw["home"] = np.array(["rent", "own", "other"])[homes.argmax(axis=1)]
    groups = pd.DataFrame({"age": np.where(raw["age"] > 50, "old", "young")})
    split = Split((rows,), np.arange(n), groups=groups, raw=raw)
    task = ToyTask()
    task.check(SCHEMA)
    return Subject(schema=SCHEMA, predictions=task.predict(model.eval(), split), task=task, model=model, train=split, seed=seed)


def measure(result, name):
    return next(m for m in result.measures if m.name == f"counterfactuals.{name}" and m.by is None)


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "counterfactuals", rows=8, replicates=20)


def test_decisions_flip_and_the_sensitive_column_stays():
    result = audit(subject_of(Rule()))
    assert measure(result, "validity").value == 1
    assert result.method.parameters["immutable"] == ["age"]
    assert {row[0] for row in result.tables[0].rows} == {"income", "home"}
    assert {part.name for case in result.cases for part in case.parts} <= {"income", "home"}


def test_the_change_is_as_near_as_brute_force_finds():
    subject = subject_of(Rule(), n=60)
    result = audit(subject, rows=60, immutable=["age", "home"], cases=0)
    rows = subject.predictions.source.inputs[0]
    score, incomes = (rows @ Rule().weights).numpy(), rows[:, 0].numpy()
    after = score[:, None] - incomes[:, None] + incomes[None]
    apart = np.where((after > 0) != (score > 0)[:, None], np.abs(incomes[None] - incomes[:, None]), np.inf).min(axis=1)
    reachable = np.isfinite(apart)
    assert measure(result, "validity").value == pytest.approx(reachable.mean())
    best = apart[reachable].mean() / incomes.std(ddof=1)
    assert best <= measure(result, "distance").value + 1e-6
    assert measure(result, "distance").value < best + 0.05  # of 60 values the search looks at 48
    assert measure(result, "changes").value == 1


def test_two_inputs_change_only_where_one_cannot_do_it():
    model = Rule((1.0, 0.0, 0.0, 3.0, 0.0))
    subject = subject_of(model)
    result = audit(subject, rows=200, cases=0, immutable=[])
    rows, score = subject.predictions.source.inputs[0], (subject.predictions.source.inputs[0] @ model.weights).numpy()
    incomes, home = rows[:, 0].numpy(), rows[:, 2:].numpy() @ model.weights[2:].numpy()
    alone = [
        ((score[i] - incomes[i] + incomes > 0) != (score[i] > 0)).any()
        or any((score[i] - home[i] + h > 0) != (score[i] > 0) for h in (0.0, 3.0))
        for i in range(200)
    ]
    both = [any((h + incomes > 0).any() if score[i] <= 0 else (h + incomes <= 0).any() for h in (0.0, 3.0)) for i in range(200)]
    assert measure(result, "validity").value == pytest.approx(np.mean(both))
    ones = sum(row[2] for row in result.tables[0].rows)
    assert ones == sum(alone)


def test_categories_keep_one_mark_and_numbers_their_range():
    subject = subject_of(Rule())
    for one in options_of(SCHEMA.features, subject.train, ()):
        seen = subject.train.inputs[0][:, one.columns]
        assert all((seen == value).all(dim=1).any() for value in one.values)
        assert torch.equal(seen[torch.as_tensor(one.rows)], one.values)


def test_a_case_is_told_in_words_and_units():
    result = audit(subject_of(Rule()), cases=1)
    part = next(part for case in result.cases for part in case.parts if part.name == "income")
    before, after = part.value.split(" → ")
    assert before.endswith(" EUR")
    assert after.endswith(" EUR")
    assert any("it would be 'yes'" in case.note or "it would be 'no'" in case.note for case in result.cases)


def test_a_forest_is_flipped_by_the_input_it_uses():
    chance = np.random.default_rng(0)
    rows = chance.standard_normal((300, 2))
    inputs = np.column_stack([rows, np.eye(3)[chance.integers(0, 3, 300)]]).astype(np.float32)
    model = EstimatorModule(RandomForestClassifier(10, max_depth=3, random_state=0).fit(inputs, (rows[:, 0] > 0).astype(int)))
    result = audit(subject_of(model), rows=15, cases=0)
    assert measure(result, "validity").value == 1
    assert result.tables[0].rows[0][0] == "income"
    assert result.tables[0].rows[0][2] >= 13


def test_what_flips_is_decided_so_by_the_task_itself():
    subject = subject_of(Rule())
    result = audit(subject, rows=20, towards="yes")
    decided = subject.predictions.frame["y_pred"]
    assert measure(result, "validity").n == min(20, (decided == "no").sum())
    assert all(case.decision == "no" for case in result.cases)


def test_a_missing_value_is_no_option():
    subject = subject_of(Rule())
    subject.train.raw.loc[:99, "income"] = np.nan
    income = options_of(SCHEMA.features, subject.train, ())[0]
    assert income.rows.min() >= 100


def test_no_way_to_flip_is_said_so():
    model = Rule((0.0, 1.0, 0.0, 0.0, 0.0))
    result = audit(subject_of(model), rows=10)
    assert measure(result, "validity").value == 0
    assert measure(result, "distance").undefined
    assert all(case.note == "Nothing that may change flips it." for case in result.cases)


def test_what_it_cannot_do_is_not_applicable():
    assert "not flipped" in audit(toy_subject("value")).not_applicable
    everything = [feature.name for feature in SCHEMA.features]
    assert "no input may change" in audit(subject_of(Rule()), immutable=everything).not_applicable
    assert "trained on" in audit(replace(subject_of(Rule()), train=None)).not_applicable


@pytest.mark.parametrize("setting", [{"immutable": ["incom"]}, {"towards": "maybe"}, {"rows": 0}])
def test_settings_that_mean_nothing_are_refused(setting):
    with pytest.raises(SettingsError):
        audit(subject_of(Rule()), **setting)


def test_all_combinations_of_two_inputs_find_nothing_nearer_by_much():
    subject = subject_of(Rule((1.0, 1.0, 0.0, 0.0, 0.0)), n=40)
    result = audit(subject, rows=40, immutable=["home"], cases=0, changes=2)
    rows = subject.predictions.source.inputs[0].numpy()
    flips = 0
    for row in rows:
        pairs = itertools.product(rows[:, 0], rows[:, 1])
        flips += any((a + b > 0) != (row[0] + row[1] > 0) for a, b in pairs)
    assert measure(result, "validity").value == pytest.approx(flips / 40)

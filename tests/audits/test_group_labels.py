"""Labels that are wrong on one side in one group are found; groups that truly differ raise nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench.testing import toy_subject
from glassbench_audits.data.capped_curve import Scored, excess, limits
from glassbench_audits.data.labels import examine_labels

ROWS = 3000


@pytest.fixture(scope="module")
def blank():
    return toy_subject(rows=60, steps=0)


def people(seed, *, lower=0.0, flatter=1.0, classes=2):
    """Inputs, the region among them, classes by their sum, and the groups: the region takes part as asked, the clinic never."""
    chance = np.random.default_rng(seed)
    region, x = chance.integers(0, 3, ROWS), chance.normal(size=(ROWS, 4))
    odds = 2.5 * (x[:, 0] + 0.7 * x[:, 1] - 0.5 * x[:, 2])
    odds = np.where(region == 2, flatter * odds - lower, odds) + chance.logistic(size=ROWS)
    answer = (odds > 0).astype(int) + ((odds > 3).astype(int) if classes == 3 else 0)
    groups = pd.DataFrame({"region": np.array(["north", "south", "west"])[region], "clinic": chance.choice(["A", "B"], ROWS)})
    return np.column_stack([x, region == 2]), answer, groups


def subject(blank, inputs, answer, groups, clusters=None):
    cut, order, splits = ROWS * 3 // 4, np.random.default_rng(9).permutation(ROWS), []
    for part in (order[:cut], order[cut:]):
        rows, target = torch.as_tensor(inputs[part]).float(), torch.as_tensor(answer[part])
        held = None if clusters is None else clusters[part]
        told = groups.iloc[part].reset_index(drop=True)
        splits.append(Split(inputs=(rows,), rows=part, target=target, groups=told, clusters=held))
    names = ("no", "yes", "surely")[: int(answer.max()) + 1]
    schema = replace(blank.schema, target=replace(blank.schema.target, classes=names, positive=None), features=())
    return replace(blank, schema=schema, train=splits[0], predictions=replace(blank.predictions, source=splits[1]))


def turned(answer, chosen, klass, share, into, seed=3):
    wrong = chosen & (answer == klass) & (np.random.default_rng(seed).random(len(answer)) < share)
    return np.where(wrong, into, answer), wrong


def said(made):
    return [f.sentence for f in examine_labels(made, 0.03, 5000).findings if f.sentence.startswith("Labels of ") and f.group]


@pytest.mark.slow
def test_labels_wrong_on_one_side_in_one_group_are_found_and_listed(blank):
    inputs, answer, groups = people(1)
    answer, wrong = turned(answer, (groups["region"] == "west").to_numpy(), 1, 0.3, 0)
    result = examine_labels(subject(blank, inputs, answer, groups), 0.03, 5000)
    (found,) = [f for f in result.findings if f.sentence.startswith("Labels of ") and f.group]
    assert (found.grade, found.group) == ("concern", {"region": "west"})
    measure = next(m for m in result.measures if m.name == "data.group_label_errors" and m.group is not None)
    assert measure.low < 0.3 < measure.high
    (table,) = [t for t in result.tables if "west" in t.title]
    assert np.isin([int(row[0]) for row in table.rows], np.flatnonzero(wrong)).mean() > 0.7


@pytest.mark.slow
def test_a_group_whose_labels_are_wrong_on_both_sides_has_one_measure(blank):
    inputs, answer, groups = people(1)
    west = (groups["region"] == "west").to_numpy()
    swapped = np.where(west & (np.random.default_rng(3).random(ROWS) < 0.3), 1 - answer, answer)
    result = examine_labels(subject(blank, inputs, swapped, groups), 0.03, 5000)
    (finding,) = [f for f in result.findings if f.sentence.startswith("Labels of ") and f.group]
    assert finding.sentence.count("ought to be “") == 2
    assert {t.title for t in result.tables} >= {f"Labels of region “west” that may be “{name}”" for name in ("no", "yes")}
    (measure,) = [m for m in result.measures if m.name == "data.group_label_errors" and m.group is not None]
    assert (measure.group, measure.value > 0.1) == ({"region": "west"}, True)


@pytest.mark.slow
def test_the_other_class_of_another_column_is_found(blank):
    """Of three classes the last goes unlabelled at one clinic, which no input names."""
    inputs, answer, groups = people(6, classes=3)
    answer, _ = turned(answer, (groups["clinic"] == "B").to_numpy(), 2, 0.35, 0)
    (sentence,) = said(subject(blank, inputs, answer, groups))
    assert "Labels of clinic “B” look wrong" in sentence
    assert "ought to be “surely”" in sentence


SLOW = [pytest.param(effect, marks=pytest.mark.slow) for effect in ({}, {"classes": 3}, {"lower": -2.0})]


@pytest.mark.parametrize("effect", [{"lower": 2.0}, {"flatter": 0.4}, *SLOW])
def test_a_group_that_truly_differs_has_no_wrong_labels(blank, effect):
    inputs, answer, groups = people(4, **effect)
    assert said(subject(blank, inputs, answer, groups)) == []


@pytest.mark.slow
def test_labels_that_are_wrong_everywhere_are_no_matter_of_one_group(blank):
    inputs, answer, groups = people(5)
    answer, _ = turned(answer, np.ones(ROWS, bool), 1, 0.3, 0)
    assert said(subject(blank, inputs, answer, groups)) == []


def curves(seed, missed, n=4000):
    chance = np.random.default_rng(seed)
    score, group = chance.normal(0, 2, n), chance.random(n) < 0.3
    odds = np.where(group, 0.7 * score - 1, score)
    labelled = chance.random(n) < np.where(group, 1 - missed, 1) / (1 + np.exp(-odds))
    return Scored(score=score, labelled=labelled, group=group, clusters=np.arange(n))


def test_the_share_that_is_missing_at_the_top_is_estimated_with_its_interval():
    rows = curves(0, 0.25)
    found = excess(rows, 0.03)
    low, high = limits(found, rows, 0.025)
    assert found.p < 0.01
    assert 0.03 < low < 0.25 < high < 0.5


def test_rows_that_hang_together_count_less():
    """Each row stands five times: the interval is that of the rows themselves."""
    rows = curves(0, 0.2)
    five = Scored(**{name: np.repeat(getattr(rows, name), 5) for name in ("score", "labelled", "group", "clusters")})
    one, many = (excess(part, 0.03) for part in (rows, five))
    assert many.design == pytest.approx(5, rel=0.01)
    assert many.p == pytest.approx(one.p, rel=0.3)


@pytest.mark.slow
def test_the_p_value_is_one():
    """Of 200 groups that miss what is let pass, at most as many as chance allows have a p-value below .05."""
    alarms = sum(excess(curves(seed, 0.03, 1500), 0.03).p < 0.05 for seed in range(200))
    assert alarms <= 17

"""What searches for thresholds, offsets, weights and draws count, on tables of a few rows worked out by hand."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench_plugins.mitigation.least_cost import could_be_best, least_cost, row_costs, thresholds
from glassbench_plugins.mitigation.offset_search import ClassScores, _asked, _gap, _Rates
from glassbench_plugins.mitigation.randomized import positive_probability, uniform_of_rows
from glassbench_plugins.mitigation.reductions import ReducedClassifier
from glassbench_plugins.mitigation.resampling import Resampling
from glassbench_plugins.mitigation.reweighing import expected_over_observed
from glassbench_plugins.mitigation.threshold_search import _Curve, _nearest, best_trade


@pytest.mark.parametrize(
    ("gaps", "least", "tolerance", "expected"),
    [
        ([0.1, 0.1, 0.3, 0.1], 0.0, 0.0, 1),  # of equal gaps the most accurate
        ([0.1, 0.2, 0.3, 0.1], 0.75, 0.0, 1),  # of those accurate enough the smallest gap
        ([0.1, 0.2, 0.3, 0.1], 0.7, 0.1, 0),  # a gap of just the tolerance counts as alike, an accuracy of just the least is kept
        ([0.1, 0.2, 0.3, 0.1], 0.0, 0.25, 1),
        ([0.1, 0.2, 0.3, 0.1], 0.95, 0.9, 1),  # none is accurate enough: the most accurate
    ],
)
def test_of_candidates_that_trade_accuracy_for_a_gap_the_right_one_is_taken(gaps, least, tolerance, expected):
    accuracy = np.array([0.7, 0.9, 0.8, 0.6])
    assert best_trade(accuracy, np.array(gaps), least=least, tolerance=tolerance) == expected


def test_of_thresholds_equally_near_to_a_rate_the_most_accurate_is_taken():
    curve = _Curve(np.arange(4.0), np.array([[0.2], [0.2], [0.8], [0.8]]), np.array([5.0, 9.0, 7.0, 6.0]))
    picks = _nearest(curve)
    assert picks[0] == picks[80] == 1
    assert picks[-1] == picks[320] == 2
    assert picks[200] == 1  # as near to either


def test_of_several_cheapest_thresholds_the_middle_one_is_taken():
    """From .4 on every threshold up to .8 decides the six rows rightly but for one, whatever it is of."""
    score = np.array([0.1, 0.3, 0.5, 0.6, 0.7, 0.9])
    truth = np.array([False, False, True, False, True, True])
    found = least_cost(score, truth, np.ones(6), 1.0, 1.0)
    # Wrong at 0, .2, .4, .55, .65, .8 and above all: 3, 2, 1, 2, 1, 2, 3 rows.
    assert (found.threshold, found.cost) == (pytest.approx(0.65), pytest.approx(1 / 6))
    flat = least_cost(np.array([0.2, 0.4, 0.6, 0.8]), np.array([False, True, False, True]), np.ones(4), 1.0, 1.0)
    assert thresholds(np.array([0.2, 0.4, 0.6, 0.8]))[1:4] == pytest.approx([0.3, 0.5, 0.7])
    assert flat.threshold == pytest.approx(0.7)  # of .3 and .7, which both cost one row
    one = least_cost(np.array([0.2, 0.4, 0.6]), np.array([False, False, False]), np.ones(3), 1.0, 1.0)
    assert one.threshold > 0.6
    assert (one.cost, one.low <= one.threshold <= one.high) == (0.0, True)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_row_costs_at_every_threshold_says_nothing_of_which_is_the_best(seed):
    chance = np.random.default_rng(seed)
    score = chance.random(300).round(2)
    truth, share = chance.random(300) < score, np.full(300, 1 / 300)
    costs = row_costs(score, truth, thresholds(score), 3.0, 1.0)
    more = costs + 40 * chance.normal(size=(300, 1))
    found = could_be_best(costs, share @ costs, share)
    assert 1 < found.sum() < len(found)
    assert could_be_best(more, share @ more, share).tolist() == found.tolist()


def test_rows_that_weigh_nothing_leave_the_set_of_best_thresholds_as_it_is():
    chance = np.random.default_rng(1)
    costs = np.array([0.0, 1.0]) + 0.1 * chance.normal(size=(100, 2))
    wild = np.concatenate([costs, [[900.0, -900.0], [-900.0, 900.0]]])
    share = np.append(np.full(100, 1 / 100), [0.0, 0.0])
    assert could_be_best(wild, share @ wild, share).tolist() == [True, False]


def class_scores(margins: list[float], held: list[float]) -> ClassScores:
    n = len(margins)
    logs = np.stack([np.zeros(n), -np.array(margins), np.full(n, -50.0)], axis=1)
    codes = np.zeros(n, dtype=np.int64)
    return ClassScores(logs, codes, codes, codes, np.array(held))


def test_the_median_margin_is_that_of_rows_as_often_as_they_count():
    assert class_scores([1, 2, 10], [1, 1, 1]).unit == 2
    assert class_scores([10, 1, 2], [4, 1, 1]).unit == 10
    assert class_scores([1, 2, 10, 4], [1, 1, 1, 1]).unit == 3
    assert class_scores([2, 4], [3, 3]).unit == class_scores([2, 2, 2, 4, 4, 4], [1] * 6).unit == 3
    assert class_scores([0, 0, 5], [1, 1, 1]).unit == 1


def test_a_group_without_rows_of_a_class_has_no_rate_of_it():
    """True positive rates of class a: 1/2 and 1 in the first two groups and none in the third; of b 1, 2/3 and 1/4 by weight."""
    groups, truth, choice = (
        np.array([0, 0, 0, 1, 1, 1, 2, 2]),
        np.array([0, 0, 1, 0, 1, 1, 1, 1]),
        np.array([0, 1, 1, 0, 1, 0, 1, 0]),
    )
    held = np.array([1.0, 1, 1, 1, 2, 1, 1, 3])
    rows = ClassScores(np.zeros((8, 2)), groups, truth, choice, held)
    asked = _asked(rows, "true_positive_rate_parity")
    assert _gap(rows, asked, choice) == pytest.approx(1 - 1 / 4)
    other = np.where(groups == 2, 1, choice)
    assert _gap(rows, asked, other) == pytest.approx(1 / 2)
    parts = [_Rates.of(torch.as_tensor(one), torch.as_tensor(groups), 3) for one in asked]
    found = float(parts[0].apart(torch.eye(2, dtype=torch.float64)[torch.as_tensor(choice)]))
    of_a, of_b = np.array([1 / 2, 1]), np.array([1, 2 / 3, 1 / 4])
    assert found == pytest.approx(((of_a - of_a.mean()) ** 2).sum() + ((of_b - of_b.mean()) ** 2).sum())


def test_cells_are_drawn_as_large_as_weights_say_and_rows_repeat_no_more_often_than_they_must():
    """By weight left is 1/2 and yes is 1/2 of all; left and yes meet in 1/3, so 3/4 of its eight rows are drawn, and so on."""
    groups = np.array(["left"] * 12 + ["right"] * 18)
    target = np.array([1] * 8 + [0] * 4 + [1] * 6 + [0] * 12)
    weights = np.array([2.0] * 8 + [2.0] * 4 + [4 / 3] * 6 + [4 / 3] * 12)
    table = expected_over_observed((groups == "right").astype(int), target, 2, 2, weights)
    assert table.tolist() == [[pytest.approx(1.5), pytest.approx(0.75)], [pytest.approx(0.75), pytest.approx(1.5)]]
    train = Split(
        inputs=(torch.zeros(30, 1),),
        rows=np.arange(30),
        target=torch.as_tensor(target),
        groups=pd.DataFrame({"side": groups}),
        weights=weights,
    )
    schema = Schema(
        modality="table", shape=(1,), target=Target(name="y", kind="class", classes=("no", "yes")), sensitive=("side",)
    )
    drawn = Resampling().training_rows(train, schema, 0)
    cells = Counter(zip(groups[drawn.rows], target[drawn.rows].tolist(), strict=True))
    assert cells == {("left", 1): 6, ("left", 0): 6, ("right", 1): 9, ("right", 0): 9}
    times = Counter(drawn.rows.tolist())
    assert {times[row] for row in range(8, 12)} | {times[row] for row in range(12, 18)} == {1, 2}
    assert {times[row] for row in range(8)} | {times[row] for row in range(18, 30)} == {0, 1}
    assert drawn.rows.tolist() == sorted(drawn.rows.tolist())
    alike = Resampling().training_rows(replace(train, weights=None), schema, 0)
    by_rows = Counter(zip(groups[alike.rows], target[alike.rows].tolist(), strict=True))
    assert by_rows[("left", 1)] == round(8 * (12 / 30) * (14 / 30) / (8 / 30))


def test_a_randomized_rule_mixes_its_operations_and_a_constant():
    rule = {
        "operations": [
            {"share": 0.25, "operator": ">", "threshold": 0.3},
            {"share": 0.75, "operator": "<", "threshold": 0.6},
        ],
        "ignored": 0.2,
        "constant": 0.5,
    }
    found = positive_probability(np.array([0.1, 0.3, 0.5, 0.6, 0.9]), rule)
    assert found == pytest.approx([0.1 + 0.8 * p for p in (0.75, 0.75, 1.0, 0.25, 0.25)])
    certain = positive_probability(np.array([0.5]), {**rule, "ignored": 0.0})
    assert certain == pytest.approx([1.0])


def test_draws_are_alike_for_equal_inputs_and_spread_evenly_over_others():
    inputs = torch.arange(2000, dtype=torch.float32).repeat(2)[:, None]
    source = Split(inputs=(inputs,), rows=np.arange(4000))
    score = np.linspace(0, 1, 4000)
    drawn = uniform_of_rows(Predictions(frame=pd.DataFrame({"row": range(4000)}), source=source), score)
    assert drawn[:2000].tolist() == drawn[2000:].tolist()
    assert np.histogram(drawn[:2000], bins=4, range=(0, 1))[0] == pytest.approx([500] * 4, abs=80)
    bare = uniform_of_rows(Predictions(frame=pd.DataFrame({"row": range(2)})), np.array([0.4, 0.4]))
    assert bare[0] == bare[1]


class Always:
    """A classifier that decides every row alike."""

    def __init__(self, decision: int) -> None:
        self.decision = decision

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), self.decision)


@pytest.mark.parametrize(
    ("weights", "share", "decided"), [((3.0, 1.0), 0.75, 1), ((1.0, 3.0), 0.25, 0), ((1.0, 1.0), 0.5, 0), ((0.2, 0.3), 0.4, 0)]
)
def test_a_mixture_decides_by_the_weight_of_its_fits_and_against_a_tie(weights, share, decided):
    mixture = ReducedClassifier()
    mixture.predictors_, mixture.weights_ = [Always(1), Always(0)], np.array(weights)
    assert mixture.predict_proba(np.zeros((2, 1))).tolist() == [[pytest.approx(1 - share), pytest.approx(share)]] * 2
    assert mixture.predict(np.zeros((2, 1))).tolist() == [decided] * 2


@pytest.mark.parametrize(
    ("constraint", "among"),
    [
        ("demographic_parity", [lambda truth, k: truth >= 0]),
        ("true_positive_rate_parity", [lambda truth, k: truth == k]),
        ("false_positive_rate_parity", [lambda truth, k: truth != k]),
        ("equalized_odds", [lambda truth, k: truth == k, lambda truth, k: truth != k]),
    ],
)
def test_the_gap_of_each_constraint_is_the_widest_of_its_rates_of_all_classes(constraint, among):
    """Rates of three classes in two groups of unequal size, by weights, summed up one by one."""
    for seed in range(8):
        chance = np.random.default_rng(seed)
        codes, truth, choice = (chance.integers(0, most, 60) for most in (2, 3, 3))
        held = chance.uniform(0.2, 3, 60)
        rows = ClassScores(np.zeros((60, 3)), codes, truth, choice, held)
        gaps = []
        for member, k in product(among, range(3)):
            rates = [
                np.average(choice[(codes == g) & member(truth, k)] == k, weights=held[(codes == g) & member(truth, k)])
                for g in (0, 1)
            ]
            gaps.append(abs(rates[0] - rates[1]))
        assert _gap(rows, _asked(rows, constraint), choice) == pytest.approx(max(gaps))

"""The arithmetic under explanations against brute force and small tables."""

from itertools import combinations, permutations
from math import comb
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.schema import Feature
from glassbench_audits.attribution.agreement import first_shared, leading, order_agreement, overlap, rounding
from glassbench_audits.attribution.baseline import Baseline, _statistic, _typical
from glassbench_audits.attribution.coalitions import Coalitions, all_sets, drawn
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.gradients import gauss_legendre, summed_gradients
from glassbench_audits.attribution.importance import importance
from glassbench_audits.attribution.response import Response
from glassbench_audits.attribution.shapley import fitted, shapley_values
from glassbench_audits.attribution.values import encoded_words, observed_words, words

UNITS = 4


def game(n=3):
    """Outputs of every set of four units `(16, n)`."""
    return np.random.default_rng(0).normal(size=(2**UNITS, n))


def over_all_orders(outputs):
    values = np.zeros((outputs.shape[1], UNITS))
    for order in permutations(range(UNITS)):
        code = 0
        for unit in order:
            values[:, unit] += outputs[code | 1 << unit] - outputs[code]
            code |= 1 << unit
    return values / 24


def test_shapley_values_are_means_over_all_orders():
    assert shapley_values(game()) == pytest.approx(over_all_orders(game()))


def test_values_fitted_over_all_coalitions_by_the_shapley_kernel_are_shapley_values():
    sets, outputs = all_sets(UNITS), game()
    inner = np.array([0 < s.sum() < UNITS for s in sets])
    sizes = sets[inner].sum(axis=1)
    weights = np.array([(UNITS - 1) / (comb(UNITS, k) * k * (UNITS - k)) for k in sizes])
    found = fitted(Coalitions(sets[inner], weights), outputs[inner] - outputs[0], outputs[-1] - outputs[0])
    assert found == pytest.approx(shapley_values(outputs), abs=1e-8)
    all_of_them = drawn(UNITS, 200, np.random.default_rng(0))
    codes = all_of_them.known @ (1 << np.arange(UNITS))
    assert sorted(codes) == list(range(1, 15))
    order = np.argsort(codes)
    assert all_of_them.weights[order] / all_of_them.weights.sum() == pytest.approx(weights / weights.sum())


def test_sets_are_the_bits_of_their_place():
    assert all_sets(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]


@pytest.mark.parametrize("steps", [1, 4])
def test_points_and_weights_integrate_polynomials_exactly(steps):
    points, weights = gauss_legendre(steps)
    for power in range(2 * steps):
        assert weights @ points**power == pytest.approx(1 / (power + 1))


def test_gradients_of_a_sum_are_those_of_each_row():
    inputs, factor = torch.tensor([[1.0, 2.0], [3.0, -1.0]], requires_grad=True), torch.tensor([[2.0], [5.0]])
    (found,) = summed_gradients(lambda x, f: (f * x**2).sum(dim=1), (inputs,), others=(factor,))
    assert found.tolist() == [[4, 8], [30, -10]]
    (alone,) = summed_gradients(lambda x: x.prod(dim=1), (inputs,))
    assert alone.tolist() == [[2, 1], [-1, 3]]


@pytest.mark.parametrize(("units", "top"), [(1, 1), (5, 1), (6, 2), (14, 4), (15, 5), (100, 5)])
def test_a_third_of_the_units_leads_five_at_most(units, top):
    assert leading(units) == top


def test_rounding_is_a_share_of_the_typical_largest():
    assert rounding(np.array([[1.0, -4.0], [2.0, 0.0]])) == pytest.approx(3e-5)
    assert rounding(np.empty((0, 2))) == 0.0


def test_how_many_of_the_largest_are_shared():
    a, b = np.array([[5.0, -4, 3, 0], [0, 0, 0, 0], [1, 0, 0, 0]]), np.array([[0.0, 9, -8, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert overlap(a, b, 2).tolist() == [0.5, 1.0, 0.0]
    assert overlap(a, b, 3).tolist() == [2 / 3, 1.0, 0.0]
    near = np.array([[1.0, 2.0, 3.0]])
    assert overlap(np.array([[3.0, 2.0, 1.0]]), near, 1, tolerance=1.9).tolist() == [0.0]
    assert overlap(np.array([[3.0, 2.0, 1.0]]), near, 1, tolerance=2.0).tolist() == [1.0]


def test_whether_the_first_is_shared_or_nearly():
    a = np.array([[3.0, 1.0], [3.0, 1.0], [-3.0, 2.5], [0.0, 0.0], [1.0, 0.0]])
    b = np.array([[1.0, 2.0], [1.6, 2.0], [1.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    assert first_shared(a, b).tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("signed", [True, False])
def test_orders_agree_by_pairs_weighted_by_how_far_they_are_apart(signed):
    a, b = np.array([[4.0, -3.0, 1.0, 0.0]]), np.array([[1.0, 2.0, -2.0, 0.5]])
    x, y = (a[0], b[0]) if signed else (abs(a[0]), abs(b[0]))
    above, below = 0.0, 0.0
    for i, j in combinations(range(4), 2):
        one, other = (x[i] - x[j]) / 8, (y[i] - y[j]) / 5.5
        above, below = above + (abs(one) + abs(other)) * np.sign(one) * np.sign(other), below + abs(one) + abs(other)
    assert order_agreement(a, b, signed=signed) == pytest.approx([above / below])


def test_orders_of_nothing_are_not_known_and_turned_ones_disagree():
    a = np.array([[3.0, 2.0, 1.0]])
    assert np.isnan(order_agreement(np.zeros((1, 3)), np.zeros((1, 3)))).all()
    assert order_agreement(a, -a).tolist() == [-1.0]
    assert order_agreement(a, -a, signed=False).tolist() == [1.0]


def test_importance_is_the_mean_size_and_its_interval_resamples_rows_or_clusters():
    attributions = np.array([[1.0, -4.0, 0.0], [-3.0, 2.0, 0.0]] * 20)
    found = importance(attributions, (), np.random.default_rng(0), replicates=200, level=0.9)
    assert found.mean.tolist() == [2.0, 3.0, 0.0]
    assert found.share.tolist() == [0.4, 0.6, 0.0]
    assert found.order.tolist() == [1, 0, 2]
    assert found.low[1] < 3 < found.high[1]
    assert (found.low[2], found.high[2]) == (0.0, 0.0)
    assert found.leaders.tolist() == ([1, 0] if found.high[0] >= found.low[1] else [1])
    wide = importance(attributions, (), np.random.default_rng(0), replicates=200, level=0.99)
    assert wide.high[0] - wide.low[0] > found.high[0] - found.low[0]
    paired = importance(
        attributions, (), np.random.default_rng(0), replicates=200, level=0.9, clusters=np.repeat(np.arange(20) * 7, 2)
    )
    assert (paired.low[0], paired.high[0]) == (2.0, 2.0)  # each cluster holds one of either
    assert importance(np.zeros((4, 2)), (), np.random.default_rng(0), replicates=20, level=0.9).share.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("low", "high", "leaders"), [([1, 2, 0.5], [2, 4, 1.9], [1, 0]), ([1, 2.1, 0.5], [2, 4, 1.9], [1])])
def test_units_lead_whose_interval_reaches_the_firsts(low, high, leaders):
    found = importance(np.array([[1.5, 3.0, 1.0]] * 4), (), np.random.default_rng(0), replicates=20, level=0.9)
    known = SimpleNamespace(order=found.order, low=np.array(low), high=np.array(high))
    assert type(found).leaders.fget(known).tolist() == leaders


def response():
    """Rows of three columns of which the last two are one unit; the explained number is 1 x0 + 10 x1 + 100 x2."""
    explained = SimpleNamespace(outputs=lambda rows: rows.inputs @ torch.tensor([1.0, 10.0, 100.0]))
    explainer = SimpleNamespace(explained=explained, feature_groups=SimpleNamespace(mask=torch.tensor([0, 1, 1])))
    return Response(explainer=explainer, rows=Rows(inputs=torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), target_index=None))


def test_the_answer_with_a_unit_as_each_donor_has_it():
    donors = torch.tensor([[7.0, 8.0, 9.0], [0.0, 1.0, 0.0], [2.0, 0.0, 1.0]])
    assert response().columns(1).tolist() == [1, 2]
    assert response().curves(1, donors).tolist() == [[981, 11, 101], [984, 14, 104]]
    assert response().curves(0, donors).tolist() == [[327, 320, 322], [657, 650, 652]]


def test_the_answer_with_units_as_each_rows_own_donor_has_them():
    donors = torch.tensor([[7.0, 8.0, 9.0], [0.0, 1.0, 0.0]])
    asked = response()
    assert asked.exchanged((1,), donors).tolist() == [981, 14]
    assert asked.exchanged((0, 1), donors).tolist() == [987, 10]
    assert asked.exchanged((), donors).tolist() == [321, 654]


NUMBER = Feature(name="age", columns=(0,), unit="years")
CATEGORY = Feature(name="job", kind="category", columns=(1, 2, 3), categories=("a", "b", "c"))


def test_a_typical_row_has_medians_and_the_commonest_categories():
    rows = torch.tensor([[1.0, 1, 0, 0], [5.0, 0, 0, 1], [2.0, 0, 0, 1]])
    assert _typical(rows, SimpleNamespace(features=(NUMBER, CATEGORY))).tolist() == [[2, 0, 0, 1]]
    assert _statistic(rows, "mean")[0].tolist() == pytest.approx([8 / 3, 1 / 3, 0, 2 / 3])
    assert _statistic(rows, "median").tolist() == [[2, 0, 0, 1]]
    assert _statistic(rows, "training-sample") is rows


def test_a_typical_row_marks_one_of_two_values_and_leaves_a_single_column_alone():
    """Of as many rows of either value the first is marked, though the medians of both columns are 0."""
    rows = torch.tensor([[1.0, 0, 0], [0.0, 1, 0], [1.0, 0, 1], [0.0, 1, 0]])
    sex = Feature(name="sex", kind="category", columns=(0, 1), categories=("f", "m"))
    flag = Feature(name="flag", kind="category", columns=(2,), categories=("yes",))
    assert _typical(rows, SimpleNamespace(features=(sex, flag))).tolist() == [[1, 0, 0]]


def test_rows_take_turns_among_several_baselines():
    baseline = Baseline(name="training-sample", values=torch.tensor([[1.0], [2.0]]))
    rows = Rows(inputs=torch.zeros(5, 1), target_index=None)
    assert baseline.matched(rows)[:, 0].tolist() == [1, 2, 1, 2, 1]


def test_values_as_a_person_reads_them():
    raw = pd.DataFrame({"age": [41.0, np.nan], "job": ["b", "c"], "there": [True, False]})
    assert (words(NUMBER, raw, 0), words(NUMBER, raw, 1), words(CATEGORY, raw, 1)) == ("41 years", "missing", "c")
    assert words(Feature(name="there", columns=(0,)), raw, 0) == "True"
    assert (words(NUMBER, None, 0), words(Feature(name="x", columns=(0,)), raw, 0)) == (None, None)
    encoded = np.array([1.5, 0, 1, 0])
    assert (encoded_words(CATEGORY, encoded), encoded_words(CATEGORY, np.zeros(4))) == ("b", "none that is known")
    assert encoded_words(NUMBER, encoded) == "1.5 (encoded)"
    assert (observed_words(NUMBER, encoded), observed_words(CATEGORY, encoded)) == ("1.5 years", "b")

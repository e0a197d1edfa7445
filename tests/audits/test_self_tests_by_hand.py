"""Verdicts of an explanation's self-tests worked out by hand: which figure decides, and from where on it does."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from glassbench.contracts.evidence import Measure
from glassbench.stats.intervals import student_interval
from glassbench_audits.explain.checks.consistency import _Beside
from glassbench_audits.explain.checks.deletion import Curves, _cuts
from glassbench_audits.explain.checks.faithfulness import _ahead, _removed
from glassbench_audits.explain.checks.infidelity import left_over
from glassbench_audits.explain.checks.permutation_test import _rank_p
from glassbench_audits.explain.checks.randomization import Stage
from glassbench_audits.explain.checks.reliability import Check, Outcome, weakest


def measure(value: float, low: float | None = None, high: float | None = None) -> Measure:
    return Measure(name="explain.x", value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("order", "first", "outcome"),
    [(0.6, 0.5, "passed"), (0.6, 0.49, "weak"), (0.59, 0.9, "weak"), (0.29, 0.9, "failed"), (0.9, 0.24, "failed")],
)
def test_two_methods_agree_only_where_orders_and_first_inputs_do(order, first, outcome):
    beside = _Beside(order=measure(order), first=measure(first), top=measure(1.0))
    assert beside.outcome == outcome
    assert beside.margin == pytest.approx(min((order - 0.6) / 0.3, (first - 0.5) / 0.25))


@pytest.mark.parametrize(("low", "high", "outcome"), [(0.01, 0.2, "passed"), (-0.1, 0.2, "weak"), (-0.2, 0.0, "failed")])
def test_an_advantage_over_chance_is_there_where_its_whole_interval_is(low, high, outcome):
    assert _ahead(low, high) == outcome


@pytest.mark.parametrize(
    ("advantage", "outcome"),
    [((0.5, 0.4, 0.6), "passed"), ((0.5, -0.1, 0.6), "weak"), ((0.35, 0.3, 0.4), "weak"), ((0.2, 0.1, 0.3), "failed")],
)
def test_an_order_must_be_ahead_of_chance_and_near_the_best_that_is_known(advantage, outcome):
    """The best order known is 0.55 ahead: four fifths of that pass, half of it fails."""
    found = _removed("deletion", "", measure(*advantage), measure(0.3, 0.2, 0.4), 0.55, None)
    assert found.outcome == outcome
    assert found.more[1].value == pytest.approx(advantage[0] / 0.55)
    none = _removed("deletion", "", measure(*advantage), measure(0.3, 0.2, 0.4), 0.04, None)
    assert none.outcome == "not applicable"


def test_what_random_orders_leave_is_read_backwards_to_be_what_they_put_in():
    curves = Curves(
        share=np.array([0.25, 0.75]), deletion=np.array([[0.2, 0.1]]), insertion=np.array([[0.6, 0.9]]),
        random=np.array([[0.8, 0.3]]), whole=np.array([1.0]), best_deletion=0.4, best_insertion=0.3,
    )  # fmt: skip
    assert curves.random_insertion.tolist() == [[0.3, 0.8]]
    assert curves.deletion_advantage == pytest.approx([0.55 - 0.15])
    assert curves.insertion_advantage == pytest.approx([0.75 - 0.55])
    assert _cuts(10, 4).tolist() == [1, 4, 6, 9]


def test_what_contributions_leave_untold_is_the_rest_of_a_regression_through_the_origin():
    drawn = np.random.default_rng(0)
    gone, attributions, changes = drawn.random((30, 4, 5)) < 0.5, drawn.normal(size=(4, 5)), drawn.normal(size=(30, 4))
    expected = []
    for row in range(4):
        told = gone[:, row] @ attributions[row]
        slope = (told @ changes[:, row]) / (told @ told)
        expected.append(np.mean((changes[:, row] - slope * told) ** 2))
    assert_allclose(left_over(gone, attributions, changes), expected)


def test_the_p_value_of_a_permutation_counts_the_order_that_was_seen():
    null = np.arange(99.0)
    assert [_rank_p(value, null) for value in (200.0, 98.0, 97.5, -1.0)] == pytest.approx([0.01, 0.02, 0.02, 1.0])


def test_what_was_learnt_is_lost_unless_every_network_drawn_still_ranks_rows_so():
    stages = {
        kept: Stage(depth=1, correlations=np.array([0.1, 0.3, np.nan]), kept=np.array(kept))
        for kept in ((0.9, 0.8), (0.9, 0.4), (0.1, 0.2))
    }
    assert [one.forgotten for one in stages.values()] == [False, True, True]
    one = stages[0.9, 0.8]
    assert one.mean == pytest.approx(0.2)
    low, high = student_interval(np.array([0.1, 0.3]), 0.95)
    assert one.interval(0.95) == pytest.approx((max(-1, low), min(1, high)))


def check(name: str, outcome: Outcome, margin: float = math.inf) -> Check:
    return Check(name=name, outcome=outcome, result="", meaning="", measure=measure(0.0), margin=margin)


def test_the_weakest_self_test_is_the_worst_and_of_several_the_one_nearest_to_failing():
    passed = [check("far", "passed", 3.0), check("near", "passed", 0.1), check("sure", "passed")]
    failed = [check("by far", "failed", -4.0), check("hardly", "failed", -1.1)]
    skipped = [check("none", "not applicable", -9.0)]
    assert weakest(passed).name == "near"
    assert weakest([*passed, check("weak", "weak", -0.2), *skipped]).name == "weak"
    assert weakest([*passed, *failed]).name == "by far"
    assert weakest(skipped) is None

"""The interval of a candidate that was chosen for its value, against closed forms."""

import math

import numpy as np
import pytest
from scipy import stats

from glassbench.stats.best_of_many import Repeated, SeedVariance, intervals_at_once, shared_variance, simultaneous_level
from glassbench.stats.estimate import Estimate

Z = float(stats.norm.ppf(0.975))


def repeated(*values, error=0.1):
    return Repeated(estimates=[Estimate(value=v, low=v - Z * error, high=v + Z * error) for v in values])


def test_one_run_alone_keeps_its_own_interval():
    one = repeated(0.7)
    assert intervals_at_once([one]) == [pytest.approx((0.7 - Z * 0.1, 0.7 + Z * 0.1))]


def test_among_twenty_the_arms_are_bonferronis():
    told = intervals_at_once([repeated(0.7) for _ in range(20)])
    arm = float(stats.norm.ppf(1 - 0.05 / 40)) * 0.1
    assert told[3] == pytest.approx((0.7 - arm, 0.7 + arm))


def test_arms_of_different_length_stay_so():
    one = Repeated(estimates=[Estimate(value=0.9, low=0.7, high=0.95)])
    low, high = one.interval(0.99)
    assert (0.9 - low) / (high - 0.9) == pytest.approx(4.0)


def test_seeds_without_rows_give_the_interval_of_student():
    values = [0.6, 0.7, 0.9]
    low, high = repeated(*values, error=0.0).interval(0.95)
    arm = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / math.sqrt(3)
    assert (low, high) == pytest.approx((np.mean(values) - arm, np.mean(values) + arm))


def test_the_variance_of_seeds_is_pooled_and_never_makes_an_interval_narrower():
    steady, moving = repeated(0.7, 0.7, 0.7), repeated(0.5, 0.7, 0.9)
    shared = shared_variance([steady, moving])
    assert shared == SeedVariance(pytest.approx(0.02), 4)
    widths = [np.diff(one.interval(0.95, shared))[0] - np.diff(one.interval(0.95))[0] for one in (steady, moving)]
    assert widths[0] > 0
    assert widths[1] == pytest.approx(0)


@pytest.mark.parametrize("broken", [Estimate(value=None, undefined="no row of that group"), Estimate(value=0.5)])
def test_what_has_no_value_or_no_interval_gets_none_and_leaves_the_others_theirs(broken):
    told = intervals_at_once([Repeated(estimates=[broken]), repeated(0.7)])
    assert told[0] is None
    assert told[1] is not None


def test_a_candidate_without_runs_has_no_value():
    assert Repeated(estimates=[]).undefined
    assert math.isnan(Repeated(estimates=[]).value)


def test_the_level_of_each_interval_falls_with_the_number_of_candidates():
    assert simultaneous_level(0.95, 1) == pytest.approx(0.95)
    assert simultaneous_level(0.9, 10) == pytest.approx(0.99)


def test_the_winner_of_candidates_that_are_alike_is_held_where_its_own_interval_fails():
    generator = np.random.default_rng(3)
    held = np.zeros(2)
    for _ in range(300):
        told = [repeated(value) for value in 0.5 + 0.1 * generator.normal(size=20)]
        best = max(range(20), key=lambda place: told[place].value)
        for way, (low, high) in enumerate((intervals_at_once(told)[best], told[best].interval(0.95))):
            held[way] += low <= 0.5 <= high
    assert held[0] >= 0.93 * 300
    assert held[1] <= 0.75 * 300


def test_rows_and_seeds_share_the_degrees_of_freedom_as_satterthwaite_has_it() -> None:
    values, error = [0.6, 0.7, 0.9], 0.1
    between = np.var(values, ddof=1) / 3
    freedom = (error**2 + between) ** 2 / (between**2 / 2)  # the rows' part of the variance has infinitely many
    arm = stats.t.ppf(0.975, freedom) * math.sqrt(error**2 + between)
    low, high = repeated(*values, error=error).interval(0.95)
    assert (low, high) == pytest.approx((np.mean(values) - arm, np.mean(values) + arm))

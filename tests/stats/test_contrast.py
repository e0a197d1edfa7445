"""Differences of numbers between two samples, against closed forms and hand-made tables."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from glassbench.stats.contrast import independent, paired_mean, paired_share, standard_error
from glassbench.stats.estimate import Estimate
from glassbench.stats.gap_contrast import gap_contrast
from glassbench.stats.group_numbers import GroupNumbers
from glassbench.stats.intervals import wilson


def of_table(b, c, n):
    """The difference of two shares of n rows, of which b are right in the second sample alone, and c in the first."""
    value = (b - c) / n
    return paired_share(value, math.sqrt(b + c - (b - c) ** 2 / n) / n, n)


@pytest.mark.parametrize(("b", "c"), [(9, 3), (12, 1), (30, 30), (5, 0)])
def test_the_test_of_paired_shares_is_mcnemars(b, c):
    assert of_table(b, c, 200).p == pytest.approx(2 * norm.sf(abs(b - c) / math.sqrt(b + c)))


def test_an_end_is_the_difference_that_the_score_test_just_does_not_reject():
    low, high = of_table(12, 4, 100).limits(0.95)
    for end in (low, high):
        variance = (max(16, 100 * abs(end)) - 100 * end**2) / 100**2
        assert abs(0.08 - end) / math.sqrt(variance) == pytest.approx(1.96, abs=1e-3)


def test_an_interval_leaves_zero_out_just_where_the_test_rejects():
    for b, c in ((6, 0), (9, 2), (8, 2), (15, 5), (14, 6), (40, 22)):
        found = of_table(b, c, 120)
        assert (found.limits(0.95)[0] > 0) == (found.p < 0.05)


def test_rows_all_alike_leave_a_difference_possible():
    assert of_table(0, 0, 20).limits(0.95)[1] == pytest.approx(1.96**2 / (20 + 1.96**2), abs=1e-3)


def test_independent_shares_have_newcombes_interval():
    (low_a,), (high_a,) = wilson(np.array([56.0]), np.array([70.0]))
    (low_b,), (high_b,) = wilson(np.array([48.0]), np.array([80.0]))
    first = Estimate(value=0.6, low=float(low_b), high=float(high_b))
    found = independent(first, Estimate(value=0.8, low=float(low_a), high=float(high_a)))
    assert found.limits(0.95) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert independent(first, Estimate(value=0.8)) is None


SKEWED = Estimate(value=0.6, low=0.35, high=0.7), Estimate(value=0.8, low=0.75, high=0.95)


@pytest.mark.parametrize(
    "found",
    [
        of_table(9, 3, 200),
        of_table(3, 12, 200),
        paired_share(0.1, 0.04, 50, 12.0),
        paired_mean(1.3, 0.8, 30, 7.0),
        paired_mean(-1.3, 0.8, 30, 7.0),
        independent(*SKEWED),
        independent(*SKEWED[::-1]),
        independent(*SKEWED, biased=True),
        independent(*SKEWED[::-1], biased=True),
    ],
)
def test_a_p_value_is_the_level_at_which_the_interval_just_reaches_no_difference(found):
    assert 0 < found.p < 1
    low, high = found.limits(1 - found.p)
    assert (low if found.value > 0 else high) == pytest.approx(0, abs=1e-6)
    for level in (0.5, 0.95, 0.99):
        low, high = found.limits(level)
        assert low < found.value < high
        assert (low > 0 or high < 0) == (found.p < 1 - level)
        assert (found.estimate(level).low, found.estimate(level).high) == (low, high)


def test_arms_that_face_each_other_add_up_as_squares_and_in_full_where_both_may_be_overstated():
    """Low ends: .8 lies .05 above its low end, .6 lies .1 below its high end; high ends: .15 and .25."""
    below, above = math.hypot(0.05, 0.1), math.hypot(0.15, 0.25)
    assert independent(*SKEWED).limits(0.95) == pytest.approx((0.2 - below, 0.2 + above))
    assert independent(*SKEWED[::-1]).limits(0.95) == pytest.approx((-0.2 - above, -0.2 + below))
    assert independent(*SKEWED, biased=True).limits(0.95) == pytest.approx((0.2 - 0.15, 0.2 + 0.4))
    narrow = Estimate(value=0.8, low=0.8 - 0.05 * 1.6449 / 1.96, high=0.95, level=0.9)
    assert independent(SKEWED[0], narrow).limits(0.95)[0] == pytest.approx(0.2 - below, abs=1e-4)


def test_values_that_move_without_varying_have_no_interval():
    found = paired_mean(1.0, 0.0, 30, 29)
    assert math.isnan(found.limits(0.95)[0])
    assert math.isnan(found.p)


def test_a_number_undefined_in_most_resamples_has_no_error():
    assert math.isnan(standard_error(np.array([1.0, np.nan, np.nan]), 10))


def groups(generator, value, error, replicates=2000):
    value = np.array(value)
    draws = value + error * generator.standard_normal((replicates, len(value)))
    return GroupNumbers(value=value, draws=draws, metric=np.zeros(len(value), dtype=int), n=np.full(len(value), np.inf))


def test_the_end_of_a_gaps_difference_allows_for_the_choice_of_the_widest_pair():
    """The first gap is |x| of a normal x, so that ends are quantiles of the larger and the smaller of two normals."""
    generator = np.random.default_rng(0)
    first, second = groups(generator, [0.5, 0.5], 0.01), groups(generator, [0.5, 0.9], 0.01)
    found = gap_contrast(first, second, "difference", units=10**6, df=math.inf, same_rows=False)
    below, above = norm.ppf(1 - 0.025**0.5), norm.ppf(0.975**0.5)
    assert found.value == pytest.approx(0.4)
    assert found.limits(0.95) == pytest.approx((0.4 - 0.02 * below, 0.4 + 0.02 * above), abs=0.003)


def test_a_gap_that_is_sure_in_both_runs_has_the_interval_of_its_pair():
    """No other pair can be the widest, so that the difference is that of two normal variables; the p-value follows their tail."""
    generator = np.random.default_rng(3)
    first, second = groups(generator, [0.3, 0.5], 0.01), groups(generator, [0.3, 0.56], 0.01)
    found = gap_contrast(first, second, "difference", units=10**6, df=math.inf, same_rows=False)
    assert found.limits(0.95) == pytest.approx((0.06 - 1.96 * 0.02, 0.06 + 1.96 * 0.02), abs=0.003)
    assert found.p == pytest.approx(2 * norm.sf(3), rel=0.5)


def test_few_degrees_of_freedom_widen_an_interval():
    generator = np.random.default_rng(4)
    first, second = groups(generator, [0.3, 0.5], 0.01), groups(generator, [0.3, 0.56], 0.01)
    wide, sure = (gap_contrast(first, second, "difference", units=10**6, df=df, same_rows=False) for df in (4.0, math.inf))
    assert np.ptp(wide.limits(0.95)) / np.ptp(sure.limits(0.95)) == pytest.approx(2.776 / 1.96, rel=0.01)
    assert wide.p > sure.p


@pytest.mark.parametrize("many", [2, 6])
def test_a_gap_made_by_chance_is_no_sure_difference(many):
    """The first run is noisy, the second is not, and no group of either differs in truth."""
    generator, alarms = np.random.default_rng(1), 0
    for _ in range(200):
        first = groups(generator, generator.normal(0.5, 0.05, many), 0.05, 300)
        second = groups(generator, generator.normal(0.5, 0.001, many), 0.001, 300)
        alarms += gap_contrast(first, second, "difference", units=500, df=math.inf, same_rows=False).p <= 0.05
    assert alarms <= 16


def test_a_ratio_is_better_when_it_rises():
    generator = np.random.default_rng(2)
    first, second = groups(generator, [0.4, 0.8], 0.01), groups(generator, [0.7, 0.8], 0.01)
    found = gap_contrast(first, second, "ratio", units=10**6, df=math.inf, same_rows=False)
    assert found.value == pytest.approx(0.7 / 0.8 - 0.5)
    assert 0 < found.limits(0.95)[0] < found.value < found.limits(0.95)[1]


def rare_rates(generator, rates, rows, replicates=400):
    """Return shares of rare events with resamples, as groups of few rows have them."""
    counts = generator.binomial(rows, rates)
    draws = generator.binomial(rows, counts / rows, (replicates, len(counts))) / rows
    return GroupNumbers(value=counts / rows, draws=draws, metric=np.zeros(len(counts), dtype=int), n=np.full(len(counts), rows))


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_gaps_of_rare_events_that_are_alike_raise_no_alarm_and_intervals_say_what_p_values_say(kind):
    """Resampled ratios to a share near nothing have a mean far from their value; an alarm of 16 in 200 has a chance of 2 %."""
    generator, alarms = np.random.default_rng(5), 0
    for _ in range(200):
        first, second = (rare_rates(generator, [0.04, 0.06, 0.08, 0.05], 60) for _ in range(2))
        found = gap_contrast(first, second, kind, units=240, df=math.inf, same_rows=False)
        if found is None:
            continue
        low, high = found.limits(0.95)
        assert low <= found.value <= high
        assert (low > 0 or high < 0) == (found.p < 0.05)
        alarms += found.p < 0.05
    assert alarms <= 16


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_a_small_group_without_a_hit_in_one_run_raises_no_alarm(kind):
    """Corrected for 60 measures, as a comparison of runs is: resamples of a rate of 0 say nothing of how far chance moves it."""
    generator, alarms = np.random.default_rng(8), 0
    for _ in range(300):
        runs = []
        for _ in range(2):
            rows = np.array([6, 12, 60])
            counts = generator.binomial(rows, 0.6)
            draws = generator.binomial(rows, counts / rows, (400, 3)) / rows
            runs.append(GroupNumbers(value=counts / rows, draws=draws, metric=np.zeros(3, dtype=int), n=rows))
        alarms += gap_contrast(*runs, kind, units=78, df=math.inf, same_rows=False).p < 0.05 / 60
    assert alarms <= 3  # 0.25 expected


def test_one_group_has_no_gap():
    one = groups(np.random.default_rng(0), [0.5], 0.1)
    assert gap_contrast(one, one, "difference", units=10, df=9.0, same_rows=True) is None


def test_a_difference_of_independent_samples_rests_on_the_smaller_one() -> None:
    few, many = (Estimate(value=0.5, low=0.4, high=0.6, n=n) for n in (40, 900))
    unknown = Estimate(value=0.5, low=0.4, high=0.6)
    assert [independent(*pair).n for pair in ((few, many), (many, few), (many, unknown), (unknown, unknown))] == [
        40,
        40,
        900,
        None,
    ]

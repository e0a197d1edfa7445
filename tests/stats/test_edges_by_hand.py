"""Numbers at the edges of what they are of: few and unequal clusters, bounds, halves, equal values, each worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logit

from glassbench.stats.clusters import correlation, crossed, design_effect, effective_rows, leverage
from glassbench.stats.contrast import independent, paired_mean, paired_share, standard_error
from glassbench.stats.estimate import Estimate
from glassbench.stats.group_numbers import GroupNumbers
from glassbench.stats.inference import from_influence, logit_limits, mean, share, studentized
from glassbench.stats.intervals import mover_ratio, percentile, student_interval
from glassbench.stats.more_rows import more_rows
from glassbench.stats.percent import bare_percent
from glassbench.stats.sampling import Sampling, Spread
from glassbench.stats.values import mean_absolute_error, r_squared
from glassbench.stats.verdict import judge, meets

Z = float(stats.norm.ppf(0.975))


def rows(n: int) -> Sampling:
    return Sampling(weight=np.ones(n))


def test_two_weighted_rows_of_one_cluster_make_a_survey_of_clusters() -> None:
    found = Sampling.of(pd.DataFrame({"weight": np.ones(6), "cluster": [0, 0, 1, 2, 3, 4]}))
    assert (found.n, found.clustered, found.noun) == (5, True, "effective clusters")


@pytest.mark.parametrize("unit", [0.001, 1.0, 50.0])
def test_weights_have_a_mean_of_one_whatever_unit_they_come_in(unit: float) -> None:
    found = Sampling.of(pd.DataFrame({"weight": unit * np.array([1.0, 2.0, 3.0])}))
    assert found.weight == pytest.approx([0.5, 1.0, 1.5])


def test_many_clusters_of_which_one_holds_nearly_all_rows_are_too_few_for_an_interval() -> None:
    """Rows 91 and nine of 1: 100² / (91² + 9) = 1.2 clusters of one size, among ten."""
    clusters = np.concatenate([np.zeros(91, dtype=int), np.arange(1, 10)])
    found = mean(np.arange(100.0), Sampling(weight=np.ones(100), clusters=clusters))
    assert found.unsupported == "1.21 clusters, at least 5 are needed"
    assert found.n == 10


def test_a_number_at_its_bound_rests_on_clusters_of_equal_weight() -> None:
    """A mean that is 1 in all clusters: the interval of a share of as many as say as much, 60² / (20² + 8 · 5²) = 6, not 9."""
    clusters = np.concatenate([np.zeros(20, dtype=int), np.repeat(np.arange(1, 9), 5)])
    found = mean(np.ones(60), Sampling(weight=np.ones(60), clusters=clusters), lowest=0.0, highest=1.0)
    even = mean(np.ones(6), rows(6), lowest=0.0, highest=1.0)
    assert found.limits(Z) == pytest.approx(even.limits(Z))


def test_degrees_of_freedom_of_unequal_clusters_widen_limits_on_either_scale() -> None:
    """Six clusters of which five equal ones say as much leave four degrees of freedom, not five."""
    spread = Spread(error=0.1, skewness=0.0, units=6, df=4.0, effective=5.0)
    plain, between = (
        studentized(0.4, spread, rows(6), lowest=low, highest=high) for low, high in ((-np.inf, np.inf), (0.0, 1.0))
    )
    t = stats.t.ppf(0.975, 4)
    assert plain.limits(Z) == pytest.approx((0.4 - 0.1 * t, 0.4 + 0.1 * t))
    assert logit(between.limits(Z)[1]) == pytest.approx(logit(0.4) + t * 0.1 / 0.24)
    few = logit_limits(0.4, (0.1, 0.1), 2.0, Z)
    assert logit(few[0]) == pytest.approx(logit(0.4) - stats.t.ppf(0.975, 2) * 0.1 / 0.24)


def test_a_number_bounded_from_above_alone_is_as_skewed_as_one_from_below() -> None:
    """As of squared errors and of R squared: one bound says that a number reaches far to one side alone."""
    off = np.random.default_rng(0).exponential(size=40)
    low, high = from_influence(0.0, off - off.mean(), rows(40), lowest=-9.0).limits(Z)
    turned = from_influence(0.0, off.mean() - off, rows(40), highest=9.0).limits(Z)
    assert turned == pytest.approx((-high, -low))


def test_a_share_among_some_rows_has_no_influence_on_all_and_no_freedom_of_its_own() -> None:
    hits, clusters = np.arange(20) % 3 == 0, np.repeat(np.arange(10), 2)
    found = share(hits, Sampling(weight=np.ones(20), clusters=clusters), np.arange(20) < 12)
    assert (found.influence, found.freedom) == (None, None)


def test_a_single_value_has_an_interval_without_ends() -> None:
    assert student_interval(np.array([3.0])) == (-np.inf, np.inf)
    expected = stats.t.interval(0.9, 3, 2.5, stats.sem([1.0, 2.0, 3.0, 4.0]))
    assert student_interval(np.array([1.0, 2.0, 3.0, 4.0]), 0.9) == pytest.approx(expected)


def test_exactly_half_of_the_resamples_are_enough_and_undefined_ones_count_as_nothing() -> None:
    draws = np.array([[1.0, 1.0], [3.0, np.nan], [np.nan, np.nan], [np.nan, np.nan]])
    low, high = percentile(draws, 0.5)
    assert (low[0], high[0]) == (1.5, 2.5)
    assert np.isnan([low[1], high[1]]).all()
    assert standard_error(np.array([1.0, 3.0, np.nan, np.nan]), 2) == pytest.approx(2**0.5)
    assert math.isnan(standard_error(np.array([1.0, 3.0, np.nan, np.nan, np.nan]), 2))


def test_a_ratio_whose_divisor_may_be_nothing_has_no_upper_end() -> None:
    """Donner and Zou: the high end solves a quadratic whose leading term is q_low (2q - q_low), here 0."""
    a, b = (0.6, 0.4, 0.7), (0.2, 0.0, 0.5)
    low, high = mover_ratio(*((np.array(x), np.array(y), np.array(z)) for x, y, z in (a, b)))
    assert float(high) == np.inf
    product, left, below = 0.12, 0.4 * (1.2 - 0.4), 0.5 * (0.4 - 0.5)
    assert float(low) == pytest.approx((product - math.sqrt(product**2 - left * below)) / below)


def test_what_is_not_defined_still_says_on_how_many_rows() -> None:
    assert Estimate.of(math.nan, 0.0, 1.0, n=7, level=0.9) == Estimate(
        value=None, level=0.9, n=7, undefined="it is not defined on these rows"
    )
    assert Estimate.of(0.5, 0.4, 0.6, unsupported="2 rows") == Estimate(value=0.5, unsupported="2 rows")


def test_a_large_difference_of_few_rows_may_still_be_one_the_other_way() -> None:
    """Of three rows two are right in the second alone, one in the first; the score test does not reject -0.5."""
    found = paired_share(2 / 3, math.sqrt(2 / 27), 3)
    low, high = found.limits(0.999)
    assert low < 0 < high <= 1
    variance = (max(3 * 2 / 9 + 3 * 4 / 9, 3 * abs(low)) - 3 * low**2) / 9
    assert (2 / 3 - low) / math.sqrt(variance) == pytest.approx(stats.norm.ppf(0.9995), rel=1e-6)


def test_differences_without_width_have_no_p_value_unless_there_is_none() -> None:
    sharp = [Estimate(value=v, low=v, high=v) for v in (0.5, 0.6)]
    found, same = independent(*sharp), independent(sharp[0], sharp[0])
    assert found is not None
    assert same is not None
    assert math.isnan(found.p)
    assert same.p == 1
    assert paired_mean(0.0, 0.0, 9, 8).p == 1
    assert paired_mean(0.0, 0.0, 9, 8).limits(0.95) == (0, 0)
    assert paired_share(0.2, 0.1, 40, 3.0).p == pytest.approx(2 * stats.t.sf(0.2 / math.sqrt(0.01 + 0.04 / 40), 3), rel=1e-9)


def test_a_number_near_a_threshold_is_not_at_it() -> None:
    assert not meets(0.7999, 0.8, "at_least")
    assert not meets(0.0501, 0.05, "at_most")
    half = Estimate(value=0.9, low=0.85)
    assert judge(half, 0.8, "at_least").verdict == "insufficient evidence"
    assert judge(half, 0.8, "at_least", on="value").verdict == "pass"


def test_truths_that_vary_little_around_a_large_number_vary_all_the_same() -> None:
    truth = 100 + np.array([-1.0, 0.0, 1.0, -1.0, 0.0, 1.0])
    found = r_squared(truth, truth + 0.5, rows(6))
    assert found.value == pytest.approx(1 - 0.25 / (4 / 6))
    assert found.limits(9.0)[1] <= 1
    assert mean_absolute_error(truth, truth + np.array([0, 0, 0, 0, 0, 3.0]), rows(6)).limits(3.0)[0] == 0


def test_gaps_are_between_groups_of_one_metric_that_most_resamples_know() -> None:
    draws = np.ones((4, 5))
    draws[:3, 2], draws[:2, 4] = np.nan, np.nan
    value, metric = np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0, 0, 0, 1, 1])
    first, second = GroupNumbers(value=value, draws=draws, metric=metric, n=np.full(5, 9.0)).pairs()
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (1, 0), (3, 4), (4, 3)]


def test_clusters_without_rows_say_nothing() -> None:
    assert leverage(np.array([5.0, 5.0, 0.0])).tolist() == [1, 1, 0.5]
    assert leverage(np.array([98.0, 1.0, 1.0]))[0] == pytest.approx((2 / 3) / 0.02)
    assert leverage(np.array([9999.0, 1.0]))[0] == 100
    part, whole = np.array([3.0, 1.0]), np.array([4.0, 4.0])
    padded = [np.append(numbers, [0.0, 0.0]) for numbers in (part, whole)]
    assert effective_rows(*padded) == effective_rows(part, whole)


def test_one_cluster_in_ten_that_has_rows_is_not_many() -> None:
    whole = np.zeros((30, 2))
    whole[:10, 0], whole[0, 1] = 1, 1
    assert not crossed(whole)
    whole[1, 1] = 1
    assert crossed(whole)


def test_rows_of_a_cluster_correlate_between_not_at_all_and_fully() -> None:
    size = np.full(4, 10.0)
    assert correlation(np.array([9.0, -9.0, 9.0, -9.0]), size, 0.5) == 1
    assert correlation(np.zeros(4), size, 0.5) == 0
    assert correlation(np.full(4, 5.0), size, 0.5) == pytest.approx((100 / 0.25 - 40) / 360)
    assert correlation(np.full(4, 2.0), size, 0.5) == pytest.approx((16 / 0.25 - 40) / 360)


def test_clusters_that_even_out_are_worth_their_rows_and_constants_have_the_largest_effect() -> None:
    """Of 1, 2 and 3 rows of a constant: (1 + 4 + 9) / 6."""
    clusters = np.array([0, 1, 1, 2, 2, 2])
    assert design_effect(np.array([0.0, 1.0, -1.0, 1.0, -1.0, 0.0]), clusters) == 1
    assert design_effect(np.ones(6), clusters) == pytest.approx(14 / 6)
    assert design_effect(np.repeat([1.0, -1.0], 3), np.repeat([0, 1], 3)) == 3


def test_the_end_that_faces_the_threshold_asks_for_more_rows() -> None:
    """Half an interval of 0.2 toward the threshold on either side of it, of 0.05 or 0.4 away from it."""
    above, below = more_rows(0.3, 0.1, 0.35, 100, 0.2), more_rows(0.7, 0.3, 0.9, 100, 0.8)
    assert above == below == more_rows(0.3, 0.1, 0.5, 100, 0.2)
    assert more_rows(0.3, 0.25, 0.5, 100, 0.2) is None


def test_small_differences_below_nothing_have_a_digit_after_the_point() -> None:
    assert [bare_percent(share) for share in (-0.075, -0.05, -0.41, 0.0995, -0.0004)] == ["-7.5", "-5", "-41", "10", "0"]

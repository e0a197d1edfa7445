"""Intervals against published figures and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import beta, binomtest

from glassbench.stats.intervals import (
    around,
    bootstrap,
    mover_difference,
    mover_ratio,
    percentile,
    rate_interval,
    resampled_weights,
    score_interval,
    wilson,
)
from glassbench.stats.p_values import holm, p_words


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counts):
    part, whole = counts
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    low, high = wilson(np.array(part), np.array(whole))
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n", [1, 10, 35, 43, 3696])
def test_ends_of_none_and_of_all_are_exactly_0_and_1(n):
    assert wilson(np.array(0), np.array(n))[0] == 0
    assert wilson(np.array(n), np.array(n))[1] == 1


def test_a_resampled_interval_holds_its_value():
    """The baseline's R², `1 - sum of squares about 0 / about the mean`, is 0 on the rows and below 0 on every resample."""
    x = np.random.default_rng(0).normal(size=200)
    x -= x.mean()

    def r2(weights):
        n = weights.sum(axis=1)
        return 1 - (weights @ x**2) / (weights @ x**2 - (weights @ x) ** 2 / n)

    low, high = bootstrap(r2, 200, np.random.default_rng(1))
    assert low < -1e-4
    assert high >= r2(np.ones((1, 200)))[0]


def test_an_interval_without_ends_stays_so():
    low, high = around(np.array([0.5]), np.array([np.nan]), np.array([np.nan]))
    assert np.isnan([low, high]).all()


def test_wilson_of_nothing_is_undefined():
    low, high = wilson(np.array([0]), np.array([0]))
    assert np.isnan(low[0])
    assert np.isnan(high[0])


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_difference_is_newcombes(a, b, low, high):
    """Newcombe (1998), table II, method 10."""
    found = mover_difference(_limits(*a), _limits(*b))
    assert [round(float(end), 4) for end in found] == [low, high]


def test_ratio_turns_with_its_parts():
    a, b = _limits(20, 50), _limits(30, 60)
    low, high = mover_ratio(a, b)
    turned_low, turned_high = mover_ratio(b, a)
    assert (float(low * turned_high), float(high * turned_low)) == pytest.approx((1, 1))


def test_ratio_of_nothing_has_an_upper_end():
    low, high = mover_ratio(_limits(0, 20), _limits(10, 20))
    assert float(low) == 0
    assert 0 < float(high) < 1


@pytest.mark.parametrize(("n", "m", "p", "q"), [(20, 20, 0.5, 0.3), (20, 200, 0.2, 0.4), (100, 50, 0.1, 0.3)])
def test_ends_hold_the_truth_as_often_as_they_say(n, m, p, q):
    generator = np.random.default_rng(0)
    a, b = (_limits(generator.binomial(size, rate, 20_000), np.full(20_000, size)) for size, rate in ((n, p), (m, q)))
    low, high = mover_difference(a, b)
    assert np.mean((low <= p - q) & (p - q <= high)) == pytest.approx(0.95, abs=0.02)
    low, high = mover_ratio(a, b)
    assert np.mean((low <= p / q) & (p / q <= high)) == pytest.approx(0.95, abs=0.025)


def test_bootstrap_of_a_mean_is_as_wide_as_its_standard_error():
    values = np.random.default_rng(1).normal(size=400)
    low, high = bootstrap(lambda w: w @ values / w.sum(axis=1), 400, np.random.default_rng(2), replicates=4000)
    assert float(high - low) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_percentiles_of_what_is_mostly_undefined_are_undefined():
    draws = np.array([[1.0, 1.0], [2.0, np.nan], [3.0, np.nan]])
    low, high = percentile(draws)
    assert np.isfinite(low).tolist() == [True, False]
    assert np.isfinite(high).tolist() == [True, False]


@given(arrays(float, st.integers(1, 30), elements=st.floats(0, 1)))
def test_holm_is_the_step_down_by_hand(p):
    order, expected, worst = np.argsort(p, kind="stable"), np.empty(len(p)), 0.0
    for rank, position in enumerate(order):
        worst = max(worst, min(1.0, p[position] * (len(p) - rank)))
        expected[position] = worst
    assert holm(p) == pytest.approx(expected)


def test_holm_leaves_out_what_is_undefined():
    assert holm(np.array([0.02, np.nan, 0.5])).tolist() == pytest.approx([0.04, np.nan, 0.5], nan_ok=True)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.99]))
def test_a_rate_lies_between_clopper_and_pearson_and_jeffreys(counts, level):
    k, n = counts
    tail = (1 - level) / 2
    low, high = map(float, rate_interval(np.array(k), np.array(n), level))
    exact = binomtest(k, n).proportion_ci(level, method="exact")
    jeffreys = beta.ppf([tail, 1 - tail], k + 0.5, n - k + 0.5)
    assert exact.low - 1e-12 <= low <= max(jeffreys[0], exact.low) + 1e-12 or k == 0
    assert min(jeffreys[1], exact.high) - 1e-12 <= high <= exact.high + 1e-12 or k == n
    assert (low == 0) == (k == 0)
    assert (high == 1) == (k == n)


def test_a_quarter_of_the_observed_outcome_counts_as_beyond():
    low, high = rate_interval(np.array([3.0, 9.0]), np.array([10.0, 10.0]), 0.9)
    assert low == pytest.approx(beta.ppf(0.05, [3.25, 9.25], [7.75, 1.75]))
    assert high == pytest.approx(beta.ppf(0.95, [3.75, 9.75], [7.25, 1.25]))
    none = rate_interval(np.array(0.0), np.array(10.0), 0.9)
    assert (float(none[0]), float(none[1])) == (0.0, pytest.approx(beta.ppf(0.95, 0.75, 10.25)))
    every = rate_interval(np.array(10.0), np.array(10.0), 0.9)
    assert (float(every[0]), float(every[1])) == (pytest.approx(beta.ppf(0.05, 10.25, 0.75)), 1.0)


def test_a_rate_of_whole_and_of_effective_rows_and_at_several_levels():
    low, high = rate_interval(np.array([2, 2]), np.array([8, 8]), np.array([0.9, 0.99]))
    assert low[1] < low[0] < 0.25 < high[0] < high[1]
    near = rate_interval(np.array(1e-12), np.array(7.3))
    assert float(near[0]) == 0
    full = rate_interval(np.array(7.3 * (1 - 1e-12)), np.array(7.3))
    assert float(full[1]) == 1
    assert np.isnan(rate_interval(np.array([0, 3]), np.array([0, 9]))[0]).tolist() == [True, False]
    assert np.isnan(rate_interval(np.array([0, 3]), np.array([0, 9]))[1]).tolist() == [True, False]


def test_a_score_interval_is_wilsons_at_any_critical_value():
    for z in (1.0, 2.5):
        share, n = np.array([0.1, 0.7]), np.array([12.0, 30.5])
        low, high = score_interval(share, n, z)
        assert n * (share - low) ** 2 == pytest.approx(z**2 * low * (1 - low))
        assert n * (share - high) ** 2 == pytest.approx(z**2 * high * (1 - high))
    low, high = score_interval(np.array([0.3]), np.array([0.0]), 2.0)
    assert (float(low[0]), float(high[0])) == (0.0, 1.0)


def test_a_ratio_has_the_ends_of_donner_and_zou():
    """Donner and Zou (2012): the ends L of a / b solve that the difference a - L b has 0 for an end (Fieller's argument)."""
    a, b = _limits(20, 50), _limits(30, 60)
    for end, outer, inner in ((mover_ratio(a, b)[0], a[1], b[2]), (mover_ratio(a, b)[1], a[2], b[1])):
        assert (a[0] - end * b[0]) ** 2 == pytest.approx((a[0] - outer) ** 2 + end**2 * (b[0] - inner) ** 2)
    low, high = mover_ratio(a, b)
    assert float(low) < 0.8 < float(high)


def test_a_ratio_to_what_may_be_nothing_has_no_upper_end():
    low, high = mover_ratio(_limits(10, 20), _limits(0, 20))
    assert np.isinf(high)
    assert float(low) > 1
    undefined = mover_ratio(_limits(0, 20), _limits(0, 20))
    assert (float(undefined[0]), np.isinf(undefined[1])) == (0.0, True)
    exact = (np.array(0.5), np.array(0.4), np.array(0.6))
    half = (np.array(0.5), np.array(0.4), np.array(1.0))  # the upper end is twice the value: the limit of the formula
    near = (np.array(0.5), np.array(0.4), np.array(1.0 - 1e-7))
    assert float(mover_ratio(exact, half)[0]) == pytest.approx(float(mover_ratio(exact, near)[0]), rel=1e-4)


def test_resamples_draw_every_row_alike_and_in_blocks(monkeypatch):
    drawn = np.concatenate(list(resampled_weights(5, 4000, np.random.default_rng(0))))
    assert (drawn.sum(axis=1) == 5).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(5), abs=0.06)
    assert drawn.var(axis=0) == pytest.approx(np.full(5, 0.8), rel=0.08)
    monkeypatch.setattr("glassbench.stats.intervals.CELLS", 15)
    blocks = list(resampled_weights(5, 7, np.random.default_rng(0)))
    assert [block.shape for block in blocks] == [(3, 5), (3, 5), (1, 5)]
    assert [block.shape for block in resampled_weights(40, 2, np.random.default_rng(0))] == [(1, 40), (1, 40)]
    assert list(resampled_weights(5, 0, np.random.default_rng(0))) == []


def test_percentiles_are_those_of_the_defined_replicates():
    draws = np.random.default_rng(0).normal(size=(101, 2))
    draws[:40, 1] = np.nan
    draws[40, 1] = np.inf
    low, high = percentile(draws, 0.8)
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(draws[:, 0], [0.1, 0.9])))
    assert (low[1], high[1]) == pytest.approx(tuple(np.quantile(draws[41:, 1], [0.1, 0.9])))
    half = np.array([[1.0], [np.nan]])
    assert np.isfinite(percentile(half)[0]).all()


def test_a_bootstrap_has_the_level_asked_for_and_draws_clusters_whole():
    values = np.random.default_rng(1).normal(size=60)
    person = np.repeat(np.arange(20), 3)

    def mean(weights):
        assert (weights.reshape(-1, 20, 3) == weights.reshape(-1, 20, 3)[:, :, :1]).all()
        return weights @ values / weights.sum(axis=1)

    narrow = bootstrap(mean, 60, np.random.default_rng(2), level=0.5, clusters=person)
    wide = bootstrap(mean, 60, np.random.default_rng(2), level=0.95, clusters=person)
    assert float(wide[0]) < float(narrow[0]) < values.mean() < float(narrow[1]) < float(wide[1])


def test_p_values_in_words():
    assert [p_words(p) for p in (0.001, 0.0009, 0.05, 1.0)] == [".001", "below .001", ".05", "1"]


def test_holm_of_one_and_of_none():
    assert holm(np.array([0.3])).tolist() == [0.3]
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert holm(np.array([0.02, 0.02])).tolist() == [0.04, 0.04]


def _limits(part, whole):
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return (part / whole, *wilson(part, whole))

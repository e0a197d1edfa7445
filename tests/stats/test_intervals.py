"""Intervals against published figures and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from glassbench.stats.intervals import around, bootstrap, holm, mover_difference, mover_ratio, percentile, wilson


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


def _limits(part, whole):
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return (part / whole, *wilson(part, whole))

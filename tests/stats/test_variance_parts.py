"""Parts of variance, importance and frontier, against analysis of variance by hand."""

import numpy as np
import pytest
from scipy import stats

from glassbench.stats.variance_parts import frontier, importance, variance_parts


def test_the_spread_of_seeds_is_the_pooled_standard_deviation_with_its_chi_squared_interval():
    values = np.array([[1.0, 3.0], [10.0, 14.0]])
    found = variance_parts(values).seeds
    within = (2.0 + 8.0) / 2
    assert found.value == pytest.approx(within**0.5)
    assert found.low == pytest.approx((2 * within / stats.chi2.ppf(0.975, 2)) ** 0.5)
    assert found.high == pytest.approx((2 * within / stats.chi2.ppf(0.025, 2)) ** 0.5)


def test_the_share_of_settings_is_that_of_the_f_ratio():
    values = np.random.default_rng(1).normal(size=(6, 4)) + np.arange(6)[:, None]
    ratio = stats.f_oneway(*values).statistic
    found = variance_parts(values).settings
    assert found.value == pytest.approx((ratio - 1) / (ratio + 3))
    assert found.low == pytest.approx(((r := ratio / stats.f.ppf(0.975, 5, 18)) - 1) / (r + 3))


def test_the_interval_of_the_share_holds_the_truth():
    generator, held = np.random.default_rng(2), 0
    for _ in range(400):
        values = generator.normal(size=(8, 5)) + generator.normal(size=(8, 1))  # the share is a half
        found = variance_parts(values).settings
        held += found.low <= 0.5 <= found.high
    assert 0.925 * 400 <= held <= 0.975 * 400


def test_where_settings_do_nothing_their_share_reaches_down_to_none():
    found = variance_parts(np.random.default_rng(4).normal(size=(10, 5))).settings
    assert found.low == 0


def test_one_seed_tells_nothing_and_one_setting_nothing_of_settings():
    assert variance_parts(np.ones((3, 1))) is None
    assert variance_parts(np.array([[1.0, 2.0, 3.0]])).settings is None


def test_runs_that_all_gave_the_same_number_say_so():
    assert variance_parts(np.full((3, 2), 0.5)).settings.undefined


def test_a_missing_number_is_refused():
    with pytest.raises(ValueError, match="each setting"):
        variance_parts(np.array([[1.0, np.nan]]))


def test_importance_is_the_share_of_main_effects_and_interaction_is_what_is_missing():
    grid = [{"a": a, "b": b} for a in (0, 1) for b in (0, 1)]
    assert importance(grid, np.array([0.0, 1.0, 1.0, 0.0])) == {"a": 0, "b": 0}  # interaction alone
    assert importance(grid, np.array([0.0, 0.0, 1.0, 1.0])) == {"a": 1, "b": 0}


def test_the_frontier_keeps_what_nothing_beats_and_both_of_two_that_are_equal():
    assert frontier(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.9], [0.0, 2.0]])) == [0, 1, 3]

"""Candidates with folds, undefined runs and other levels, learning curves out of order, and shares of variance, by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from glassbench.stats.best_of_many import Repeated, SeedVariance, intervals_at_once, shared_variance
from glassbench.stats.cross_validation import Folds, chosen_on_other_folds, fold_interval, nested
from glassbench.stats.estimate import Estimate
from glassbench.stats.learning_curve import fitted_power_law, gain_of_more_rows
from glassbench.stats.setting_importance import forest_importance
from glassbench.stats.variance_parts import importance, variance_parts


def told(*values: float | None) -> list[Estimate]:
    return [Estimate(value=v, undefined="lost") if v is None else Estimate(value=v, low=v - 0.1, high=v + 0.2) for v in values]


def test_a_candidate_is_the_mean_of_its_seeds_and_undefined_where_one_is() -> None:
    assert Repeated(estimates=told(0.5, 0.6, 1.0)).value == pytest.approx(0.7)
    lost = Repeated(estimates=told(0.5, None, 0.7))
    assert (lost.undefined, math.isnan(lost.value), lost.interval(0.95)) == ("lost", True, None)
    assert shared_variance([lost, Repeated(estimates=told(0.4, 0.6))]) == SeedVariance(pytest.approx(0.02), 1)


def test_intervals_of_another_level_stand_for_errors_of_their_own() -> None:
    one = Repeated(estimates=[Estimate(value=0.5, low=0.4, high=0.7, level=0.8)])
    scale = stats.norm.ppf(0.975) / stats.norm.ppf(0.9)
    assert one.interval(0.95) == pytest.approx((0.5 - 0.1 * scale, 0.5 + 0.2 * scale))


def test_folds_are_judged_by_how_they_vary_and_one_fold_by_nothing() -> None:
    """0.5, 0.6, 0.7 and 0.8 of two divisions into two: variance 1/60, times 1/4 + 1/(2 - 1), three degrees of freedom."""
    one = Repeated(estimates=told(0.5, 0.6, 0.7, 0.8), folds=Folds(2, 2))
    arm = stats.t.ppf(0.975, 3) * math.sqrt((1 / 60) * (1 / 4 + 1))
    assert one.interval(0.95) == pytest.approx((0.65 - arm, 0.65 + arm))
    assert fold_interval(np.array([0.5, 0.6, 0.7, 0.8]), Folds(2, 2)) == pytest.approx((0.65 - arm, 0.65 + arm))
    assert Repeated(estimates=told(0.5), folds=Folds(2)).interval(0.95) is None
    assert fold_interval(np.array([0.5]), Folds(2)) is None
    both = intervals_at_once([one, Repeated(estimates=told(0.5), folds=Folds(2, 2))])
    assert both[1] is not None


INNER = np.array([[[1.0, 3.0], [2.0, 1.0]], [[2.0, 2.0], [3.0, 0.0]]])
OUTER = np.array([[[0.1, 0.3], [0.6, 0.8]], [[0.2, 0.4], [0.5, 0.9]]])


@pytest.mark.parametrize(("higher", "chosen"), [(True, [[1, 0], [1, 0]]), (False, [[0, 1], [0, 1]])])
def test_each_fold_is_judged_by_the_candidate_that_inner_folds_of_other_rows_chose(higher: bool, chosen: list[list[int]]) -> None:
    found, best = nested(INNER, OUTER, higher)
    values = [OUTER[one, r, f] for r, row in enumerate(chosen) for f, one in enumerate(row)]
    assert best.tolist() == chosen
    assert found.value == pytest.approx(np.mean(values))
    arm = stats.t.ppf(0.975, 3) * math.sqrt(np.var(values, ddof=1) * (1 / 4 + 1))
    assert (found.low, found.high) == pytest.approx((np.mean(values) - arm, np.mean(values) + arm))


@pytest.mark.parametrize(("higher", "chosen"), [(True, [[0, 0, 1], [1, 1, 1]]), (False, [[1, 1, 0], [0, 0, 0]])])
def test_each_fold_is_judged_by_the_candidate_that_is_best_on_the_others_of_its_division(
    higher: bool, chosen: list[list[int]]
) -> None:
    """Others of the first division: 0.8, 0.65 and 0.55 against 0.6 each; of the second 0.2 or less against 0.5."""
    values = np.array([[[0.4, 0.7, 0.9], [0.1, 0.2, 0.2]], [[0.6, 0.6, 0.6], [0.5, 0.5, 0.5]]])
    judged = [values[one, r, f] for r, row in enumerate(chosen) for f, one in enumerate(row)]
    found = chosen_on_other_folds(values, higher)
    assert found.value == pytest.approx(np.mean(judged))
    assert found.n == 2


def test_a_law_of_size_needs_four_sizes_however_many_runs() -> None:
    rows, values = np.array([10.0, 10.0, 20.0, 40.0]), np.array([0.5, 0.5, 0.6, 0.7])
    assert fitted_power_law(rows, values, np.full(4, 0.1)) is None
    assert gain_of_more_rows([10.0, 20.0, 40.0], [0.5, 0.6, 0.7], [0.1] * 3) is None


def test_more_rows_are_more_than_the_most_in_whatever_order_sizes_stand() -> None:
    """1 - rows ** -0.5 exactly: from 400 to 1,600 rows 1/20 less 1/40."""
    rows = [400.0, 25.0, 100.0, 50.0]
    found = gain_of_more_rows(rows, [1 - r**-0.5 for r in rows], [1e-4] * 4, times=4.0)
    assert found is not None
    assert found.value == pytest.approx(1 / 20 - 1 / 40, rel=1e-3)


def test_a_number_without_an_error_counts_like_the_surest_of_the_others() -> None:
    rows, values = np.array([10.0, 20.0, 40.0, 80.0, 160.0]), np.array([0.3, 0.52, 0.6, 0.66, 0.7])
    errors = np.array([0.0, 0.02, 0.01, 0.01, 0.02])
    found, same = (fitted_power_law(rows, values, e) for e in (errors, np.where(errors > 0, errors, 0.01)))
    assert found == same
    assert found != fitted_power_law(rows, values, np.where(errors > 0, errors, 1e-4))


def test_settings_of_which_nothing_shows_explain_nothing_and_not_less() -> None:
    """Means of settings that lie nearer than chance has them: an F ratio of 0.1."""
    values = np.array([[0.0, 1.0, 2.0], [1.9, 1.0, 0.2]])
    found = variance_parts(values)
    assert found is not None
    assert found.settings is not None
    assert (found.settings.value, found.settings.low) == (0, 0)
    same = variance_parts(np.full((3, 2), 0.5))
    assert same is not None
    assert same.settings is not None
    assert same.settings.value is None
    told_apart = variance_parts(np.array([[1.0, 1.0], [2.0, 2.0]]))
    assert told_apart is not None
    assert told_apart.settings is not None
    assert told_apart.settings.value == 1


def test_values_of_a_setting_that_more_candidates_have_weigh_more() -> None:
    """a is 0 three times: 3 * (1/4)² + 1 * (3/4)² of a whole variance of 3/4."""
    found = importance([{"a": 0}, {"a": 0}, {"a": 0}, {"a": 1}], np.array([0.0, 0.0, 0.0, 1.0]))
    assert found == {"a": 1}
    found = importance([{"a": 0}, {"a": 0}, {"a": 0}, {"a": 1}], np.array([0.0, 0.0, 3.0, 1.0]))
    assert found == {"a": 0}
    found = importance([{"a": 0}, {"a": 0}, {"a": 0}, {"a": 1}], np.array([0.0, 0.0, 3.0, 5.0]))
    assert found["a"] == pytest.approx((3 * 1 + 9) / (4 + 4 + 1 + 9))


def test_ten_candidates_are_enough_for_a_forest_and_nine_are_not() -> None:
    settings = [{"on": place % 2 == 0, "other": "same"} for place in range(10)]
    values = np.array([float(one["on"]) for one in settings])
    found = forest_importance(settings, values)
    assert found["on"].value == pytest.approx(1, abs=0.05)
    assert found["other"].value == 0
    assert forest_importance(settings[:9], values[:9]) == {}

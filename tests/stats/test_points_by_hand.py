"""Few points, few events and equal scores: what generated points cover, what is rare, and which score is the limit, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from glassbench.stats.conformal import conformal_limit, fewest_rows
from glassbench.stats.counted_values import CountedValues
from glassbench.stats.events import other_classes, rarest_class
from glassbench.stats.frechet import frechet_distance, frechet_inference
from glassbench.stats.manifold import expected_coverage, manifold
from glassbench.stats.ranking import area, mean_area, ranks
from glassbench.stats.sampling import Sampling
from glassbench.stats.sequential_means import MeanChange
from glassbench.stats.sequential_ranks import RankCells


def line(*places: float) -> np.ndarray:
    return np.array(places, dtype=float)[:, None]


def test_few_points_have_as_many_neighbours_as_there_are() -> None:
    """Of three real points the farthest neighbour is the second: 3, 2 and 3 away; of two generated ones the first, 9 away."""
    found = manifold(line(0, 1, 3), line(4, 13))
    assert found.reach == pytest.approx([4 / 3, 3 / 2, 1 / 3])
    assert found.covered.tolist() == [0, 0, 1]
    assert found.recalled.tolist() == [1, 1, 1]
    assert found.density.tolist() == [1 / 2, 0]
    assert found.precise.tolist() == [1, 0]


def test_how_far_generated_points_reach_does_not_hang_on_how_many_real_ones_there_are() -> None:
    """The third neighbour of the point at 4 is 3 away, so that 7 is recalled and 7.5 is not."""
    assert manifold(line(7, 7.5), line(0, 1, 2, 3, 4)).recalled.tolist() == [1, 0]


def test_a_point_is_precise_within_the_third_neighbour_of_a_real_one_and_dense_within_the_fifth() -> None:
    """Of 0 to 6 the third neighbour of 6 is 3 away, the fifth 5: 9 is precise, 10 lies in the reach of one, 11.5 in none."""
    found = manifold(line(*range(7)), line(9, 10, 11.5))
    assert found.precise.tolist() == [1, 0, 0]
    assert found.density.tolist() == [2 / 5, 1 / 5, 0]


def test_a_generated_point_at_the_very_reach_covers() -> None:
    found = manifold(line(0, 2), line(-2, 9))
    assert found.reach.tolist() == [1, 2]
    assert found.covered.tolist() == [1, 0]


def test_coverage_to_expect_of_few_points_counts_all_their_neighbours() -> None:
    """Of three real and two generated points: 1 - (2/4) (1/3)."""
    assert expected_coverage(3, 2) == pytest.approx(1 - 2 / 4 * 1 / 3)


def test_the_frechet_distance_is_corrected_by_the_jackknife() -> None:
    """n times the distance less n - 1 times the mean distance with one row left out."""
    chance = np.random.default_rng(1)
    real, made = chance.normal(size=(12, 2)), chance.normal(size=(12, 2)) + 2
    found = frechet_inference(real, made, Sampling(weight=np.ones(12)))
    left = frechet_distance(real, made, 1.0 - np.eye(12))
    whole = frechet_distance(real, made, np.ones((1, 12)))[0]
    pseudo = 12 * whole - 11 * left
    assert found.value == pytest.approx(pseudo.mean())
    assert found.error == pytest.approx(pseudo.std(ddof=1) / 12**0.5)


def test_as_many_rows_as_features_define_no_distance() -> None:
    points = np.random.default_rng(0).normal(size=(3, 3))
    assert math.isnan(frechet_inference(points, points, Sampling(weight=np.ones(3))).value)
    assert math.isfinite(frechet_inference(points[:, :2], points[:, :2], Sampling(weight=np.ones(3))).value)


def test_events_of_a_survey_are_rows_of_equal_weight() -> None:
    """Six rows of weights 10 and five times 1 say as much as 15² / 105 of one weight."""
    truth = np.array(["b"] * 6 + ["a"] * 30)
    weighted = Sampling.of(pd.DataFrame({"weight": [10.0, *[1.0] * 35]}))
    assert rarest_class(truth, weighted) == "2.14 effective rows of the class “b”, at least 5 are needed"
    assert rarest_class(truth, Sampling(weight=np.ones(36))) is None


def test_the_commonest_class_is_the_one_with_most_rows_wherever_it_stands() -> None:
    truth = np.array(["a"] * 3 + ["c"] + ["b"] * 20)
    assert other_classes(truth, Sampling(weight=np.ones(24))) == "4 rows of classes other than “b”, at least 5 are needed"


def test_zeros_of_either_sign_are_one_score_and_negative_ones_lie_below() -> None:
    for kind in (np.float32, np.float64):
        count, level = ranks(np.array([0.0, -1.5, -0.0, 2.0, -3.0], dtype=kind))
        assert (count, level.tolist()) == (4, [2, 1, 2, 3, 0])
    count, level = ranks(np.array([1.0, 1.0 + 1e-12]))
    assert (count, level.tolist()) == (2, [0, 1])


def test_areas_without_rows_on_both_sides_are_left_out_and_the_fewest_rows_leave_the_fewest_degrees() -> None:
    score, sampling = np.arange(12.0), Sampling(weight=np.ones(12))
    one = score >= 9
    assert math.isnan(mean_area([(score, np.ones(12, dtype=bool)), (score, np.zeros(12, dtype=bool))], sampling, None).value)
    both = mean_area([(score % 5, score >= 6), (score % 7, one)], sampling, None)
    turned = mean_area([(score % 7, one), (score % 5, score >= 6)], sampling, None)
    assert both.limits(1.96) == pytest.approx(turned.limits(1.96))
    tied = mean_area([(np.zeros(12), one), (score, one)], sampling, None)
    assert tied.value == 0.75
    assert tied.limits(1.96)[0] < 0.75 <= tied.limits(1.96)[1]


def test_half_of_tied_rows_are_ranked_rightly() -> None:
    scores = np.array([[0, 1.0], [0, 1.0], [0, 0.0], [0, 1.0]])
    found = area(scores, np.array([1, 0, 0, 1]), Sampling(weight=np.array([1.0, 2.0, 1.0, 3.0])), [1], None)
    assert found.value == pytest.approx((1 * 1 + 2 * 0.5) / 3)


def test_the_limit_of_weighted_scores_is_reached_by_weight_in_the_order_of_scores() -> None:
    """Of mean weight 2: 2, 8, 9 and 10 weigh as much as 1, 1.5, 3.5 and 4 rows up to them; 5 rows times 0.7 are 3.5."""
    scores, weight = np.array([9.0, 2.0, 10.0, 8.0]), np.array([4.0, 2.0, 1.0, 1.0])
    assert conformal_limit(scores, 0.7, weight) == 9
    assert conformal_limit(scores, 0.71, weight) == 10
    assert conformal_limit(scores, 0.81, weight) == math.inf
    assert [fewest_rows(coverage) for coverage in (0.8, 0.75, 0.01)] == [4, 3, 1]


def test_values_that_no_row_has_do_not_make_counts_other_than_0_and_1() -> None:
    assert CountedValues(np.array([0.0, 0.5, 1.0]), np.array([2.0, 0.0, 1.0])).binary
    assert not CountedValues(np.array([0.0, 0.5, 1.0]), np.array([2.0, 1.0, 1.0])).binary
    assert CountedValues.of(np.array([0.019, 0.011, 0.009])).to_json() == {"0": 1, "1": 2}


def test_a_change_that_leaves_no_mean_possible_is_excluded_and_nothing_by_no_rows() -> None:
    test, some = MeanChange(alpha=0.05), CountedValues.of(np.array([0.0, 1.0, 1.0]))
    nothing = CountedValues.of(np.array([]))
    assert test.log_evidence(some, some, 1.0) == np.inf
    assert test.log_evidence(some, nothing) == test.log_evidence(nothing, some) == 0
    assert not test.rejects(some, some)
    low, high = test.interval(some, some)
    assert test.log_evidence(some, some, low) >= -np.log(0.05) or low == -1
    assert test.log_evidence(some, some, high) >= -np.log(0.05) or high == 1


def test_cells_are_as_many_as_rows_allow() -> None:
    chance = np.random.default_rng(0)
    for rows, cells in ((1, 2), (2, 2), (3, 4), (14, 8), (15, 16), (40, 16)):
        found = RankCells.of(list(range(rows)), chance)
        assert len(found.reference) == cells
        assert sum(found.reference) == rows + 1
    counted = RankCells(((2.0, 0.5), (4.0, 0.5)), (3, 3, 2)).count([1.0, 3.0, 5.0, 3.0, None, "x"], chance)
    assert counted.tolist() == [2, 2, 2]

"""Errors of values, areas under the curve, resampled numbers and numbers of events, against scikit-learn and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logit
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.metrics import root_mean_squared_error as sklearn_rmse

from glassbench.stats.events import other_classes, rarest_class
from glassbench.stats.inference import mean, rate_limits
from glassbench.stats.ranking import area, placements
from glassbench.stats.resampling import resampled
from glassbench.stats.sampling import Sampling
from glassbench.stats.values import mean_absolute_error, r_squared, root_mean_squared_error

GENERATOR = np.random.default_rng(8)
TRUTH = GENERATOR.normal(50, 9, 80)
PREDICTED = TRUTH + GENERATOR.normal(1, 4, 80)
WEIGHT = GENERATOR.integers(1, 5, 80).astype(float)


def rows(n):
    return Sampling(weight=np.ones(n))


def moved(statistic, weight, row, step=1e-6):
    """Return how far one row moves a number, times the rows there are, by trying it."""
    more = weight.copy()
    more[row] += step
    return (statistic(more) - statistic(weight)) / step * weight.sum()


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (mean_absolute_error, lambda w: w @ np.abs(PREDICTED - TRUTH) / w.sum()),
        (root_mean_squared_error, lambda w: sklearn_rmse(TRUTH, PREDICTED, sample_weight=w)),
        (r_squared, lambda w: r2_score(TRUTH, PREDICTED, sample_weight=w)),
    ],
)
def test_values_and_influences_are_those_of_the_statistic_under_weights(ours, reference):
    found = ours(TRUTH, PREDICTED, Sampling(weight=WEIGHT))
    assert found.value == pytest.approx(reference(WEIGHT))
    assert found.influence is not None
    for row in (0, 11, 50):
        assert moved(reference, WEIGHT, row) == pytest.approx(found.influence[row], abs=1e-3)
    low, high = found.limits(1.96)
    assert low < found.value < high


def test_the_root_has_the_roots_of_the_limits_of_the_mean_square():
    found = root_mean_squared_error(TRUTH, PREDICTED, rows(80))
    squares = mean((PREDICTED - TRUTH) ** 2, rows(80), lowest=0.0)
    assert found.limits(1.96) == pytest.approx(tuple(end**0.5 for end in squares.limits(1.96)))
    assert found.error == pytest.approx(squares.error / (2 * found.value))
    perfect = root_mean_squared_error(TRUTH, TRUTH, rows(80))
    assert (perfect.value, perfect.error) == (0, 0)


def test_r_squared_of_truths_that_do_not_vary_is_undefined_and_never_above_1():
    assert np.isnan(r_squared(np.full(9, 3.0), np.arange(9.0), rows(9)).value)
    assert np.isnan(r_squared(np.full(9, 1e9) + 1e-4 * np.arange(9), np.arange(9.0), rows(9)).value)
    near = r_squared(TRUTH, TRUTH + 0.01 * GENERATOR.normal(size=80), rows(80))
    assert 0.9999 < near.limits(7.5)[1] <= 1


MEMBER = np.arange(80) % 3 == 0
SCORE = GENERATOR.normal(size=80).round(1) + MEMBER


def test_an_area_has_delongs_error():
    scores = np.stack([-SCORE, SCORE], axis=1)
    found = area(scores, MEMBER.astype(int), rows(80), [1], None)
    assert found.value == pytest.approx(roc_auc_score(MEMBER, SCORE))
    placed = placements(SCORE, MEMBER, np.ones(80))[1]
    delong = sum(placed[side].var(ddof=1) / side.sum() for side in (MEMBER, ~MEMBER)) ** 0.5
    assert found.error == pytest.approx(delong, rel=0.03)
    assert found.influence is not None
    for row in (0, 1, 40):
        assert moved(lambda w: roc_auc_score(MEMBER, SCORE, sample_weight=w), np.ones(80), row) == pytest.approx(
            found.influence[row], abs=1e-3
        )


def test_the_ends_of_an_area_are_on_the_logit_scale_and_wider_toward_one_half():
    scores = np.stack([-SCORE, SCORE], axis=1)
    found = area(scores, MEMBER.astype(int), rows(80), [1], None)
    low, high = found.limits(1.96)
    assert logit(found.value) - logit(low) > logit(high) - logit(found.value)
    sides = [placements(SCORE, MEMBER, np.ones(80))[1][side] for side in (MEMBER, ~MEMBER)]
    squares = [(len(s), s.var(ddof=1) / len(s)) for s in sides]
    freedom = sum(v for _, v in squares) ** 2 / sum(v**2 / (n - 1) for n, v in squares)
    t = stats.t.ppf(stats.norm.cdf(1.96), freedom)
    slope = found.value * (1 - found.value)
    assert logit(high) - logit(found.value) == pytest.approx(t * found.error / slope)
    added = 0.0
    for n, variance in squares:
        drawn = min(n / 8, n**0.5 / 2)
        added += drawn / (n + drawn) * max(slope - variance * n, 0) / n
    assert logit(found.value) - logit(low) == pytest.approx(t * (found.error**2 + added) ** 0.5 / slope)
    below = area(-scores, MEMBER.astype(int), rows(80), [1], None)
    assert below.limits(1.96) == pytest.approx((1 - high, 1 - low))


def test_areas_of_several_classes_are_averaged_and_absent_ones_left_out():
    truth = np.arange(90) % 3
    scores = GENERATOR.random((90, 4))
    scores[np.arange(90), truth] += 0.3
    found = area(scores, truth, rows(90), [0, 1, 2, 3], None)
    single = [roc_auc_score(truth == k, scores[:, k]) for k in range(3)]
    assert found.value == pytest.approx(np.mean(single))
    assert found.influence is not None

    def macro(weight):
        return np.mean([roc_auc_score(truth == k, scores[:, k], sample_weight=weight) for k in range(3)])

    assert moved(macro, np.ones(90), 5) == pytest.approx(found.influence[5], abs=1e-3)
    assert np.isnan(area(scores, np.zeros(90, dtype=int), rows(90), [0, 1], None).value)


def test_scores_that_separate_or_tie_have_the_ends_they_can_have():
    separate = area(np.stack([~MEMBER, MEMBER], axis=1).astype(float), MEMBER.astype(int), rows(80), [1], None)
    assert separate.limits(1.96) == pytest.approx(rate_limits(1.0, 27, 1.96))
    tied = area(np.zeros((80, 2)), MEMBER.astype(int), rows(80), [1], None)
    assert (tied.value, tied.limits(1.96)) == (0.5, (0.5, 0.5))
    few = area(np.stack([-SCORE, SCORE], axis=1), MEMBER.astype(int), rows(80), [1], "3 rows")
    assert np.isnan(few.limits(1.96)).all()


def test_counted_rows_have_the_area_of_rows_written_out():
    held = WEIGHT.astype(int)
    counted = area(np.stack([-SCORE, SCORE], axis=1), MEMBER.astype(int), Sampling(weight=WEIGHT), [1], None)
    out = np.repeat(np.arange(80), held)
    written = area(np.stack([-SCORE, SCORE], axis=1)[out], MEMBER[out].astype(int), rows(len(out)), [1], None)
    assert (counted.value, counted.error, counted.n) == pytest.approx((written.value, written.error, written.n))
    assert counted.limits(1.96) == pytest.approx(written.limits(1.96))


def test_a_resampled_mean_has_the_error_and_the_ends_of_a_mean():
    values = np.random.default_rng(0).exponential(size=150)

    def statistic(weights, chosen):
        given = values if chosen is None else values[chosen]
        return weights @ given / weights.sum(axis=1)

    found = resampled(statistic, rows(150), np.random.default_rng(1), lowest=0.0, replicates=3000)
    exact = mean(values, rows(150), lowest=0.0)
    assert (found.value, found.n) == (pytest.approx(exact.value), 150)
    assert found.error == pytest.approx(exact.error, rel=0.05)
    assert found.limits(1.96) == pytest.approx(exact.limits(1.96), rel=0.02)


def test_a_part_of_many_rows_is_resampled_and_the_error_narrowed():
    values = np.random.default_rng(2).normal(size=40_000)
    seen = []

    def statistic(weights, chosen):
        seen.append(chosen)
        given = values if chosen is None else values[chosen]
        return weights @ given / weights.sum(axis=1)

    found = resampled(statistic, rows(40_000), np.random.default_rng(1), replicates=300)
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std() / 200, rel=0.12)
    assert found.n == 40_000
    assert {len(chosen) for chosen in seen if chosen is not None} == {10_000}


def test_what_most_resamples_leave_undefined_has_no_ends():
    def statistic(weights, chosen):
        return np.where(weights[:, 0] == 1, 1.0, np.nan)

    found = resampled(statistic, rows(30), np.random.default_rng(0), replicates=200)
    assert found.value == 1.0
    assert np.isnan(found.limits(1.96)).all()
    nothing = resampled(lambda weights, chosen: np.full(len(weights), np.nan), rows(30), np.random.default_rng(0))
    assert nothing.estimate(0.95).value is None


def test_what_never_varies_has_no_width():
    found = resampled(lambda weights, chosen: np.full(len(weights), 2.0), rows(30), np.random.default_rng(0), replicates=50)
    assert found.limits(1.96) == (2.0, 2.0)


def test_events_are_rows_or_clusters_of_the_rarest_class():
    truth = np.array(["no"] * 20 + ["yes"] * 4)
    assert rarest_class(truth, rows(24)) == "4 rows of the class “yes”, at least 5 are needed"
    assert rarest_class(np.array(["no"] * 20 + ["yes"] * 5), rows(25)) is None
    assert rarest_class(pd.Series(truth), Sampling(weight=np.full(24, 2.0))) is None
    assert rarest_class(np.array(["no"] * 9), rows(9)) == "all rows are of one class “no”"
    assert rarest_class(np.array([], dtype=object), rows(0)) == "all rows are of one class"
    persons = Sampling(weight=np.ones(24), clusters=np.concatenate([np.arange(20), np.repeat(20, 4)]))
    assert rarest_class(truth, persons) == "1 clusters with rows of the class “yes”, at least 5 are needed"


def test_events_of_a_mean_over_all_rows_are_rows_of_other_classes_than_the_commonest():
    truth = np.array(["a"] * 20 + ["b"] * 3 + ["c"] * 1)
    assert other_classes(truth, rows(24)) == "4 rows of classes other than “a”, at least 5 are needed"
    assert other_classes(np.array(["a"] * 20 + ["b"] * 3 + ["c"] * 2), rows(25)) is None
    assert other_classes(np.array(["a"] * 20 + ["b"] * 3), rows(23)) == "3 rows of the class “b”, at least 5 are needed"
    assert other_classes(np.array(["a"] * 3), rows(3)) == "all rows are of one class “a”"


def test_a_number_that_some_resamples_leave_undefined_keeps_the_error_of_the_others() -> None:
    """A share among rows of a kind that a third of the resamples lack: one row in thirty is of it."""
    values = np.random.default_rng(5).normal(size=30)

    def statistic(weights: np.ndarray, chosen: np.ndarray | None) -> np.ndarray:
        return np.where(weights[:, 0] > 0, weights @ values / weights.sum(axis=1), np.nan)

    found = resampled(statistic, rows(30), np.random.default_rng(0), replicates=2000)
    assert found.error == pytest.approx(values.std(ddof=1) / 30**0.5, rel=0.1)
    assert np.isfinite(found.limits(1.96)).all()

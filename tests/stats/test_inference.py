"""Numbers with their limits, against scipy, published intervals and rows written out."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit

from glassbench.stats.inference import (
    difference,
    effective_size,
    from_influence,
    logit_limits,
    mean,
    mean_of_shares,
    rate_limits,
    share,
    skewed_limits,
    studentized,
    undefined,
)
from glassbench.stats.intervals import rate_interval, score_interval
from glassbench.stats.sampling import Sampling, Spread

Z = stats.norm.ppf(0.975)
GENERATOR = np.random.default_rng(3)
VALUES = GENERATOR.normal(2, 1, 30)
HITS = GENERATOR.random(60) < 0.3
PERSON = np.repeat(np.arange(12), 5)


def rows(n):
    return Sampling(weight=np.ones(n))


def ends(found, level=0.95):
    estimate = found.estimate(level)
    return estimate.low, estimate.high


def test_nothing_defined_is_said_so():
    estimate = undefined(7).estimate(0.95)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 7)


def test_a_share_of_rows_has_the_rate_interval_of_its_counts():
    found = share(HITS, rows(60))
    low, high = rate_interval(np.array(HITS.sum()), np.array(60))
    assert ends(found) == pytest.approx((float(low), float(high)))
    assert (found.value, found.n) == (HITS.mean(), 60)
    assert found.error == pytest.approx((HITS.mean() * (1 - HITS.mean()) / 59) ** 0.5)
    assert found.influence == pytest.approx(HITS - HITS.mean())
    wider = ends(found, 0.99)
    assert wider[0] < low < high < wider[1]


def test_a_share_among_some_rows_is_that_of_these_rows_alone():
    among = np.arange(60) % 2 == 0
    found, alone = share(HITS, rows(60), among), share(HITS[among], rows(30))
    assert (found.value, found.n, ends(found)) == (alone.value, 30, ends(alone))
    assert found.influence is None
    assert share(HITS, rows(60), np.zeros(60, dtype=bool)).estimate(0.95).value is None


def test_a_share_of_counted_rows_is_that_of_rows_written_out():
    held = np.array([3.0, 4.0, 5.0])
    found = share(np.array([True, False, True]), Sampling(weight=held))
    assert (found.value, found.n) == (8 / 12, 12)
    assert ends(found) == ends(share(np.array([True] * 8 + [False] * 4), rows(12)))


def test_a_share_of_clusters_has_the_score_interval_of_as_many_rows_as_vary_so_much():
    found = share(HITS, Sampling(weight=np.ones(60), clusters=PERSON))
    means = HITS.reshape(12, 5).mean(axis=1)
    variance = means.var(ddof=1) / 12
    value = HITS.mean()
    low, high = score_interval(np.array(value), np.array(min(value * (1 - value) / variance, 60)), stats.t.ppf(0.975, 11))
    assert ends(found) == pytest.approx((float(low), float(high)))
    assert found.error == pytest.approx(variance**0.5)
    assert found.n == 60


def test_as_many_independent_rows_as_the_error_tells():
    clustered = Sampling(weight=np.ones(60), clusters=PERSON)
    assert effective_size(0.3, 0.1, rows(60)) == 60
    assert effective_size(0.3, 0.1, clustered) == pytest.approx(21)
    assert effective_size(0.3, 0.01, clustered) == 60
    assert effective_size(0.0, 0.1, clustered) == 12
    assert effective_size(1.0, 0.1, clustered) == 12
    assert effective_size(0.3, 0.0, clustered) == 12
    assert effective_size(0.3, np.inf, clustered) == 12


def test_limits_of_a_share_are_those_of_rows_or_of_clusters():
    low, high = rate_interval(np.array(3.0), np.array(10.0), 0.9)
    assert rate_limits(0.3, 10, stats.norm.ppf(0.95)) == pytest.approx((float(low), float(high)))
    low, high = score_interval(np.array(0.3), np.array(10.0), stats.t.ppf(0.95, 4))
    assert rate_limits(0.3, 10, stats.norm.ppf(0.95), 4) == pytest.approx((float(low), float(high)))


def test_a_mean_without_skewness_has_students_interval():
    symmetric = np.concatenate([VALUES, 4 - VALUES])
    found = mean(symmetric, rows(60))
    expected = stats.ttest_1samp(symmetric, 0).confidence_interval(0.95)
    assert ends(found) == pytest.approx((expected.low, expected.high))
    assert (found.value, found.n) == (pytest.approx(symmetric.mean()), 60)
    assert found.influence == pytest.approx(symmetric - symmetric.mean())


def test_a_skewed_mean_reaches_further_toward_its_tail():
    values = np.random.default_rng(0).exponential(size=40)
    low, high = ends(mean(values, rows(40)))
    student = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert low > student.low
    assert high > student.high
    mirrored = ends(mean(-values, rows(40)))
    assert mirrored == pytest.approx((-high, -low))


def test_halls_transformation_is_inverted_exactly():
    """Hall (1992): g(t) = t + a t² + a² t³ / 3 + a n^-1/2 / 2 is monotone; limits are where it reaches the critical values."""
    spread = Spread(error=0.2, skewness=1.2, units=25)
    low, high = skewed_limits(1.0, spread, Z, one_sided=True)
    t = stats.t.ppf(0.975, 24)
    for end, critical, factor in ((low, t, 1.5), (high, -t, 2.0)):
        studentized_, a = (1.0 - end) / 0.2, 1.2 * factor / 5
        assert studentized_ + a / 3 * studentized_**2 + a**2 / 27 * studentized_**3 + a / 6 == pytest.approx(critical)


def test_factors_of_skewness_fade_with_rows_and_differ_by_side():
    def reach(units, one_sided, skewness=1.0):
        low, high = skewed_limits(0.0, Spread(error=1.0, skewness=skewness, units=units), Z, one_sided=one_sided)
        return -low, high

    assert reach(100, True)[1] == pytest.approx(reach(100, False)[1])
    assert reach(100, True)[0] < reach(100, False)[0]  # the end away from the tail is drawn in less where skewness may be chance
    assert reach(100, True, -1.0) == pytest.approx(reach(100, True)[::-1])
    few, many = reach(30, True), reach(100_000, True)
    assert few[1] - few[0] > many[1] - many[0]
    assert many == pytest.approx((Z, Z), abs=0.02)


def test_a_value_is_never_outside_its_limits():
    low, high = skewed_limits(0.0, Spread(error=1.0, skewness=30.0, units=6), 0.1, one_sided=False)
    assert low <= 0 <= high


def test_a_number_between_two_bounds_has_limits_on_the_logit_scale():
    found = from_influence(0.4, VALUES - VALUES.mean(), rows(30), lowest=0.0, highest=1.0)
    t, error = stats.t.ppf(0.975, 29), VALUES.std(ddof=1) / 30**0.5
    low, high = ends(found)
    assert logit(high) - logit(0.4) == pytest.approx(t * error / 0.24)
    assert logit(0.4) - logit(low) == pytest.approx(t * error / 0.24)


def test_bounds_that_are_not_0_and_1_only_move_and_stretch_the_interval():
    narrow = logit_limits(0.25, (0.05, 0.1), 9, Z)
    wide = logit_limits(-0.5, (0.1, 0.2), 9, Z, -1.0, 1.0)
    assert wide == pytest.approx(tuple(2 * end - 1 for end in narrow))
    t = stats.t.ppf(0.975, 9)
    assert logit(narrow[0]) == pytest.approx(logit(0.25) - t * 0.05 / 0.1875)
    assert logit(narrow[1]) == pytest.approx(logit(0.25) + t * 0.1 / 0.1875)


def test_a_number_on_its_bound_has_the_limits_of_a_share_of_none_or_all():
    at = from_influence(-1.0, np.zeros(20), rows(20), lowest=-1.0, highest=3.0)
    low, high = rate_interval(np.array(0.0), np.array(20.0))
    assert ends(at) == pytest.approx((-1 + 4 * float(low), -1 + 4 * float(high)))
    top = from_influence(3.0, np.zeros(20), rows(20), lowest=-1.0, highest=3.0)
    assert ends(top)[1] == 3.0
    assert ends(top)[0] < 3.0


def test_limits_stop_at_a_bound_on_one_side():
    values = np.array([0.0] * 20 + [1.0, 9.0])
    low, high = ends(mean(values, rows(22), lowest=0.0))
    assert low == 0.0
    assert high > values.mean()
    low, high = ends(mean(-values, rows(22), highest=0.0))
    assert high == 0.0


def test_four_rows_support_no_interval_and_five_do():
    few = mean(VALUES[:4], rows(4)).estimate(0.95)
    assert (few.low, few.high, few.unsupported) == (None, None, "4 rows, at least 5 are needed")
    assert mean(VALUES[:5], rows(5)).estimate(0.95).unsupported is None
    persons = mean(VALUES[:20], Sampling(weight=np.ones(20), clusters=np.repeat(np.arange(4), 5))).estimate(0.95)
    assert persons.unsupported == "4 clusters, at least 5 are needed"
    given = mean(VALUES, rows(30), unsupported="3 errors").estimate(0.95)
    assert (given.low, given.unsupported) == (None, "3 errors")


def test_what_is_not_finite_is_undefined():
    assert from_influence(np.nan, VALUES, rows(30)).estimate(0.95).value is None
    assert from_influence(np.inf, VALUES, rows(30)).estimate(0.95).value is None


def test_a_difference_on_the_same_rows_is_paired():
    other = VALUES + GENERATOR.normal(0.3, 0.1, 30)
    found = difference(mean(other, rows(30)), mean(VALUES, rows(30)), rows(30))
    assert found is not None
    paired = other - VALUES
    assert found.value == pytest.approx(paired.mean())
    assert found.error == pytest.approx(paired.std(ddof=1) / 30**0.5)
    assert difference(mean(other, rows(30)), undefined(30), rows(30)) is None
    assert difference(undefined(30), mean(other, rows(30)), rows(30)) is None
    few = difference(mean(other, rows(30), unsupported="a"), mean(VALUES, rows(30)), rows(30))
    assert few is not None
    assert few.unsupported == "a"
    few = difference(mean(other, rows(30)), mean(VALUES, rows(30), unsupported="b"), rows(30))
    assert few is not None
    assert few.unsupported == "b"


def test_a_mean_of_recalls_recovers_the_variances_of_its_parts():
    member = [np.arange(60) < 20, np.arange(60) >= 20]
    found = mean_of_shares(HITS, member, rows(60))
    parts = [share(HITS[m], rows(int(m.sum()))) for m in member]
    value = (parts[0].value + parts[1].value) / 2
    assert found.value == pytest.approx(value)
    assert found.error == pytest.approx((parts[0].error ** 2 + parts[1].error ** 2) ** 0.5 / 2)
    estimates = [part.estimate(0.95) for part in parts]
    low = value - sum((p.value - e.low) ** 2 for p, e in zip(parts, estimates, strict=True)) ** 0.5 / 2
    high = value + sum((p.value - e.high) ** 2 for p, e in zip(parts, estimates, strict=True)) ** 0.5 / 2
    assert ends(found) == pytest.approx((low, high))
    assert (found.n, mean_of_shares(HITS, [], rows(60)).estimate(0.95).value) == (60, None)
    assert ends(mean_of_shares(HITS, member, rows(60), "2 rows")) == (None, None)


def test_the_influence_of_a_mean_of_recalls_is_what_leaving_rows_out_shows():
    member = [np.arange(60) < 20, np.arange(60) >= 20]
    found = mean_of_shares(HITS, member, rows(60))
    assert found.influence is not None
    step = 1e-6
    for row in (0, 7, 33):
        weight = np.ones(60)
        weight[row] += step
        moved = np.mean([(weight[m] @ HITS[m]) / weight[m].sum() for m in member])
        assert (moved - found.value) / step * 60 == pytest.approx(found.influence[row], abs=1e-4)


HELD = np.random.default_rng(6).integers(1, 6, 60).astype(float)
PARTS = [np.arange(60) < 22, np.arange(60) >= 22]


@pytest.mark.parametrize(
    ("statistic", "of"),
    [
        (lambda w: w @ HITS / w.sum(), lambda s: share(HITS, s)),
        (lambda w: w @ VALUES[np.arange(60) // 2] / w.sum(), lambda s: mean(VALUES[np.arange(60) // 2], s)),
        (lambda w: np.mean([w[m] @ HITS[m] / w[m].sum() for m in PARTS]), lambda s: mean_of_shares(HITS, PARTS, s)),
    ],
    ids=["share", "mean", "mean of shares"],
)
@pytest.mark.parametrize("clusters", [None, PERSON])
def test_an_influence_is_how_far_a_little_more_weight_moves_the_number(statistic, of, clusters):
    """Times the weight of all rows; weighted, influences sum to nothing."""
    found = of(Sampling(weight=HELD, clusters=clusters))
    assert found.value == pytest.approx(statistic(HELD))
    for row in (0, 7, 33, 59):
        more = HELD.copy()
        more[row] += 1e-6
        assert (statistic(more) - statistic(HELD)) / 1e-6 * HELD.sum() == pytest.approx(found.influence[row], abs=1e-3)
    assert HELD @ found.influence == pytest.approx(0, abs=1e-9)


def test_a_mean_of_recalls_of_clusters_goes_by_its_influence():
    clustered = Sampling(weight=np.ones(60), clusters=PERSON)
    member = [np.arange(60) < 22, np.arange(60) >= 22]
    found = mean_of_shares(HITS, member, clustered)
    assert found.influence is not None
    alike = from_influence(found.value, found.influence, clustered, lowest=0.0, highest=1.0)
    assert ends(found) == ends(alike)
    assert ends(mean_of_shares(HITS, member, clustered, "few")) == (None, None)


def test_studentized_numbers_keep_their_error_and_units():
    found = studentized(1.0, Spread(error=0.3, skewness=0.0, units=12), rows(40))
    assert (found.value, found.error, found.n) == (1.0, 0.3, 40)
    t = stats.t.ppf(0.975, 11)
    assert ends(found) == pytest.approx((1 - 0.3 * t, 1 + 0.3 * t))


def test_a_share_of_all_rows_is_one_however_their_weights_add_up():
    chance = np.random.default_rng(0)
    for n in range(20, 60):
        weight = chance.uniform(0.5, 2, n)  # the sum of these over their sum is 1 + 2e-16 for some n
        whole = share(np.ones(n, dtype=bool), Sampling(weight=weight, clusters=np.arange(n), survey=True)).estimate(0.9)
        assert whole.low < whole.value <= whole.high == 1.0

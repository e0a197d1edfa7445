"""Gaps, grades and adjusted gaps of frames whose numbers and standard errors are given, against sums done by hand."""

from dataclasses import replace

import numpy as np
import pytest
from given_frames import Given, Z
from scipy.stats import norm

from glassbench.stats.more_rows import more_rows
from glassbench_audits.fairness.comparison.adjusted import Adjusted, adjusted, difference
from glassbench_audits.fairness.comparison.chance import against_chance, normal_lines
from glassbench_audits.fairness.comparison.criteria import Comparison, compare, families
from glassbench_audits.fairness.comparison.critical_values import folded
from glassbench_audits.fairness.comparison.gaps import Extremes, Gap, gaps, ratios_to_highest
from glassbench_audits.fairness.comparison.grading import Rules, judge
from glassbench_audits.fairness.frames.rates import GroupMetric


def given(value, error, *, metrics=("selection_rate",), scaled=False, **more):
    """Return a frame of given numbers and standard errors, of one metric where they are of one axis."""
    named = [GroupMetric(name=name, words=f"rate {name}", of="rows", higher_is_better=None, scaled=scaled) for name in metrics]
    return Given(np.atleast_2d(value), np.atleast_2d(error), metrics=tuple(named), **more)


def all_of(frame):
    return np.ones(frame.value.shape, dtype=bool)


def gap_of(frame, which=(0,), keep=None):
    return gaps(frame, [which], all_of(frame) if keep is None else keep, 0.95)[0]


def test_the_end_that_claims_a_gap_allows_for_the_choice_and_the_other_does_not():
    found, ratio = gap_of(given([0.475, 0.6], [0.04, 0.03]))
    assert (found.value, found.where) == (pytest.approx(0.125), Extremes(metric=0, top=1, bottom=0))
    assert found.low == pytest.approx(0.125 - folded(2.5, 0.95) * 0.05)
    assert found.high == pytest.approx(0.125 + Z * 0.05)
    assert folded(2.5, 0.95) < Z
    assert (ratio.value, ratio.where) == (pytest.approx(0.475 / 0.6), found.where)
    assert ratio.low < ratio.value < ratio.high < 1


def test_of_three_groups_the_widest_pair_counts_at_bonferronis_value_without_resamples():
    values, errors = [0.5, 0.3, 0.42], [0.03, 0.04, 0.05]
    found, _ = gap_of(given(values, errors))
    bound = norm.isf(0.025 / 6)
    pairs = [(0, 1), (0, 2), (2, 1)]
    spread = {pair: np.hypot(errors[pair[0]], errors[pair[1]]) for pair in pairs}
    least = Z * max(spread.values())
    beyond = max((values[a] - values[b] - least) / spread[a, b] for a, b in pairs)
    critical = min(max(beyond, norm.isf(0.035 / 6)), bound)
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(max(values[a] - values[b] - critical * spread[a, b] for a, b in pairs))
    assert found.high == pytest.approx(max(values[a] - values[b] + Z * spread[a, b] for a, b in pairs))


def test_a_criterion_of_two_rates_has_the_wider_gap():
    frame = given([[0.5, 0.4], [0.2, 0.5]], [[0.01, 0.01], [0.02, 0.02]], metrics=("true_positive_rate", "false_positive_rate"))
    found, ratio = gap_of(frame, (0, 1))
    assert (found.value, found.where) == (pytest.approx(0.3), Extremes(metric=1, top=1, bottom=0))
    assert ratio.value == pytest.approx(0.4)
    alone = gaps(frame, [(0,), (1,)], all_of(frame), 0.95)
    assert [pair[0].value for pair in alone] == pytest.approx([0.1, 0.3])
    assert ratio.low == min(pair[1].low for pair in alone)
    assert alone[1][1].low < alone[0][1].low


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_criterion_has_no_end_where_one_of_its_metrics_has_none(lacking):
    errors = np.full((2, 2), 0.02)
    errors[lacking] = np.nan
    frame = given([[0.5, 0.4], [0.2, 0.5]], errors, metrics=("true_positive_rate", "false_positive_rate"))
    found, _ = gap_of(frame, (0, 1))
    assert found.value == pytest.approx(0.3)
    assert np.isnan([found.low, found.high]).tolist() in ([True, True], [False, True])
    assert np.isnan(found.high)
    whole = gap_of(frame, (1 - lacking,))[0]
    assert np.isfinite([whole.low, whole.high]).all()


def test_a_gap_below_nothing_starts_at_nothing_and_a_ratio_ends_at_one():
    found, ratio = gap_of(given([0.5, 0.49], [0.05, 0.05]))
    assert found.low == 0.0
    assert ratio.high == 1.0


@pytest.mark.parametrize(
    ("values", "keep", "words"),
    [
        ([0.5], [True], "there is only one group, job “a”"),
        ([0.5, np.nan], [True, True], "fewer than two groups have a rate selection_rate: the others have no rows"),
        ([0.5, 0.4], [True, False], "fewer than two groups are large enough to compare their rate selection_rate"),
    ],
)
def test_where_there_is_no_gap_it_says_why(values, keep, words):
    frame = given(values, np.full(len(values), 0.1))
    assert [gap.undefined for gap in gap_of(frame, keep=np.array([keep]))] == [words, words]


def test_rates_of_nothing_have_a_gap_of_nothing_and_no_ratio():
    found, ratio = gap_of(given([0.0, 0.0], [0.01, 0.01]))
    assert found.value == 0.0
    assert ratio.undefined == "the rate selection_rate is 0 in every group"


def test_a_group_with_too_few_events_takes_the_interval_away_where_it_takes_part():
    frame = given([0.5, 0.4, 0.3], [0.1, 0.1, 0.1])
    frame.unsupported = np.array([[None, "3 events", None]], dtype=object)
    found, ratio = gap_of(frame)
    assert (found.value, found.low, found.high, found.unsupported) == (pytest.approx(0.2), None, None, "job “b”: 3 events")
    assert ratio.unsupported == found.unsupported
    assert gap_of(frame, keep=np.array([[True, False, True]]))[0].unsupported is None


def test_ratios_to_the_highest_of_two_groups_are_the_smallest_ratio_for_the_lower_one():
    frame = given([0.6, 0.4], [0.02, 0.02])
    _, ratio = gap_of(frame)
    lows, highs = ratios_to_highest(frame, 0, all_of(frame), 0.95)
    assert (lows[1], highs[1]) == pytest.approx((ratio.low, ratio.high))
    assert highs[0] == 1.0
    assert lows[0] == 1.0


def test_criteria_are_the_metrics_that_must_agree():
    names = ("selection_rate", "true_positive_rate", "false_positive_rate")
    metrics = given(np.zeros((3, 2)), np.ones((3, 2)), metrics=names).metrics
    assert families(metrics) == {
        "demographic_parity": (0,),
        "equalized_odds": (1, 2),
        "equal_opportunity": (1,),
        "selection_rate": (0,),
        "true_positive_rate": (1,),
        "false_positive_rate": (2,),
    }
    of_class = [replace(metric, klass=klass) for klass in ("x", "y") for metric in metrics[:1]]
    assert families(of_class)["demographic_parity"] == (0, 1)
    assert families(of_class)["demographic_parity[y]"] == (1,)
    assert families([*of_class, metrics[0]])["demographic_parity"] == (2,)
    good = [of_class[0], replace(of_class[1], good=True)]
    assert families(good)["selection_rate"] == (1,)


def test_small_groups_are_compared_and_not_judged():
    frame = given([0.5, 0.4, 0.1], [0.03, 0.03, 0.03], n=np.array([100, 100, 9]))
    (parity,) = (c for c in compare(frame, level=0.95, small=10, chance=10, generator=None) if c.name == "demographic_parity")
    assert (parity.difference.value, parity.large_difference.value) == (pytest.approx(0.4), pytest.approx(0.1))
    assert (parity.ratio.value, parity.large_ratio.value) == (pytest.approx(0.2), pytest.approx(0.8))
    assert parity.left_out == (2,)
    apart = 0.1 / (0.03 * np.sqrt(2))
    assert parity.large_difference.p == pytest.approx(2 * norm.sf(apart), abs=1e-4)
    assert parity.large_difference.chance == pytest.approx(0.03 * 2 / np.sqrt(np.pi), abs=1e-4)


RULES = Rules(level=0.95, difference=0.1, ratio=0.8, value=3.0)


def judged(gap, *, p=0.001, name="accuracy", ratio=None, scaled=False, rules=RULES):
    frame = given([0.5, 0.4], [0.1, 0.1], scaled=scaled)
    found = replace(gap, p=p)
    one = Comparison(name=name, which=(0,), difference=gap, ratio=ratio, large_difference=found, large_ratio=ratio, left_out=())
    return judge([(frame, [one])], rules)


@pytest.mark.parametrize(
    ("low", "high", "p", "grade"),
    [
        (0.11, 0.3, 0.05, "concern"),
        (0.11, 0.3, 0.06, "unclear"),
        (0.11, 0.3, None, "unclear"),
        (0.1, 0.3, 0.001, "unclear"),
        (0.0, 0.1, 0.001, "ok"),
        (0.0, 0.11, 0.9, "unclear"),
        (None, None, 0.001, "unclear"),
    ],
)
def test_a_gap_fails_when_it_is_surely_too_wide_and_no_chance(low, high, p, grade):
    (found,) = judged(Gap(value=0.2, low=low, high=high), p=p)
    assert (found.grade, found.threshold, found.name) == (grade, 0.1, "accuracy")
    assert (found.more_rows is not None) == (grade == "unclear" and low is not None and low < 0.1 < high)


@pytest.mark.parametrize(
    ("low", "high", "grade"), [(0.5, 0.79, "concern"), (0.5, 0.8, "unclear"), (0.8, 0.9, "ok"), (0.8 - 1e-12, 0.9, "ok")]
)
def test_four_fifths_is_asked_of_the_ratio(low, high, grade):
    gap, ratio = Gap(value=0.05, low=0.01, high=0.09), Gap(value=(low + high) / 2, low=low, high=high)
    parity, fifths = judged(gap, name="demographic_parity", ratio=ratio)
    assert (parity.name, parity.grade, parity.threshold) == ("demographic_parity", "ok", 0.1)
    assert (fifths.name, fifths.grade, fifths.threshold, fifths.gap) == ("four_fifths", grade, 0.8, ratio)


def test_gaps_of_values_are_held_against_their_own_threshold_and_what_is_not_asked_is_not_judged():
    (found,) = judged(Gap(value=4.0, low=3.1, high=5.0), name="mean_signed_error", scaled=True)
    assert (found.grade, found.threshold) == ("concern", 3.0)
    assert judged(Gap(value=0.2, low=0.1, high=0.3), name="true_positive_rate") == ()
    assert len(judged(Gap(value=0.2, low=0.1, high=0.3), rules=replace(RULES, judged=("accuracy",)))) == 1


def test_p_values_are_corrected_for_everything_judged():
    wide = Gap(value=0.3, low=0.2, high=0.4)
    frames = [given([0.5, 0.2], [0.1, 0.1], by=by) for by in ("job", "sex", "age")]
    pairs = [
        (
            frame,
            [
                Comparison(
                    name="accuracy",
                    which=(0,),
                    difference=wide,
                    ratio=None,
                    large_difference=replace(wide, p=p),
                    large_ratio=None,
                    left_out=(),
                )
            ],
        )
        for frame, p in zip(frames, (0.02, 0.01, 0.04), strict=True)
    ]
    found = judge(pairs, RULES)
    assert [one.p for one in found] == pytest.approx([0.04, 0.03, 0.04])
    assert [one.grade for one in judge(pairs[:2] * 1, RULES)] == ["concern", "concern"]
    assert [one.p for one in judge([pairs[0], pairs[2]], RULES)] == pytest.approx([0.04, 0.04])


class Drawn(Given):
    """A frame whose draws under the null are given `(replicates, metrics, groups)`."""

    def null(self, which, replicates, generator):
        assert replicates == len(self.given)
        return self.given[:, list(which)]


def drawn(given, keep=None):
    frame = Drawn(np.zeros(np.shape(given)[1:]), np.zeros(np.shape(given)[1:]), metrics=("a", "b")[: np.shape(given)[1]])
    frame.given = np.asarray(given, dtype=float)
    taking_part = np.ones(frame.value.shape, dtype=bool) if keep is None else np.asarray(keep)
    which, none = range(len(frame.value)), (None,) * len(frame.value)
    return lambda gap: against_chance(frame, which, taking_part, none, gap, len(given), None)


def test_chance_counts_the_draws_as_wide_as_the_gap_and_the_sample_itself():
    asked = drawn([[[0.1, 0.4, 0.2]], [[0.3, 0.3, 0.3]], [[0.5, 0.4, 0.3]], [[0.0, 0.1, 0.05]]])
    widths = [0.3, 0.0, 0.2, 0.1]
    for gap, beyond in ((0.0, 4), (0.1, 3), (0.15, 2), (0.3, 1), (0.31, 0), (1.0, 0)):
        assert asked(gap) == pytest.approx(((1 + beyond) / 5, np.mean(widths)))
    assert asked(None) is None


def test_chance_looks_at_the_widest_of_all_metrics_among_groups_that_take_part():
    draws = [[[0.1, 0.4, 0.9], [0.5, 0.5, 0.5]], [[0.2, 0.2, np.nan], [0.1, 0.4, 0.4]]]
    keep = [[True, True, False], [True, True, True]]
    assert drawn(draws, keep)(0.25) == pytest.approx((1.0, 0.3))
    assert drawn(draws)(0.5) == pytest.approx((2 / 3, (0.8 + 0.3) / 2))


def test_numbers_close_to_normal_are_those_of_alike_spread():
    frame = given([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]], [[0.1, 0.2], [0.1, np.nan], [0.1, 0.2]], metrics=("a", "b", "c"))
    first, second, third = normal_lines(frame, all_of(frame))
    assert second is None
    assert first is third is not None
    assert normal_lines(frame, ~all_of(frame)) == (None, None, None)


def test_rows_that_would_settle_a_gap_are_clusters_where_rows_hang_together():
    wide = Gap(value=0.15, low=0.05, high=0.25, p=0.001)
    comparison = Comparison(
        name="accuracy", which=(0,), difference=wide, ratio=None, large_difference=wide, large_ratio=None, left_out=()
    )
    alone, clustered = given([0.5, 0.4], [0.1, 0.1], n=900), given([0.5, 0.4], [0.1, 0.1], n=900)
    clustered.clusters = 70
    for frame, units in ((alone, 1800), (clustered, 70)):
        (found,) = judge([(frame, [comparison])], RULES)
        assert found.grade == "unclear"
        assert found.more_rows is not None
        assert found.more_rows == more_rows(0.15, 0.05, 0.25, units, 0.1)


def test_strata_are_weighted_as_mantel_and_haenszel_do():
    whole = given([0.5, 0.4], [0.03, 0.04])
    first, second = (
        given([0.3, 0.4], [0.05, 0.02], n=np.array([30, 60])),
        given([0.2, 0.1], [0.04, 0.06], n=np.array([10, 10])),
    )
    lacking, absent = given([0.9], [0.1], names="a"), given([np.nan, 0.4], [0.1, 0.1])
    found = adjusted(whole, [first, lacking, second, absent], Extremes(metric=0, top=0, bottom=1), 0.95)
    u, v = 30 * 60 / 90, 10 * 10 / 20
    value = (u * -0.1 + v * 0.1) / (u + v)
    reach = Z * np.sqrt(u**2 * (0.05**2 + 0.02**2) + v**2 * (0.04**2 + 0.06**2)) / (u + v)
    assert found.within == pytest.approx((value, value - reach, value + reach))
    assert found.overall == pytest.approx((0.1, 0.1 - Z * 0.05, 0.1 + Z * 0.05))
    assert (found.opposite, found.strata) == (1, 2)
    assert adjusted(whole, [lacking, absent], Extremes(metric=0, top=0, bottom=1), 0.95) is None


def test_groups_stand_in_any_order_within_strata():
    whole, turned = given([0.5, 0.4], [0.03, 0.04]), given([0.1, 0.7], [0.02, 0.05], names="ba")
    found = adjusted(whole, [turned], Extremes(metric=0, top=0, bottom=1), 0.95)
    assert found.within[0] == pytest.approx(0.6)
    assert difference(whole, Extremes(metric=0, top=1, bottom=0), Z)[0] == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("overall", "within", "turns", "vanishes"),
    [
        ((0.1, 0.02, 0.2), (-0.1, -0.2, -0.01), True, False),
        ((0.1, 0.0, 0.2), (-0.1, -0.2, -0.01), False, False),
        ((0.1, 0.02, 0.2), (-0.1, -0.2, 0.0), False, True),
        ((0.1, 0.02, 0.2), (0.0, 0.0, 0.01), False, True),
        ((0.1, 0.02, 0.2), (0.0, -0.01, 0.02), False, False),
        ((0.1, 0.02, 0.2), (0.01, 0.001, 0.015), False, False),
    ],
)
def test_when_strata_turn_a_gap_round_and_when_they_explain_it(overall, within, turns, vanishes):
    pair = Adjusted(where=Extremes(metric=0, top=0, bottom=1), overall=overall, within=within, opposite=0, strata=1)
    assert (pair.reversed, pair.vanishes) == (turns, vanishes)


def test_a_group_too_small_for_one_rate_of_a_criterion_is_left_out() -> None:
    frame = given(
        [[0.5, 0.4, 0.1], [0.3, 0.3, 0.2]], np.full((2, 3), 0.03), metrics=("true_positive_rate", "false_positive_rate")
    )
    frame.n = np.array([[100, 100, 9], [100, 100, 100]])
    found = {c.name: c for c in compare(frame, level=0.95, small=10, chance=10, generator=None)}
    assert found["equalized_odds"].left_out == found["equal_opportunity"].left_out == (2,)
    assert found["false_positive_rate"].left_out == ()

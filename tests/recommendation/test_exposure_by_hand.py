"""The numbers of the audit of exposure, from lists that are short enough to count: unequal lists, ties, and both directions."""

from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.contracts.predictions.outputs import RankingOutput
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import mean
from glassbench.stats.sampling import Sampling
from glassbench_audits.exposure.audit import _baseline_lift
from glassbench_audits.exposure.exhibits import exposure_finding, gap_grade, popularity_finding
from glassbench_audits.exposure.shares import (
    Exposed,
    coverage,
    exposure_of,
    largest,
    popular_items,
    popularity_lift,
    reference_lists,
)

POPULARITY = np.array([40, 30, 10, 0])


def output(recommended: list[list[int]], **more: object) -> RankingOutput:
    given = {"relevant": None, "seen": None, "popularity": POPULARITY, **more}
    return RankingOutput(items=("w", "x", "y", "z"), recommended=np.array(recommended), **given)


def independent(rows: int) -> Sampling:
    return Sampling(weight=np.ones(rows))


@pytest.mark.parametrize(("share", "items"), [(0.5, 4), (0.1, 1), (0.01, 1), (0.23, 2), (0.9, 6)])
def test_popular_items_are_the_nearest_whole_number_and_one_at_least(share: float, items: int) -> None:
    named = popular_items(np.array([1, 7, 3, 3, 3, 9, 2]), share)
    assert (named == "popular").sum() == items
    assert set(np.flatnonzero(named == "popular")) == set([5, 1, 2, 3, 4, 6, 0][:items])  # of equal ones the first


def test_lists_are_held_against_choices_where_every_row_has_one_else_against_the_past() -> None:
    some, all_known = np.array([[0, 1], [-1, -1]]), np.array([[0, -1], [-1, 3]])
    found, words = reference_lists(output([[0, 1], [2, 3]], relevant=all_known, seen=some))
    assert (found is all_known, words) == (True, "what users then chose")
    found, words = reference_lists(output([[0, 1], [2, 3]], relevant=some, seen=all_known))
    assert (found is all_known, words) == (True, "what users had chosen before")
    assert reference_lists(output([[0, 1], [2, 3]], relevant=some, seen=some)) is None
    assert reference_lists(output([[0, 1], [2, 3]])) is None


def test_shares_are_of_the_places_that_a_list_fills() -> None:
    lists = output([[1, 0, -1], [2, 3, 0], [-1, 0, 1]] * 2)
    chosen = np.array([[0, 2, -1], [3, -1, -1], [0, 1, 2]] * 2)
    groups = {"kind": np.array(["a", "b", "b", "b"], dtype=object)}
    first, second = exposure_of(lists, chosen, groups, independent(6), 0.95)
    places = 1 / np.log2([2, 3, 4])
    given = np.array([places[1] / places[:2].sum(), places[2] / places.sum(), places[1] / places[1:].sum()])
    taken = np.array([1 / 2, 0, 1 / 3])
    assert (first.group, first.items, second.items) == ("a", 1, 3)
    assert first.share.value == pytest.approx(given.mean())
    assert first.chosen.value == pytest.approx(taken.mean())
    assert second.gap.value == pytest.approx(-first.gap.value)
    assert (first.gap.low, first.gap.high) == pytest.approx((-second.gap.high, -second.gap.low))


def test_weights_of_users_count_in_shares_gaps_and_lift() -> None:
    lists, chosen = output([[0, 1], [2, 3], [0, 3]]), np.array([[0], [3], [2]])
    twice = output([[0, 1], [2, 3], [2, 3], [0, 3]])
    groups = {"kind": np.array(["a", "b", "a", "b"], dtype=object)}
    weighted = Sampling(weight=np.array([1.0, 2, 1]))
    one = exposure_of(lists, chosen, groups, weighted, 0.9)[0]
    other = exposure_of(twice, chosen[[0, 1, 1, 2]], groups, independent(4), 0.9)[0]
    for name in ("share", "chosen", "gap"):
        assert getattr(one, name).value == pytest.approx(getattr(other, name).value)
    lifts = (
        popularity_lift(lists, chosen, weighted, 0.9),
        popularity_lift(twice, chosen[[0, 1, 1, 2]], independent(4), 0.9),
    )
    assert lifts[0].value == pytest.approx(lifts[1].value)


def test_the_lift_is_a_ratio_of_means_over_lists_as_long_as_they_are() -> None:
    lists = output([[0, 1, -1], [0, -1, -1], [2, 3, 1], [1, 1, 2], [0, 0, 1]])
    chosen = np.array([[2, -1], [0, 1], [3, -1], [1, 2], [0, 3]])
    given, taken = np.array([35, 40, 40 / 3, 70 / 3, 110 / 3]), np.array([10, 35, 0, 20, 20])
    lift = popularity_lift(lists, chosen, independent(5), 0.95)
    ratio = given.mean() / taken.mean()
    assert lift.value == pytest.approx(ratio - 1)
    each = (given - ratio * taken) / taken.mean() + ratio - 1  # by linearization, what a user adds to the ratio
    expected = mean(each, independent(5), lowest=-1.0).estimate(0.95)
    assert (lift.low, lift.high) == pytest.approx((expected.low, expected.high))


def test_recommendations_always_twice_as_popular_have_a_lift_without_spread() -> None:
    lists, chosen = output([[0], [1], [2]] * 4), np.array([[0], [1], [2]] * 4)
    doubled = output([[0], [1], [2]] * 4, popularity=POPULARITY * 2)
    lift = popularity_lift(lists, chosen, independent(12), 0.95)
    assert (lift.value, lift.low, lift.high) == pytest.approx((0, 0, 0), abs=1e-12)
    assert popularity_lift(doubled, chosen, independent(12), 0.95).value == pytest.approx(0)
    nothing = popularity_lift(lists, np.array([[3]] * 12), independent(12), 0.95)
    assert (nothing.value, nothing.undefined) == (None, "no chosen item was ever met in training")


def test_items_that_nobody_is_recommended_count_and_places_that_are_empty_do_not() -> None:
    covered, gini = coverage(output([[0, 1, -1], [0, -1, -1], [0, 1, -1]]))
    counts = np.array([3, 2, 0, 0])
    assert covered == 0.5
    apart = np.abs(counts[:, None] - counts).mean()
    assert gini == pytest.approx(apart / (2 * counts.mean()))


def test_the_group_told_of_is_the_furthest_either_way() -> None:
    def one(group: str, gap: float, feature: str = "kind") -> Exposed:
        held = Estimate.of(0.5, 0.4, 0.6, level=0.95, n=9)
        apart = Estimate.of(gap, gap - 0.05, gap + 0.05, level=0.98, n=9)
        return Exposed(feature=feature, group=group, items=2, share=held, chosen=held, gap=apart)

    groups = (one("a", 0.1), one("b", -0.3), one("c", 0.2), one("d", 0.9, "age"))
    found = largest(groups, "kind")
    assert found.group == "b"
    said = exposure_finding(found, 0.1, "what users then chose")
    assert said.grade == "concern"
    assert "30 points less (98 % interval 25 to 35), beyond the tolerance of 10 points" in said.sentence
    more = exposure_finding(groups[2], 0.3, "what users then chose")
    assert (more.grade, "20 points more (98 % interval 15 to 25)" in more.sentence) == ("ok", True)


@pytest.mark.parametrize(
    ("low", "high", "grade"),
    [(0.11, 0.2, "concern"), (-0.2, -0.11, "concern"), (-0.1, 0.1, "ok"), (-0.2, 0.05, "unclear"), (0.05, 0.2, "unclear")],
)
def test_a_gap_in_either_direction_is_held_against_the_tolerance(low: float, high: float, grade: str) -> None:
    assert gap_grade(Estimate.of((low + high) / 2, low, high, level=0.95, n=9), 0.1) == grade


def test_popularity_below_that_of_choices_is_told_as_less() -> None:
    held = Estimate.of(0.5, 0.4, 0.6, level=0.95, n=9)
    popular = Exposed(feature="popularity", group="popular", items=3, share=held, chosen=held, gap=held)
    lift = Estimate.of(-0.2, -0.3, -0.1, level=0.95, n=9)
    said = popularity_finding(lift, Estimate.of(0.4, 0.3, 0.5, level=0.95, n=9), popular, 0.1, "what users then chose")
    assert said.grade == "ok"
    assert "20 % less popular than what users then chose (95 % interval 10 to 30)" in said.sentence
    assert "recommending the most popular items to everybody: 40 %" in said.sentence


def test_the_baseline_s_lift_is_held_against_the_same_choices() -> None:
    chosen, popular = np.array([[2], [1], [2], [0], [1]]), output([[0], [0], [0], [0], [0]])
    frames = {"own": output([[3]] * 5), "popular": popular}
    kind = SimpleNamespace(
        baseline=lambda frame, schema, learnt: SimpleNamespace(frame="popular"),
        ranking_output=lambda frame, schema: frames[frame],
    )
    predictions = SimpleNamespace(frame="own", sampling=independent(5))
    subject = SimpleNamespace(kind=kind, predictions=predictions, schema=None)
    found = _baseline_lift(subject, chosen, 0.95)
    assert found.value == pytest.approx(40 / 24 - 1)
    kind.baseline = lambda frame, schema, learnt: None
    assert _baseline_lift(subject, chosen, 0.95).undefined == "there is no baseline"

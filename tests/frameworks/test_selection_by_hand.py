"""Tests of equal selection rates, and which categories take part, from counts that are written down."""

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.contracts.task import Predictions
from glassbench.stats.clusters import between_groups, shuffled_clusters
from glassbench_audits.selection.categories import Breakdown, Category, chosen_classes, large_enough, most_selected
from glassbench_audits.selection.equal_rates import DRAWS, equal_rates, p_value, widest_of_pairs
from glassbench_audits.selection.four_fifths import audit, compare
from glassbench_audits.selection.local_law_144 import audit as local_law_144


def category(selected: int, n: int, name: str = "x", place: int = 0) -> Category:
    return Category(by=("sex",), values=(name,), n=n, selected=selected, place=place)


def clustered(selected: np.ndarray, rows: np.ndarray, supported: np.ndarray | None = None) -> Breakdown:
    """A breakdown of rows in clusters, counts by cluster and category, their rate the second of two."""
    held = np.ones(rows.shape[1], dtype=bool) if supported is None else supported
    frame = SimpleNamespace(
        by_cluster=tuple(np.stack([0 * counts, counts], axis=1) for counts in (selected, rows)),
        supported=np.stack([~held, held]),
    )
    sums = zip(selected.sum(axis=0).tolist(), rows.sum(axis=0).tolist(), strict=True)
    categories = tuple(category(s, n, "abcd"[k], k) for k, (s, n) in enumerate(sums))
    return Breakdown(by=("sex",), categories=categories, unknown=0, frame=frame, metric=1)


@pytest.mark.parametrize(
    ("first", "second", "test"),
    [
        ((4, 10), (6, 10), "two proportions"),  # five are expected in every cell
        ((3, 10), (6, 10), "Fisher's exact test"),
        ((7, 10), (9, 10), "Fisher's exact test"),  # few are not selected
        ((3, 6), (30, 600), "Fisher's exact test"),
        ((300, 600), (3, 6), "Fisher's exact test"),
    ],
)
def test_the_exact_test_is_taken_where_any_cell_expects_fewer_than_five(
    first: tuple[int, int], second: tuple[int, int], test: str
) -> None:
    assert p_value(category(*first), category(*second))[1] == test
    assert p_value(category(*second), category(*first)) == p_value(category(*first), category(*second))


def test_a_category_is_as_far_apart_as_chance_has_any_two_in_their_own_standard_deviations() -> None:
    drawn = np.random.default_rng(5).normal([0.4, 0.4, 0.4], [0.02, 0.03, 0.2], (300, 3))
    drawn[:, 1] += 0.5 * (drawn[:, 0] - 0.4)
    rates, best = np.array([0.41, 0.36, 0.30]), 0
    spread = {(a, b): np.std(drawn[:, a] - drawn[:, b], ddof=1) for a, b in combinations(range(3), 2)}
    widest = np.max([np.abs(drawn[:, a] - drawn[:, b]) / s for (a, b), s in spread.items()], axis=0)
    found = widest_of_pairs(drawn, rates, best)
    for other in (1, 2):
        seen = (rates[best] - rates[other]) / spread[best, other]
        assert found[other] == pytest.approx((1 + (widest >= seen).sum()) / 301)
    assert found[best] == 1


def test_of_clusters_within_categories_the_larger_of_two_p_values_counts() -> None:
    rows = np.zeros((12, 2), dtype=int)
    rows[:6, 0], rows[6:, 1] = [30, 2, 2, 3, 2, 1], [3, 4, 2, 2, 3, 2]
    selected = np.minimum(rows, [[27, 0], [1, 0], [1, 0], [2, 0], [0, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 1], [0, 1], [0, 0]])
    found = clustered(selected, rows)
    best = most_selected(found.categories)
    ((p, words),) = equal_rates(found, found.categories, best, np.random.default_rng(7))
    generator = np.random.default_rng(7)
    draws = [each(selected, rows, DRAWS, generator) for each in (between_groups, shuffled_clusters)]
    rates = selected.sum(axis=0) / rows.sum(axis=0)
    each = [widest_of_pairs(one, rates, 0)[1] for one in draws]
    assert best is found.categories[0]
    assert words == "whole clusters shuffled"
    assert p == pytest.approx(max(each))
    assert max(each) > 1.1 * min(each)


def test_of_clusters_across_categories_deviations_alone_are_drawn() -> None:
    chance = np.random.default_rng(6)
    rows = chance.integers(1, 6, (14, 2))
    selected = chance.binomial(rows, [0.6, 0.4])
    found = clustered(selected, rows)
    best = most_selected(found.categories)
    ((p, _),) = equal_rates(found, found.categories, best, np.random.default_rng(3))
    rates = selected.sum(axis=0) / rows.sum(axis=0)
    drawn = between_groups(selected, rows, DRAWS, np.random.default_rng(3))
    assert p == pytest.approx(widest_of_pairs(drawn, rates, best.place)[1 - best.place])
    dealt = shuffled_clusters(selected, rows, DRAWS, np.random.default_rng(3))
    assert widest_of_pairs(dealt, rates, best.place)[1 - best.place] > 1.5 * p  # what clusters within categories would be asked


def test_a_category_of_exactly_the_share_takes_part_and_one_of_few_clusters_does_not() -> None:
    rows = np.array([[49, 0, 1], [49, 1, 0]])
    found = replace(clustered(rows, rows), unknown=900)
    assert [c.n for c in large_enough(found, 0.01)] == [98, 1, 1]
    assert [c.n for c in large_enough(found, 0.011)] == [98]
    lacking = clustered(rows, rows, supported=np.array([True, False, True]))
    assert [c.values for c in large_enough(lacking, 0.0)] == [("a",), ("c",)]


def test_of_equal_rates_the_larger_category_is_the_one_selected_most() -> None:
    small, large, low = category(5, 10), category(50, 100), category(4, 10)
    assert most_selected((small, large, low)) is large
    assert most_selected((large, small)) is large
    assert most_selected(()) is None


def _favoured(subject, favourable):
    target = replace(subject.schema.target, classes=("not", "selected", "maybe"), positive=None, favourable=favourable)
    return replace(subject, schema=replace(subject.schema, target=target))


def test_all_favourable_classes_mean_being_selected(decided) -> None:
    subject = _favoured(decided(({"sex": "f"}, 3, 8), ({"sex": "m"}, 4, 9)), ("selected", "maybe"))
    (chosen,) = chosen_classes(subject, None)
    assert (chosen.classes, chosen.suffix, chosen.words) == (("selected", "maybe"), "", "selected or maybe")
    assert chosen_classes(subject, "nothing") == ()
    assert [one.classes for one in chosen_classes(subject, "not")] == [("not",)]


def test_categories_too_small_to_judge_move_no_interval(decided) -> None:
    rows = [({"race": "a"}, 60, 150), ({"race": "b"}, 80, 160), ({"race": "c"}, 70, 180)]
    alone, beside = (audit(decided(*cells)) for cells in (rows, [*rows, ({"race": "few"}, 0, 9)]))
    pick = [{m.group["race"] if m.group else "": m for m in r.measures if "ratio" in m.name} for r in (alone, beside)]
    assert pick[0].keys() == pick[1].keys() == {"a", "c", ""}
    for name in ("a", "c", ""):
        one, other = (found[name] for found in pick)
        assert (one.value, one.low) == (pytest.approx(other.value), pytest.approx(other.low))
        assert one.high == pytest.approx(other.high, abs=0.02)
    assert (pick[0][""].n, pick[1][""].n) == (490, 499)


def test_further_categories_that_fail_are_counted_without_the_one_told(decided) -> None:
    cells = [({"race": name}, selected, 1000) for name, selected in [("a", 500), ("b", 380), ("c", 300), ("d", 350), ("e", 480)]]
    (said,) = audit(decided(*cells)).findings
    assert "“c”" in said.sentence
    assert "2 more of its categories fail too" in said.sentence


def test_a_ratio_that_may_lie_below_four_fifths_does_not_pass(decided) -> None:
    few = audit(decided(({"sex": "f"}, 18, 40), ({"sex": "m"}, 20, 42)))
    many = audit(decided(({"sex": "f"}, 1800, 4000), ({"sex": "m"}, 1830, 4000)))
    assert [result.findings[0].grade for result in (few, many)] == ["unclear", "ok"]
    assert next(m for m in few.measures if m.name == "four-fifths.p_value").value > 0.05


def test_one_category_that_is_large_enough_is_compared_with_nobody() -> None:
    rows = np.array([[10, 0, 10], [0, 20, 0]])
    found = clustered(np.array([[0, 0, 10], [0, 0, 0]]), rows, supported=np.array([True, False, False]))
    assert compare(found, 0.02, 0.95, np.random.default_rng(0)) == ()  # one category alone is large enough


@pytest.mark.parametrize(
    ("scores", "counts", "median", "above"),
    [
        ([0.1, 0.2, 0.5, 0.9], [1, 1, 1, 1], 0.35, [False, False, True, True]),
        ([0.9, 0.2, 0.5, 0.1], [1, 1, 2, 1], 0.5, [True, False, False, False]),
        ([0.2, 0.4, 0.8, 0.8], [3, 1, 1, 3], 0.6, [False, False, True, True]),
        ([0.2, 0.4, 0.8, 0.9], [5, 1, 1, 1], 0.2, [False, True, True, True]),
    ],
)
def test_scoring_rates_count_rows_above_the_median_of_what_rows_stand_for(decided, scores, counts, median, above) -> None:
    subject = decided(({"sex": "f"}, 1, 2), ({"sex": "m"}, 1, 2))
    expected = np.median(np.repeat(scores, counts))
    frame = subject.predictions.frame.assign(frequency=counts, **{"score.selected": scores, "group.sex": ["f", "m", "f", "m"]})
    result = local_law_144(replace(subject, predictions=Predictions(frame=frame)))
    rates = {m.group["sex"]: m.value for m in result.measures if m.name == "local-law-144.scoring_rate"}
    held = np.array(counts) * np.array(above)
    assert result.method.parameters["median_score"] == pytest.approx(median) == pytest.approx(expected)
    assert rates == {"f": (held[0] + held[2]) / (counts[0] + counts[2]), "m": (held[1] + held[3]) / (counts[1] + counts[3])}


def test_features_are_reported_alone_in_pairs_and_all_together(decided) -> None:
    cells = [({"sex": s, "race": r, "age": a}, 3, 8) for s in "fm" for r in "xy" for a in "ou"]
    by = {m.by for m in local_law_144(decided(*cells)).measures}
    pairs = set(combinations(("sex", "race", "age"), 2))
    assert by == {("sex",), ("race",), ("age",), ("sex", "race", "age"), *pairs}

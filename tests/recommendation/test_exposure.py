"""The audit of exposure: shares and popularity by hand, what was planted, and nothing where nothing was."""

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.predictions.outputs import RankingOutput
from glassbench.stats.sampling import Sampling
from glassbench_audits.exposure.exhibits import gap_grade
from glassbench_audits.exposure.shares import coverage, exposure_of, popular_items, popularity_lift

POPULARITY = np.array([50, 30, 10, 10])
GROUPS = np.array(["a", "b", "a", "b"], dtype=object)


def output(recommended, relevant):
    return RankingOutput(
        items=("w", "x", "y", "z"),
        recommended=np.array(recommended),
        relevant=np.array(relevant),
        seen=None,
        popularity=POPULARITY,
        groups={"kind": GROUPS},
    )


def independent(rows):
    return Sampling.of(pd.DataFrame({"y_pred": np.zeros(rows)}))


def test_places_count_by_rank():
    lists = output([[0, 1], [2, 3]], [[1, -1], [0, 2]])
    first = exposure_of(lists, lists.relevant, lists.groups, independent(2), 0.95)[0]
    assert first.group == "a"
    assert first.share.value == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert first.chosen.value == pytest.approx(0.5)
    assert first.gap.value == pytest.approx(first.share.value - 0.5)


def test_popularity_is_compared_by_its_mean():
    lists = output([[0, 1], [0, 2]], [[2, 3], [1, -1]])
    lift = popularity_lift(lists, lists.relevant, independent(2), 0.95)
    assert lift.value == pytest.approx(((40 + 30) / 2) / ((10 + 30) / 2) - 1)


def test_popular_items_and_coverage():
    assert popular_items(POPULARITY, 0.5).tolist() == ["popular", "popular", "less popular", "less popular"]
    covered, gini = coverage(output([[0, 1], [0, 1]], [[0], [1]]))
    assert covered == 0.5
    assert gini == pytest.approx(0.5)


def drawn(shares, chosen, rows=3000, seed=0):
    chance = np.random.default_rng(seed)
    pick = lambda p, k: np.array([chance.choice(4, k, replace=False, p=p) for _ in range(rows)])  # noqa: E731
    return output(pick(shares, 2), pick(chosen, 1))


@pytest.mark.parametrize("seed", range(5))
def test_a_gap_is_found_where_it_was_planted_and_none_elsewhere(seed):
    even, tilted = [0.25] * 4, [0.4, 0.1, 0.4, 0.1]
    for shares, wanted in ((even, "ok"), (tilted, "concern")):
        lists = drawn(shares, even, seed=seed)
        gap = exposure_of(lists, lists.relevant, lists.groups, independent(3000), 0.95)[0].gap
        assert gap_grade(gap, 0.1) == wanted


def test_intervals_of_the_lift_hold_the_truth_as_often_as_they_say():
    """Equal chances: the lift is 0, and 95 % intervals should miss it in about 5 of 100 samples."""
    even, missed = [0.25] * 4, 0
    for seed in range(100):
        lists = drawn(even, even, rows=80, seed=seed)
        lift = popularity_lift(lists, lists.relevant, independent(80), 0.95)
        missed += not lift.low <= 0 <= lift.high
    assert missed <= 12


@pytest.mark.parametrize(("groups", "level"), [("abab", 0.95), ("abca", 1 - 0.05 / 3), ("abcd", 1 - 0.05 / 4)])
def test_gaps_hold_for_all_groups_of_a_feature_at_once(groups: str, level: float) -> None:
    lists = drawn([0.25] * 4, [0.25] * 4, rows=50)
    found = exposure_of(lists, lists.relevant, {"kind": np.array(list(groups), dtype=object)}, independent(50), 0.95)
    assert [one.gap.level for one in found] == pytest.approx([level] * len(set(groups)))
    assert {one.share.level for one in found} == {0.95}

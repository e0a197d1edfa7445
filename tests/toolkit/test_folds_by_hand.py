"""Folds small enough to be dealt by hand, and rows whose cluster or truth is not known."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError, SettingsError
from glassbench.toolkit.splits.folds import check_fold, dealt
from glassbench.toolkit.splits.splits import Division, divide


def test_large_clusters_are_dealt_first_each_to_the_emptiest_fold():
    """Sizes 8, 5, 4, 3: the largest stands alone, 5 and 3 meet, then 4 joins the emptier one; three folds of 8, 8, 4."""
    clusters = np.repeat(["a", "b", "c", "d"], [8, 5, 4, 3])
    for seed in range(5):
        folds = dealt(np.zeros(20, dtype=int), 3, seed, clusters)
        held = {name: int(folds[clusters == name][0]) for name in "abcd"}
        assert len({held["a"], held["b"], held["c"]}) == 3
        assert held["d"] == held["c"], "3 rows go where 4 stand, not where 5 or 8 do"


def test_clusters_of_equal_size_are_dealt_in_random_order():
    clusters = np.repeat(np.arange(12), 5)
    orders = {tuple(dealt(np.zeros(60, dtype=int), 3, seed, clusters)[::5]) for seed in range(8)}
    assert len(orders) > 1
    assert all(np.bincount(order).tolist() == [4, 4, 4] for order in orders)


def test_clusters_are_dealt_so_that_rare_classes_are_spread():
    """Four clusters hold the rare class: each fold gets two of them, whatever else it holds."""
    clusters = np.repeat(np.arange(12), 6)
    strata = ((clusters < 4) & (np.arange(72) % 6 < 2)).astype(int)
    for seed in range(6):
        folds = dealt(strata, 2, seed, clusters)
        assert [int(strata[folds == fold].sum()) for fold in range(2)] == [4, 4]


def test_what_one_class_leaves_over_goes_on_where_the_class_before_it_ended():
    """7 and 8 rows in five folds: 2, 2, 1, 1, 1 of the first and 1, 1, 2, 2, 2 of the second make folds of three."""
    strata = np.repeat(["no", "yes"], [7, 8])
    for seed in range(4):
        folds = dealt(strata, 5, seed)
        assert np.bincount(folds).tolist() == [3] * 5
        assert np.bincount(folds[:7]).tolist() == [2, 2, 1, 1, 1]


def test_as_many_clusters_as_folds_are_enough_and_one_less_is_not():
    strata, clusters = np.zeros(12, dtype=int), np.repeat([5, 7, 9], 4)
    assert sorted(dealt(strata, 3, 0, clusters)[::4]) == [0, 1, 2]
    with pytest.raises(DataError, match="fewer clusters than folds") as error:
        dealt(strata, 4, 0, clusters)
    assert (error.value.got, error.value.fix, error.value.where) == ("3 clusters, 4 folds", "at most 3 folds", "dataset.fold")


def test_a_fold_beyond_the_last_is_refused():
    check_fold({"number": 4, "of": 5})
    with pytest.raises(SettingsError) as error:
        check_fold({"number": 5, "of": 5})
    assert (error.value.got, error.value.fix) == ("5", "0 to 4")


@pytest.mark.parametrize("values", [False, True])
def test_a_fold_has_its_share_of_each_class_or_band_and_validation_its_share_of_all_rows(values):
    target = pd.Series(np.arange(100.0)) if values else pd.Series(np.repeat(["no", "yes"], [80, 20]))
    parts = divide(target, Division(seed=1, validation=0.2, fold={"number": 2, "of": 5}))
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 60, "validation": 20, "test": 20}
    if values:
        assert np.bincount(parts["test"] // 10).tolist() == [2] * 10
    else:
        assert (target.iloc[parts["test"]] == "yes").sum() == 4


def test_folds_of_a_small_validation_share_keep_it_and_too_large_a_one_is_refused():
    target = pd.Series(np.repeat(["no", "yes"], 50))
    assert set(divide(target, Division(seed=1, validation=0.0, fold={"number": 0, "of": 2}))) == {"train", "test"}
    with pytest.raises(DataError, match="nothing to learn from"):
        divide(target, Division(seed=1, validation=0.5, fold={"number": 0, "of": 2}))


def test_a_validation_share_is_drawn_from_given_training_rows():
    target = pd.Series(np.repeat(["no", "yes"], 100))
    given = {"train": np.r_[0:80, 100:180], "test": np.r_[80:100, 180:200]}
    parts = divide(target, Division(seed=0, validation=0.25, given=given))
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 120, "validation": 40, "test": 40}
    assert sorted([*parts["train"], *parts["validation"]]) == given["train"].tolist()
    assert (target.iloc[parts["validation"]] == "yes").sum() == 20


def test_rows_without_a_cluster_stay_together():
    target = pd.Series(np.tile(["no", "yes"], 100))
    together = pd.Series([None] * 40 + [f"c{place // 4}" for place in range(160)], dtype=object)
    parts = divide(target, Division(seed=3), together)
    assert sum(len(rows) for rows in parts.values()) == 200
    assert sum(bool(np.isin(np.arange(40), rows).any()) for rows in parts.values()) == 1


def test_undecided_rows_follow_their_cluster_and_those_of_other_clusters_are_drawn():
    """A cluster with a decided test row takes its undecided rows along; one in training keeps them out."""
    target = pd.Series([value for _ in range(60) for value in ("no", "yes", None)], dtype=object)
    together = pd.Series([None if place < 9 else f"c{place // 3}" for place in range(180)], dtype=object)
    parts = divide(target, Division(seed=5), together, undecided=True)
    test = set(parts["test"].tolist())
    for start in range(9, 180, 3):
        assert len({place in test for place in range(start, start + 3)}) == 1
    learnt = {*parts["train"].tolist(), *parts["validation"].tolist()}
    assert not any(target.iloc[place] is None for place in learnt)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("of", [2, 5])
def test_each_row_decided_or_not_is_tested_in_one_fold_alone(of, clustered):
    target = pd.Series(np.resize(["no", "yes", None, None], 203), dtype=object)
    together = pd.Series(np.arange(203) // 3).astype(str) if clustered else None
    divisions = [Division(seed=4, fold={"number": number, "of": of}) for number in range(of)]
    tested = [divide(target, division, together, undecided=True)["test"] for division in divisions]
    unknown = [int(target.iloc[rows].isna().sum()) for rows in tested]
    assert sorted(np.concatenate(tested).tolist()) == list(range(203))
    assert clustered or max(unknown) - min(unknown) <= 1


def test_clusters_without_a_decided_row_are_each_tested_in_one_fold():
    target = pd.Series(["no", "yes"] * 40 + [None] * 120, dtype=object)
    together = pd.Series([f"d{place // 2}" for place in range(80)] + [f"u{place // 3}" for place in range(120)])
    tested = [divide(target, Division(seed=1, fold={"number": k, "of": 4}), together, undecided=True)["test"] for k in range(4)]
    assert sorted(np.concatenate(tested).tolist()) == list(range(200))
    for rows in tested:
        assert 0 < int(target.iloc[rows].isna().sum()) < 120
        assert not int(target.iloc[rows].isna().sum()) % 3

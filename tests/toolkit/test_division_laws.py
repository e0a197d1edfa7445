"""Laws of divisions: what is owed is given, whoever hangs together stays so, and all that is asked for is said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.errors import DataError, SettingsError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.clusters import clusters_of
from glassbench.toolkit.splits.folds import check_fold, dealt
from glassbench.toolkit.splits.named_parts import named_parts
from glassbench.toolkit.splits.split_by import division_of
from glassbench.toolkit.splits.splits import Division, _divide, balanced, divide, stratified, value_strata
from glassbench.toolkit.splits.weights import weights_of

INNER = {"number": 0, "of": 4, "inner": {"number": 2, "of": 2}}


def test_inner_folds_are_counted_from_zero_too():
    check_fold({"number": 3, "of": 4, "inner": {"number": 1, "of": 2}})
    with pytest.raises(SettingsError, match="there are 2 folds, counted from 0") as error:
        check_fold(INNER)
    assert (error.value.where, error.value.got, error.value.fix) == ("dataset.fold.inner.number", "2", "0 to 1")
    with pytest.raises(SettingsError, match="there are 2 folds"):
        divide(pd.Series(["no", "yes"] * 20, dtype=object), Division(seed=0, fold=INNER))


@pytest.mark.parametrize(
    ("strata", "got"),
    [
        ([], "no rows, 3 folds"),
        (["b"] * 5 + ["a"] * 2, "2 of the class or band 'a', 3 folds"),
        ([0, 0, 0, 1], "1 of the class or band '1', 3 folds"),
    ],
)
def test_too_few_rows_for_folds_are_counted(strata, got):
    with pytest.raises(DataError, match="too few rows for so many folds") as error:
        dealt(np.array(strata), 3, 0)
    assert (error.value.got, error.value.where) == (got, "dataset.fold")
    assert sorted(dealt(np.array(["a", "b"] * 3), 3, 0)) == [0, 0, 1, 1, 2, 2]


@given(st.lists(st.integers(3, 30), min_size=1, max_size=4), st.integers(2, 3), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_folds_have_equal_counts_of_each_stratum_and_equal_sizes(sizes, of, seed):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    folds = dealt(strata, of, seed)
    counts = np.bincount(strata * of + folds, minlength=len(sizes) * of).reshape(-1, of)
    assert counts.shape == (len(sizes), of)
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(counts.sum(axis=0)) <= 1
    assert folds.tolist() == dealt(strata, of, seed).tolist()


def test_folds_are_dealt_at_random_by_the_seed():
    strata = np.zeros(60, dtype=int)
    one, other = dealt(strata, 3, 1), dealt(strata, 3, 2)
    assert one.tolist() != other.tolist()
    assert (np.diff(one) != 0).any()
    assert one.tolist() != (np.arange(60) % 3).tolist()


@pytest.mark.parametrize(
    ("rows", "owed", "sizes"),
    [
        (10, {"train": 6, "validation": 2, "test": 2}, {"validation": 2, "test": 2, "train": 6}),
        (6, {"train": 0, "validation": 5, "test": 2}, {"validation": 3, "test": 2, "train": 1}),
        (6, {"train": 0, "validation": 2, "test": 5}, {"validation": 2, "test": 3, "train": 1}),
        (5, {"train": 5, "validation": 0, "test": -3}, {"validation": 1, "test": 1, "train": 3}),
        (3, {"train": 0, "validation": 2, "test": 1}, {"validation": 1, "test": 1, "train": 1}),
        (4, {"train": 2, "test": 2}, {"test": 2, "train": 2}),
        (9, {"train": 0, "validation": 9, "test": 9}, {"validation": 4, "test": 4, "train": 1}),
    ],
)
def test_rows_are_cut_as_they_are_owed(rows, owed, sizes):
    parts = _divide(np.arange(rows), owed)
    assert {part: len(held) for part, held in parts.items()} == sizes
    assert np.concatenate(list(parts.values())).tolist() == list(range(rows))


@given(st.lists(st.integers(4, 40), min_size=2, max_size=5), st.floats(0.1, 0.4), st.floats(0.1, 0.4), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_parts_have_their_share_up_to_rounding(sizes, validation, test, seed):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    if len(strata) < 20:
        return
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    parts = stratified(strata, shares, seed)
    for part in ("validation", "test"):
        counts = np.bincount(strata[parts[part]], minlength=len(sizes))
        assert (counts >= 1).all()
        owed = np.cumsum(sizes) * shares[part]
        assert abs(np.cumsum(counts) - owed).max() <= len(sizes)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(strata)))


@pytest.mark.parametrize(("n", "bands"), [(1, 1), (19, 1), (20, 2), (99, 9), (100, 10), (250, 10)])
def test_bands_are_as_many_as_rows_allow_and_of_one_size(n, bands):
    found = value_strata(np.random.default_rng(0).normal(size=n))
    assert len(set(found.tolist())) == bands
    assert np.ptp(np.bincount(found)) <= 1
    assert found.dtype == np.int64


def test_few_clusters_are_placed_as_a_search_over_all_placements_would_first():
    """Six clusters of ten: each is placed where squared deviations of the classes rise least, which a loop finds too."""
    chance = np.random.default_rng(1)
    clusters, strata = np.repeat(np.arange(6), [3, 3, 4, 5, 4, 21]), chance.choice(["a", "b"], 40)
    shares = {"train": 0.5, "validation": 0.25, "test": 0.25}
    found = balanced(strata, clusters, shares, 3)
    total = np.array([(strata == name).sum() for name in "ab"])
    held = {k: np.array([((clusters == k) & (strata == name)).sum() for name in "ab"]) for k in range(6)}
    order = [5, *(k for k in np.random.default_rng([3, 0x5B117]).permutation(6).tolist() if k != 5)]  # it alone is large
    placed: dict[str, list[int]] = {part: [] for part in shares}
    for done, k in enumerate(order):

        def cost(part, k=k):
            before = (sum((held[j] for j in placed[part]), np.zeros(2)) - shares[part] * total) / total
            return float((((before + held[k] / total) ** 2) - before**2).sum())

        empty = [part for part in shares if not placed[part]]
        placed[min(empty if 6 - done <= len(empty) else shares, key=cost)].append(k)
    assert {part: chosen.tolist() for part, chosen in found.items()} == {part: sorted(chosen) for part, chosen in placed.items()}


@pytest.mark.parametrize(("clusters", "many"), [(50, False), (51, True)])
def test_more_than_fifty_clusters_are_drawn_as_one_row_each(clusters, many):
    """Drawn so, a fifth of the clusters is for testing, whatever they hold; few are placed by their rows."""
    sizes = np.where(np.arange(clusters) < 5, 40, 1)
    member = pd.Series(np.repeat(np.arange(clusters), sizes))
    target = pd.Series(np.where(np.arange(len(member)) % 2, "yes", "no"), dtype=object)
    tested = [member[divide(target, Division(seed=seed), member)["test"]].nunique() for seed in range(6)]
    assert (set(tested) == {10}) == many


def test_named_parts_are_known_by_several_names():
    names = ["train", "Training ", "validation", "VALID", "val", "dev", "test", "testing", "holdout"]
    found = named_parts(pd.Series(names, name="part"))
    assert {part: rows.tolist() for part, rows in found.items()} == {
        "train": [0, 1],
        "validation": [2, 3, 4, 5],
        "test": [6, 7, 8],
    }
    with pytest.raises(DataError, match="'part' does not say") as error:
        named_parts(pd.Series(["train", "test", *"gfedcba", None], name="part"))
    assert (error.value.got, error.value.where) == ("<NA>, a, b, c, d", "dataset.split.column")
    assert list(error.value.available) == [name.strip().lower() for name in names]
    for part, names in (("test", ["train", "dev"]), ("train", ["test", "dev"])):
        with pytest.raises(DataError, match=f"'part' names no row for '{part}'") as error:
            named_parts(pd.Series(names, name="part"))
        assert error.value.where == "dataset.split.column"


FRAME = pd.DataFrame({"x": range(10), "who": list("aabbccddee"), "part": ["train"] * 8 + ["test"] * 2})


def of(split, **more):
    return division_of(split, FRAME, seed=3, cells=Cells(), **more)[1]


@pytest.mark.parametrize(
    ("by", "taken"),
    [
        ("random", ["validation", "test"]),
        ("cluster", ["column", "validation", "test"]),
        ("date", ["column", "format", "from", "validation_from", "validation", "test"]),
        ("column", ["column", "validation"]),
        ("file", ["test", "validation"]),
    ],
)
def test_each_way_takes_its_own_settings(by, taken):
    with pytest.raises(SettingsError, match=f"a split by {by} takes no 'zebra'") as error:
        of({"by": by, "zebra": 1})
    assert (error.value.where, list(error.value.available), error.value.fix) == ("dataset.split.zebra", taken, None)


def test_a_setting_of_another_way_names_that_way_and_a_slip_the_setting():
    for split, fix in (
        ({"by": "random", "from": 3}, "did you mean a split by date?"),
        ({"by": "file", "column": "who"}, "did you mean a split by cluster or date or column?"),
        ({"by": "date", "column": "x", "validaton": 0.1}, "validation"),
    ):
        with pytest.raises(SettingsError) as error:
            of(split)
        assert fix in error.value.fix


@pytest.mark.parametrize(("by", "key"), [("date", "column"), ("column", "column"), ("file", "test")])
def test_a_setting_that_is_needed_is_asked_for(by, key):
    with pytest.raises(SettingsError, match=f"a split by {by} needs '{key}'") as error:
        of({"by": by}, read=lambda path, where: FRAME)
    assert error.value.where == f"dataset.split.{key}"
    assert key in error.value.available


@pytest.mark.parametrize("key", ["validation", "test"])
@pytest.mark.parametrize(("share", "fine"), [(0, True), (0.999, True), (1, False), (-0.001, False), (1.5, False)])
def test_a_share_lies_from_zero_to_below_one(key, share, fine):
    if fine:
        assert getattr(of({"by": "random", key: share}), key) == share
        return
    with pytest.raises(DataError, match=f"'{key}' is a share of the rows") as error:
        of({"by": "random", key: share})
    assert (error.value.where, error.value.got, error.value.fix) == (
        f"dataset.split.{key}",
        f"{share:g}",
        "a number from 0 to below 1",
    )


def test_a_division_knows_its_fold_its_words_and_its_columns():
    fold = {"number": 1, "of": 3}
    assert of({"by": "cluster", "column": "who"}, fold=fold).fold == fold
    division = of({"by": "cluster", "column": "who", "validation": 0.1, "test": 0.3})
    assert (division.seed, division.validation, division.test, division.columns, division.given) == (3, 0.1, 0.3, ("who",), None)
    assert division.words == "at random by who: all rows with the same value are in one part"
    assert (of({"by": "column", "column": "part"}).seed, of({"by": "column", "column": "part"}).validation) == (3, 0.2)
    for by in ("date", "column", "file"):
        with pytest.raises(SettingsError, match=f"a split by {by} says which rows are for testing") as error:
            of(
                {"by": by, "column": "x", "test": 0.2}
                if by == "date"
                else {"by": by, "column": "part"}
                if by == "column"
                else {"by": by, "test": "t.csv"},
                fold=fold,
            )
        assert error.value.where == "dataset.fold"
    with pytest.raises(SettingsError, match="both say how many rows") as error:
        of({"by": "random", "test": 0.2}, fold=fold)
    assert (error.value.where, error.value.fix) == ("dataset.split.test", "remove one of them")


@pytest.mark.parametrize(
    ("fold", "strata", "words", "said"),
    [
        (None, "the target", "", "at random, stratified by the target"),
        (None, "", "", "at random"),
        (None, "", "by date", "by date"),
        ({"number": 0, "of": 5}, "tenths", "", "at random, stratified by tenths; fold 1 of 5 is for testing"),
        (
            {"number": 1, "of": 5, "inner": {"number": 2, "of": 3}},
            *("", "", "at random; fold 2 of 5 is left out, and fold 3 of 3 of the others is for testing"),
        ),
    ],
)
def test_how_rows_are_divided_is_said(fold, strata, words, said):
    division = Division(seed=0, fold=fold, strata=strata, words=words)
    assert division.how == said
    parts = {"train": np.arange(1200), "test": np.arange(3)}
    assert division.sentence(parts) == f"rows were divided {said}; 1,200 train, 3 test"
    assert len(division.treatments(parts)) == bool(words or fold)


@pytest.mark.parametrize("fold", [None, {"number": 0, "of": 4}])
def test_undecided_rows_are_tested_by_their_share_or_fold_and_rows_ascend(fold):
    target = pd.Series(np.resize(["no", "yes", None], 240), dtype=object)
    parts = divide(target, Division(seed=2, validation=0.2, test=0.25, fold=fold), undecided=True)
    assert int(target.iloc[parts["test"]].isna().sum()) == 20
    assert all((np.diff(rows) > 0).all() for rows in parts.values())
    undecided = parts["test"][target.iloc[parts["test"]].isna().to_numpy()]
    assert undecided.tolist() != np.flatnonzero(target.isna())[:20].tolist()


def test_validation_keeps_its_share_of_all_rows_within_folds_and_inner_folds():
    target = pd.Series(["no", "yes"] * 60, dtype=object)
    for fold, test in (({"number": 0, "of": 4}, 30), ({"number": 0, "of": 4, "inner": {"number": 1, "of": 3}}, 30)):
        parts = divide(target, Division(seed=2, validation=0.1, fold=fold))
        left = 120 if "inner" not in fold else 90
        assert (len(parts["test"]), len(parts["validation"])) == (test, 12)
        assert sum(map(len, parts.values())) == left
    with pytest.raises(DataError, match="nothing to learn from") as error:
        divide(target, Division(seed=2, validation=0.75, fold={"number": 0, "of": 4}))
    assert (error.value.got, error.value.where) == ("validation 0.75, 4 folds", "dataset.fold")
    assert len(divide(target, Division(seed=2, validation=0.7, fold={"number": 0, "of": 4}))["train"]) == 6


@pytest.mark.parametrize(
    ("cells", "strange", "fix"),
    [
        (["1", "", "3"], None, "give each row a weight; 0 leaves a row out"),
        (["1", "", "3"], "error", "give each row a weight; 0 leaves a row out, as dataset.strange=missing does"),
        (["1", "-1", "3"], None, "a negative weight has no meaning here; 0 leaves out"),
        (["1", "x", "3"], "missing", "correct them, or leave these rows out"),
    ],
)
def test_weights_that_lack_or_are_none_come_with_a_way_out(cells, strange, fix):
    with pytest.raises(DataError) as error:
        weights_of(pd.DataFrame({"w": cells}), "w", Cells(), strange=strange)
    assert fix in error.value.fix
    assert error.value.where == "row 1 (the first is row 0)"


def test_rows_left_out_for_their_weight_are_counted():
    found = weights_of(pd.DataFrame({"w": ["0", "2", "", "0", "1"]}), "w", Cells(), strange="missing")
    assert [one.sentence for one in found.treatments] == [
        "1 rows without a value of 'w' were left out",
        "2 rows with a weight of 0 in 'w' were left out",
    ]
    assert (found.column, weights_of(None, "w", Cells()).values) == ("w", None)
    assert weights_of(pd.DataFrame({"w": ["3", "1"]}), "w", Cells()).treatments == ()
    (note,) = weights_of(pd.DataFrame({"w": ["1"] * 2000}), "w", Cells()).notes(np.arange(1500))
    assert "weighted by w: the 1,500 rows to be judged say as much as 1,500 of equal weight" in note


def test_clusters_are_counted_and_rows_without_one_named_after_their_place():
    frame = pd.DataFrame({"who": [f"p{k // 2}" for k in range(2400)]})
    assert clusters_of(frame, "who", Cells()).notes == ("Rows with the same who are one cluster: 2,400 rows of 1,200 clusters.",)
    gaps = clusters_of(frame.where(frame.index.to_series() % 2 == 1).set_axis(frame.index + 7), "who", Cells())
    assert gaps.names.tolist()[:4] == ["row 1 without who", "p0", "row 3 without who", "p1"]
    assert gaps.notes[1] == "1,200 rows without a value of who are each a cluster of their own."
    for cells, got in ((["a", "a"], "column 'who'"), (["", ""], "2 rows")):
        with pytest.raises(DataError) as error:
            clusters_of(pd.DataFrame({"who": cells}), "who", Cells())
        assert (error.value.got, error.value.where) == (got, "dataset.cluster")
    assert clusters_of(pd.DataFrame({"who": ["a", ""]}), "who", Cells()).names.nunique() == 2

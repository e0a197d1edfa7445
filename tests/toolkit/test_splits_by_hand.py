"""Divisions small enough to be done by hand: by rank, by cluster, by date, by files, and what is said of them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError, SettingsError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.absent import absent_notes
from glassbench.toolkit.splits.clusters import Clusters, clusters_of, kept_together
from glassbench.toolkit.splits.split_by import division_of, one_file
from glassbench.toolkit.splits.split_by_date import by_date, times_of, year_first
from glassbench.toolkit.splits.splits import Division, balanced, check_judged, divide, in_several, stratified, value_strata
from glassbench.toolkit.splits.weights import Weights, weights_of

HALVES = {"train": 0.5, "validation": 0.25, "test": 0.25}


def lists(parts):
    return {part: rows.tolist() for part, rows in parts.items()}


@pytest.mark.parametrize(
    ("values", "bands"),
    [
        (range(20), [i // 10 for i in range(20)]),
        (range(39, -1, -1), [i // 10 for i in range(39, -1, -1)]),
        ([7.0] * 30, [i // 10 for i in range(30)]),  # equal values are told apart by their place
        (range(9), [0] * 9),
        (range(200), [i // 20 for i in range(200)]),
    ],
)
def test_bands_of_values_are_tenths_by_rank_in_ascending_order(values, bands):
    assert value_strata(np.array(list(values), dtype=float)).tolist() == bands


def test_every_stratum_gives_every_part_its_share_and_rounding_is_made_good():
    strata = np.repeat(["a", "b", "c"], [10, 10, 13])
    parts = stratified(strata, HALVES, 3)
    counts = {part: pd.Series(strata[rows]).value_counts().sort_index().tolist() for part, rows in parts.items()}
    assert counts == {"train": [6, 4, 7], "validation": [2, 3, 3], "test": [2, 3, 3]}
    assert all((np.diff(rows) > 0).all() for rows in parts.values())


def test_a_part_of_no_share_gets_no_rows_and_a_rare_class_one_row_for_each_part():
    strata = np.array(["a"] * 30 + ["b"] * 3)
    assert set(stratified(strata, {"train": 0.7, "validation": 0.0, "test": 0.3}, 0)) == {"train", "test"}
    parts = stratified(strata, {"train": 0.8, "validation": 0.1, "test": 0.1}, 0)
    assert [int((strata[rows] == "b").sum()) for rows in parts.values()] == [1, 1, 1]


@pytest.mark.parametrize(("rows", "problem"), [(19, "too small to split"), (20, None)])
def test_twenty_rows_are_enough(rows, problem):
    strata = np.array(["a", "b"] * 10)[:rows]
    if problem is None:
        assert sum(map(len, stratified(strata, HALVES, 0).values())) == rows
    else:
        with pytest.raises(DataError, match=problem):
            stratified(strata, HALVES, 0)


def test_a_class_needs_as_many_rows_as_there_are_parts():
    strata = np.array(["a"] * 30 + ["b"] * 2)
    assert len(stratified(strata, {"train": 0.5, "test": 0.5}, 0)) == 2
    with pytest.raises(DataError, match="class 'b'") as error:
        stratified(strata, HALVES, 0)
    assert error.value.got == "2 rows of it for 3 parts"


def test_clusters_of_one_size_are_dealt_out_by_their_shares_and_the_seed_deals():
    clusters, strata = np.repeat(np.arange(8), 5), np.tile(["a", "b", "a", "b", "a"], 8)
    first, again, other = (balanced(strata, clusters, HALVES, seed) for seed in (1, 1, 2))
    assert {part: len(chosen) for part, chosen in first.items()} == {"train": 4, "validation": 2, "test": 2}
    assert sorted(np.concatenate(list(first.values()))) == list(range(8))
    assert lists(first) == lists(again) != lists(other)


def test_a_cluster_of_half_the_rows_is_learnt_from_and_the_others_balance_the_classes():
    clusters = np.repeat(np.arange(5), [20, 5, 5, 5, 5])
    strata = np.array(["a", "b"] * 10 + ["a"] * 10 + ["b"] * 10)
    parts = balanced(strata, clusters, HALVES, 0)
    assert parts["train"].tolist() == [0]
    for part in ("validation", "test"):
        assert sorted(strata[np.isin(clusters, parts[part])]) == ["a"] * 5 + ["b"] * 5


def test_each_part_gets_a_cluster_though_one_holds_nearly_everything():
    parts = balanced(np.array(["a", "b"] * 20), np.repeat([0, 1, 2], [38, 1, 1]), HALVES, 0)
    assert sorted(len(chosen) for chosen in parts.values()) == [1, 1, 1]
    assert parts["train"].tolist() == [0]
    with pytest.raises(DataError, match="too small") as error:
        balanced(np.array(["a", "b"] * 20), np.repeat([0, 1], 20), HALVES, 0)
    assert error.value.got == "40 rows in 2 clusters, for 3 parts"


@pytest.mark.parametrize("clusters", [8, 80])
def test_rows_without_a_target_follow_their_cluster(clusters):
    member = pd.Series(np.arange(400) % clusters)
    target = pd.Series(["a", "b"] * 200, dtype=object).where(np.arange(400) // clusters % 5 > 0, None)
    parts = divide(target, Division(seed=0), member, undecided=True)
    held = {part: set(member[rows]) for part, rows in parts.items()}
    assert held["test"].isdisjoint(held["train"] | held["validation"])
    assert set(member[parts["test"][target[parts["test"]].isna()]]) == held["test"]
    assert target[parts["train"]].notna().all()
    assert target[parts["validation"]].notna().all()


def test_clusters_all_of_whose_targets_are_unknown_are_drawn_by_the_share_of_the_test_part():
    member = pd.Series(np.r_[np.repeat(np.arange(100), 2), np.repeat(np.arange(100, 1100), 2)])
    target = pd.Series(["a", "b"] * 100 + [None] * 2000, dtype=object)
    parts = divide(target, Division(seed=0, test=0.3), member, undecided=True)
    drawn = member[parts["test"][parts["test"] >= 200]]
    assert drawn.value_counts().unique().tolist() == [2]
    assert drawn.nunique() == pytest.approx(300, abs=45)
    assert (np.diff(parts["test"]) > 0).all()


def test_given_parts_lose_rows_without_a_target_but_for_those_to_be_decided():
    target = pd.Series(["a", "b"] * 10 + [None, "a", "b", None], dtype=object)
    given = {"train": np.r_[np.arange(10), 20], "validation": np.arange(10, 20), "test": np.array([21, 22, 23])}
    alone, with_unknown = (divide(target, Division(seed=0, given=given), undecided=undecided) for undecided in (False, True))
    assert lists(alone) == {"train": list(range(10)), "validation": list(range(10, 20)), "test": [21, 22]}
    assert lists(with_unknown) == {**lists(alone), "test": [21, 22, 23]}


@pytest.mark.parametrize(
    ("shares", "given", "fine"),
    [
        ({"validation": 0.0, "test": 0.5}, None, True),
        ({"validation": 0.5, "test": 0.5}, None, False),
        ({"validation": 0.7, "test": 0.5}, {"train": np.arange(40), "test": np.arange(40, 60)}, True),
        ({"validation": 1.0}, {"train": np.arange(40), "test": np.arange(40, 60)}, False),
    ],
)
def test_which_shares_leave_rows(shares, given, fine):
    target = pd.Series(["a", "b"] * 30, dtype=object)
    division = Division(seed=0, given=given, **shares)
    if fine:
        assert len(divide(target, division)["test"]) == (20 if given else 30)
    else:
        with pytest.raises(DataError, match="nothing to learn from"):
            divide(target, division)


def test_a_part_without_rows_or_without_a_class():
    target = pd.Series(["a", "b"] * 10 + [None], dtype=object)
    given = {"train": np.arange(0, 20, 2), "test": np.arange(1, 20, 2)}
    with pytest.raises(DataError, match="the train part has no row of the class 'b'") as error:
        divide(target, Division(seed=0, validation=0, given=given))
    assert error.value.got == "10 rows, of a alone"
    with pytest.raises(DataError, match="no row with a known target is in the test part"):
        divide(target, Division(seed=0, validation=0, given={"train": np.arange(20), "test": np.array([20])}))
    check_judged(target, {"test": np.arange(2)})
    with pytest.raises(DataError, match="the test part has no row of the class 'b'"):
        check_judged(target, {"test": np.array([0, 2])})
    check_judged(pd.Series(["a"] * 3, dtype=object), {"test": np.arange(2)})
    check_judged(pd.Series([1.0, 2.0]), {"test": np.array([1])})


def test_what_is_said_of_a_division():
    parts = {"train": np.array([0, 1]), "test": np.array([2])}
    assert in_several([{"x", "y"}, {"y"}, {"z", "y"}, {"z"}]) == 2
    said = Division(seed=0, words="by hand").treatments(parts, pd.Series(["x", "y", "y"]))
    assert [one.sentence for one in said] == [
        "rows were divided by hand; 2 train, 1 test",
        "1 clusters have rows in several parts, so the parts are not independent",
    ]
    assert {one.action for one in said} == {"divided"}
    assert Division(seed=0).treatments(parts, pd.Series(["x", "x", "y"])) == []
    assert Division(seed=0).sentence(parts).startswith("rows were divided at random, stratified")


def test_classes_that_a_part_lacks():
    parts = {part: SimpleNamespace(target=target) for part, target in {"train": np.array([0, 2]), "test": np.array([1])}.items()}
    assert absent_notes(parts, ["a", "b", "c"], "person") == (
        "No person of the class b is in the train part.",
        "No person of the classes a, c is in the test part.",
    )
    unknown = {"test": SimpleNamespace(target=np.array([-1, 1]))}
    assert absent_notes(unknown, ["a", "b"], "row") == ("No row of the class a is in the test part.",)
    assert absent_notes({"test": SimpleNamespace(target=None)}, ["a"], "row") == ("No row of the class a is in the test part.",)


def test_of_three_dates_one_is_left_for_each_part():
    dates = pd.Series(np.repeat(["2024-01-01", "2024-01-02", "2024-01-03"], [1, 5, 4]), name="when")
    parts, _ = by_date(dates, {}, Cells(), validation=0.1, test=0.8)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 1, "validation": 5, "test": 4}
    parts, _ = by_date(dates, {}, Cells(), validation=0.0, test=0.8)
    assert {part: len(rows) for part, rows in parts.items()} == {"train": 1, "test": 9}


DATES = pd.Series(np.repeat(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"], [4, 2, 2, 1, 1]), name="when")


@pytest.mark.parametrize(
    ("split", "shares", "ends"),
    [
        ({}, (0.2, 0.2), [6, 8]),
        ({}, (0.2, 0.1), [6, 9]),  # one row or three in place of two: the earlier date
        ({}, (0.0, 0.4), [6]),
        ({"from": "2024-01-02"}, (0.0, 0.2), [4]),
        ({"from": "2024-01-04", "validation_from": "2024-01-02"}, (0.2, 0.2), [4, 8]),
        ({"validation_from": "2024-01-02"}, (0.0, 0.2), [4, 8]),
    ],
)
def test_dates_are_cut_where_the_shares_are_met_most_nearly(split, shares, ends):
    parts, words = by_date(DATES, split, Cells(), validation=shares[0], test=shares[1])
    assert list(parts) == (["train", "validation", "test"] if len(ends) == 2 else ["train", "test"])
    assert [rows.tolist() for rows in parts.values()] == [part.tolist() for part in np.split(np.arange(10), ends)]
    assert words.startswith("by date (when): train 2024-01-01 to ")
    assert words.endswith("to 2024-01-05")


@pytest.mark.parametrize(("split", "part"), [({"from": "2024-01-01"}, "train"), ({"from": "2024-01-06"}, "test")])
def test_dates_that_leave_a_part_empty(split, part):
    with pytest.raises(DataError, match=f"no row is left for the {part} part") as error:
        by_date(DATES, split, Cells(), validation=0.0, test=0.2)
    assert error.value.got == f"from {split['from']}; 'when' holds 5 different dates"


def test_numbers_that_rise_with_time_are_cut_too():
    parts, words = by_date(pd.Series([3, 1, 2, 4, 5], name="year"), {"from": 4}, Cells(), validation=0.0, test=0.2)
    assert lists(parts) == {"train": [0, 1, 2], "test": [3, 4]}
    assert words == "by date (year): train 1 to 3, test 4 to 5"


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["3/4/2024", "13/4/2024"], ["2024-04-03", "2024-04-13"]),
        (["3/4/2024", "3/13/2024"], ["2024-03-04", "2024-03-13"]),
        (["3.4.2024", "5.6.2024"], ["2024-04-03", "2024-06-05"]),
        (["3.4.2024 10:30", "13.4.2024"], ["2024-04-03 10:30", "2024-04-13"]),
        (["13-4-2024", "x"], ["2024-04-13", None]),
    ],
)
def test_day_and_month_are_told_apart_by_all_texts(texts, read):
    assert year_first(pd.Series(texts), "when", "here").tolist() == read


def test_dates_with_the_year_first_stay_as_they_are():
    assert year_first(pd.Series(["2024-01-02", "2024-01-03", "3/4/2024"]), "when", "here") is None
    with pytest.raises(DataError, match="which is the day") as error:
        year_first(pd.Series(["3/4/2024", "12/12/2024"]), "when", "here")
    assert (error.value.got, error.value.where) == ("3/4/2024", "here")


def test_times_of_cells():
    zoned = pd.Series(pd.to_datetime(["2024-01-01T23:00:00-05:00", "2024-01-02T01:00:00-05:00"]), name="t")
    assert times_of(zoned, Cells(), None).tolist() == [pd.Timestamp("2024-01-02 04:00"), pd.Timestamp("2024-01-02 06:00")]
    assert times_of(pd.Series(["02/01/2024", "01/01/2024"], name="t"), Cells(), "%d/%m/%Y").tolist() == [
        pd.Timestamp("2024-01-02"),
        pd.Timestamp("2024-01-01"),
    ]
    with pytest.raises(DataError, match="1 of 2 rows have no date in 't'") as error:
        times_of(pd.Series([pd.Timestamp("2024-01-01"), pd.NaT], name="t"), Cells(), None)
    assert error.value.got == "such as row 2"


FRAME = pd.DataFrame({"x": range(6), "part": ["train"] * 4 + ["test"] * 2, "who": list("aabbcc")})


def divided(split, **settings):
    return division_of(split, FRAME, seed=7, cells=Cells(), **settings)[1]


def test_how_rows_are_divided():
    assert (divided(None).validation, divided(None).test, divided(None).seed) == (0.2, 0.2, 7)
    shared = divided({"by": "random", "test": 0.3}, shares=(0.1, 0.4))
    assert (shared.validation, shared.test, shared.given, shared.together) == (0.1, 0.3, None, None)
    clustered = divided({"by": "cluster", "validation": 0.0}, cluster="who")
    assert (clustered.together, clustered.columns, clustered.validation, clustered.test) == ("who", ("who",), 0.0, 0.2)
    assert divided({"by": "cluster", "column": "part"}, cluster="who").together == "part"
    named = divided({"by": "column", "column": "part", "validation": 0.5})
    assert lists(named.given) == {"train": [0, 1, 2, 3], "test": [4, 5]}
    assert (named.validation, named.columns, named.words) == (0.5, ("part",), "as the column 'part' says")
    dated = divided({"by": "date", "column": "x", "test": 0.5, "validation": 0})
    assert lists(dated.given) == {"train": [0, 1, 2], "test": [3, 4, 5]}
    assert (dated.validation, dated.columns, dated.seed) == (0, ("x",), 7)


def test_further_files_are_put_behind_the_first():
    asked = []

    def read(path, where):
        asked.append((path, where))
        return FRAME.iloc[: 2 if path == "v.csv" else 3, ::-1].assign(more=1)

    frame, division = division_of({"by": "file", "test": "d/t.csv"}, FRAME, seed=7, cells=Cells(), read=read, shares=(0.1, 0.4))
    assert lists(division.given) == {"train": list(range(6)), "test": [6, 7, 8]}
    assert (division.validation, division.seed, division.words) == (0.1, 7, "test rows from t.csv")
    assert frame["x"].tolist() == [*range(6), 0, 1, 2]
    assert list(frame) == list(FRAME)
    frame, division = division_of(
        {"by": "file", "test": ("t.csv", "u.csv"), "validation": "v.csv"}, FRAME, seed=7, cells=Cells(), read=read
    )
    assert lists(division.given) == {"train": list(range(6)), "validation": [6, 7], "test": [8, 9, 10]}
    assert (division.validation, division.words) == (0.0, "validation rows from v.csv and test rows from t.csv and u.csv")
    assert asked[1:] == [("v.csv", "dataset.split.validation"), (("t.csv", "u.csv"), "dataset.split.test")]


@pytest.mark.parametrize(
    ("split", "where", "words"),
    [
        ({"by": "file", "test": "t.csv"}, "dataset.split.by", "reads one file"),
        ({"by": "column"}, "dataset.split.column", "needs 'column'"),
        ({"by": "random", "tests": 0.1}, "dataset.split.tests", "takes no 'tests'"),
        (
            {"by": "date", "column": "x", "validation": 0.1, "validation_from": 3},
            "dataset.split",
            "both say where the validation",
        ),
        ({"by": "random", "test": 1.0}, "dataset.split.test", "is a share"),
        ({"by": "random", "validation": -0.1}, "dataset.split.validation", "is a share"),
        ({"by": "random", "validation": ("a", "b")}, "dataset.split.validation", "is a share"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(split, where, words):
    with pytest.raises((SettingsError, DataError), match=words) as error:
        divided(split)
    assert error.value.where == where


def test_one_file_for_each_part():
    assert one_file(Path("a.csv"), "here") == Path("a.csv")
    with pytest.raises(DataError) as error:
        one_file((Path("d/a.csv"), Path("b.csv")), "here")
    assert (error.value.where, error.value.got) == ("here", "a.csv and b.csv")


def test_rows_without_a_cluster_are_clusters_of_their_own():
    frame = pd.DataFrame({"who": ["a", "", "a", "b", ""], "house": list("pqpqp")})
    clusters = clusters_of(frame, "who", Cells())
    assert clusters.names.tolist() == ["a", "row 2 without who", "a", "b", "row 5 without who"]
    assert clusters.of(np.array([3, 0])).tolist() == ["b", "a"]
    assert clusters.notes == (
        "Rows with the same who are one cluster: 5 rows of 4 clusters.",
        "2 rows without a value of who are each a cluster of their own.",
    )
    assert len(clusters_of(frame, "house", Cells()).notes) == 1
    for nothing in (clusters_of(None, "who", Cells()), clusters_of(frame, None, Cells())):
        assert (nothing.names, nothing.notes, nothing.of(np.array([0]))) == (None, (), None)
    kept = [
        kept_together(frame, clusters, "who", Division(seed=0, together=column), Cells()) for column in (None, "who", "house")
    ]
    assert kept[0] is clusters.names
    assert kept[1] is clusters.names
    assert kept[2].tolist() == list("pqpqp")
    assert kept_together(None, Clusters(), None, Division(seed=0, together="house"), Cells()) is None


@pytest.mark.parametrize(
    ("cells", "words"), [(["", ""], "no row has a value of 'who'"), (["a", "a"], "all rows are of one cluster")]
)
def test_clusters_that_tell_nothing_apart(cells, words):
    with pytest.raises(DataError, match=words) as error:
        clusters_of(pd.DataFrame({"who": cells}), "who", Cells())
    assert error.value.where == "dataset.cluster"


def test_weights_of_rows():
    frame = pd.DataFrame({"w": ["2", "0", "", "1.5", "0"]})
    weights = weights_of(frame, "w", Cells(), strange="missing")
    assert weights.values.tolist() == [2, 0, 0, 1.5, 0]
    assert weights.of(np.array([3, 0])).tolist() == [1.5, 2]
    assert weights.weighing(np.array([0, 1, 2, 3])).tolist() == [0, 3]
    assert [(one.action, one.count) for one in weights.treatments] == [("rows left out", 1), ("rows left out", 2)]
    (note,) = weights.notes(np.array([0, 3]))
    assert "weighted by w: the 2 rows to be judged say as much as 2 of equal weight" in note  # 3.5 ** 2 / 6.25 = 1.96
    with pytest.raises(DataError, match="no row to be judged weighs anything"):
        weights.notes(np.array([1, 4]))
    none = weights_of(frame, None, Cells())
    assert (none.values, none.of(np.array([0])), none.notes(np.array([0])), none.treatments) == (None, None, (), ())
    assert Weights().weighing(np.array([4, 1])).tolist() == [4, 1]


@pytest.mark.parametrize(
    ("cells", "words", "got", "where"),
    [
        (["1", "x", "y"], "finite numbers", "2 cells: 'x', 'y'", "rows 1, 2 (the first is row 0)"),
        (["1", "-2", "3"], "are 0 or above", "1 cells: '-2'", "row 1 (the first is row 0)"),
        (["1", "", "3"], "rows have no weight", "1 cells without a value", "row 1 (the first is row 0)"),
        (["0", "0", "0"], "all weights in 'w' are 0", "3 rows", "dataset.weight"),
        (["1", *"abcdef"], "finite", "6 cells: 'a', 'b', 'c', 'd', 'e'", "rows 1, 2, 3, 4, 5, ... (the first is row 0)"),
    ],
)
def test_weights_that_are_none(cells, words, got, where):
    with pytest.raises(DataError, match=words) as error:
        weights_of(pd.DataFrame({"w": cells}), "w", Cells(), strange="error")
    assert (error.value.got, error.value.where) == (got, where)


CLASSES = pd.Series(np.array(["a", "b", "c"], dtype=object)[np.random.default_rng(2).choice(3, 90, p=[0.5, 0.3, 0.2])])
HELD = pd.Series(np.random.default_rng(3).integers(0, 24, 90))
DIVISIONS = {
    "classes": (CLASSES, None, Division(seed=3)),
    "values": (pd.Series(np.random.default_rng(4).normal(size=90)), None, Division(seed=3, validation=0.1, test=0.3)),
    "some unknown": (CLASSES.where(np.arange(90) % 7 > 0), None, Division(seed=3)),
    "few clusters": (CLASSES, HELD, Division(seed=3, together="g")),
    "many clusters": (CLASSES, pd.Series(np.arange(90) % 60), Division(seed=3, together="g")),
    "unknown in clusters": (CLASSES.where(np.arange(90) % 7 > 0), HELD, Division(seed=3, together="g")),
    "a fold": (CLASSES, None, Division(seed=3, fold={"number": 1, "of": 4})),
    "a fold of clusters": (CLASSES, HELD, Division(seed=3, together="g", fold={"number": 0, "of": 3})),
    "an inner fold": (CLASSES, None, Division(seed=3, fold={"number": 1, "of": 3, "inner": {"number": 0, "of": 2}})),
    "given": (CLASSES, None, Division(seed=3, given={"train": np.arange(60), "test": np.arange(60, 90)})),
}


def test_rows_are_where_they_were(pinned):
    """A letter for each row: the part that it is in, a dot for none."""
    told = {}
    for name, (target, together, division) in DIVISIONS.items():
        for undecided in (False, True):
            letters = np.full(90, ".")
            for part, rows in divide(target, division, together, undecided=undecided).items():
                letters[rows] = part[0]
            told[f"{name}, unknown ones {'tested' if undecided else 'left'}"] = "".join(letters)
    pinned("divisions", told)

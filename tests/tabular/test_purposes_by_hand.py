"""What columns may be for and which numbers stand apart, where it is a near thing: counts, shares and bounds by hand."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from glassbench.experiments.inspection import ColumnFacts
from glassbench_plugins.tabular.inspecting import inspect_table
from glassbench_plugins.tabular.marks_among_numbers import codes_problem, missing_marks
from glassbench_plugins.tabular.purposes import bands_of, codes_like, looks_like, only_binary, person_like
from glassbench_plugins.tabular.quantile_boosting import QuantileBoosting
from glassbench_plugins.training.class_settings import _settings

COLUMN = ColumnFacts(name="x", kind="number", reason="", missing=0, distinct=5, example="", use="input")


def column(name: str = "x", **facts) -> ColumnFacts:
    return replace(COLUMN, name=name, **facts)


@pytest.mark.parametrize(
    ("others", "mark", "times", "seen"),
    [
        (range(1, 11), 99, 3, True),  # 1 to 10 span 8.1 from their 5 % to their 95 % quantile: beyond 10 + 1.5 x 8.1
        (range(1, 11), 99, 2, False),  # three cells at least
        (range(1, 11), -1, 3, True),  # the only one below 0
        (range(11), -1, 3, True),
        (range(-1, 10), -9, 3, False),  # not the only one
        (range(-1, 10), -99, 3, True),
        (range(10, 71, 10), 99, 3, False),  # not far enough from the others
        (range(1, 6), 99, 3, False),  # five other numbers
        (range(1, 7), 99, 3, True),
        (range(1, 11), 98, 3, False),  # no mark is written so
        (range(1, 11), -10, 3, False),
        (range(1, 11), 888, 3, True),
    ],
)
def test_a_number_of_its_own_kind_far_from_six_others_is_a_mark(others, mark, times, seen):
    values = np.array([*others, *[mark] * times, np.nan], dtype=float)
    assert missing_marks(values) == ([(float(mark), times)] if seen else [])


def test_marks_are_a_share_of_many_cells_and_far_by_where_most_numbers_lie():
    many = np.tile(np.arange(1.0, 11.0), 200)
    assert missing_marks(np.append(many, [99.0] * 5)) == [(99.0, 5)]  # 0.2 % of 2,005 cells are 4.01
    assert missing_marks(np.append(many, [99.0] * 4)) == []
    most = np.append(np.repeat(np.arange(1.0, 6.0), 100), [60.0])  # one cell far out widens no span
    assert missing_marks(np.append(most, [99.0] * 5)) == [(99.0, 5)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 1], True),
        ([1], False),
        ([1, 2, 2.5], False),
        ([*range(10)], True),
        ([*range(12)], True),
        ([*range(1, 13)], True),
        ([*range(2, 14)], False),
        ([0, *range(2, 13)], False),
        ([*range(31)], False),
        ([1, 99], True),
        ([1, 100], False),
    ],
)
def test_few_whole_numbers_of_a_target_may_be_codes(values, said):
    assert (codes_problem(column(), np.array([*values, np.nan], dtype=float)) is not None) is said


def test_bands_are_cut_at_thirds_where_there_are_more_than_ten_numbers():
    assert bands_of(np.arange(31.0)) == (10.0, 20.0)
    assert bands_of(np.append(np.arange(31.0), [np.nan, np.nan])) == (10.0, 20.0)
    assert bands_of(np.arange(0, 3.1, 0.1)) == (1.0, 2.0)
    assert bands_of(np.arange(11.0)) == (3.0, 7.0)
    assert bands_of(np.arange(10.0)) == ()
    assert bands_of(np.concatenate([np.zeros(90), np.arange(11.0)])) == ()


@pytest.mark.parametrize(
    ("name", "distinct", "missing", "like"),
    [
        ("patient", 50, 0, True),
        ("patient", 100, 0, False),  # as many as rows
        ("patient", 99, 0, True),
        ("patient", 90, 10, False),  # as many as rows that have one
        ("patient", 5, 0, False),  # a twentieth
        ("patient", 6, 0, True),
        ("patient_id", 50, 0, True),
        ("id", 50, 0, True),
        ("hair_id", 50, 0, False),
        ("hair", 50, 0, False),
    ],
)
def test_a_person_has_several_rows_and_there_are_many(name, distinct, missing, like):
    assert person_like(column(name, distinct=distinct, missing=missing), 100) is like


def test_codes_have_more_than_two_values_that_recur():
    found = {distinct: codes_like(column("job_code", distinct=distinct), 1001) for distinct in (2, 3, 100, 101)}
    assert found == {2: False, 3: True, 100: True, 101: False}
    assert not codes_like(column("job_code", distinct=100), 1000)
    assert not codes_like(column("job", distinct=3), 1000)
    assert not codes_like(column("job_code", distinct=3, kind="category"), 1000)


def test_the_only_column_of_two_values_is_none_that_looks_sensitive():
    two, sex = column("agreed", distinct=2), column("sex", distinct=2, looks_like=("sensitive feature",))
    assert only_binary([two, sex, column("age", distinct=40)]) == "agreed"
    assert only_binary([two, replace(two, name="other")]) is None
    assert only_binary([sex]) is None
    assert only_binary([replace(two, kind="text")]) is None


def test_what_a_column_looks_like_hangs_on_its_name_its_place_and_its_values():
    assert looks_like(column("amount", distinct=10), 100, is_last=True) == ("target",)
    assert looks_like(column("amount", distinct=11), 100, is_last=True) == ()
    assert looks_like(column("amount", distinct=1), 100, is_last=True) == ()
    assert looks_like(column("churned", distinct=90), 100, is_last=False) == ("target",)
    assert looks_like(column("note", kind="text", distinct=100), 100, is_last=True) == ("identifier",)
    assert looks_like(column("note", kind="text", distinct=99), 100, is_last=True) == ()
    assert looks_like(column("age_group", distinct=4), 100, is_last=False) == ("sensitive feature",)


def test_boosters_of_quantiles_weigh_rows():
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(300, 2))
    target = rows[:, 0] + chance.exponential(size=300)
    weights = np.where(target > 1, 5.0, 0.2)
    settings = {"max_iter": 5, "early_stopping": False}
    found = QuantileBoosting((0.2, 0.8), settings).fit(rows, target, weights).predict(rows)
    for place, level in enumerate((0.2, 0.8)):
        own = HistGradientBoostingRegressor(loss="quantile", quantile=level, **settings).fit(rows, target, weights)
        np.testing.assert_array_equal(found[:, place], own.predict(rows))
    assert not np.allclose(found, QuantileBoosting((0.2, 0.8), settings).fit(rows, target).predict(rows))


def test_settings_of_a_class_are_those_that_plain_values_can_express():
    neighbours = {name: default for name, (_, default) in _settings(KNeighborsClassifier)}
    assert neighbours["n_neighbors"] == 5
    assert neighbours["weights"] == "uniform"
    forest = {name: kind for name, (kind, _) in _settings(RandomForestClassifier)}
    assert not {"verbose", "warm_start"} & set(forest)
    check = forest["max_depth"].__metadata__[0].func
    assert (check(None), check(4)) == (None, 4)
    for wrong in (0, "deep"):
        with pytest.raises(ValueError, match="int"):
            check(wrong)
    metric = {name: kind for name, (kind, _) in _settings(KNeighborsClassifier)}["metric"].__metadata__[0].func
    assert metric("euclidean") == "euclidean"
    with pytest.raises(ValueError, match="str"):
        metric(np.subtract)


def test_a_cell_that_is_missing_is_no_value_of_its_column(tmp_path):
    cells = ["a", "b", "", "a", "?", "b"] * 20
    rows = [f"{place % 7},{cell}" for place, cell in enumerate(cells)]
    (tmp_path / "t.csv").write_text("\n".join(["n,letter", *rows]) + "\n")
    found = {one.name: one for one in inspect_table(tmp_path / "t.csv", {}).columns}
    assert {name: (one.kind, one.distinct, one.missing, one.example) for name, one in found.items()} == {
        "n": ("number", 7, 0, "0"),
        "letter": ("category", 2, 40, "a"),
    }

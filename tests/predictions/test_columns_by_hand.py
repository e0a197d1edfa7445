"""Columns of decisions made elsewhere by hand: which class is the positive one, what names stand for, which rows remain."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.value_labels import Labels
from glassbench_plugins.predictions.columns import class_names, classes_of, favourable_named, gathered, scores_of
from glassbench_plugins.predictions.dataset import predictions
from glassbench_plugins.predictions.engines import LARGE, chosen_engine
from glassbench_plugins.predictions.files import Files
from glassbench_plugins.predictions.group_by import OpenTable
from glassbench_plugins.predictions.roles import Roles
from glassbench_plugins.predictions.sources import Source
from glassbench_plugins.predictions.strata import MOST_COLUMNS, CountedStrata
from glassbench_plugins.predictions.tasks import GivenClasses


def texts(*cells: str | None) -> pd.Series:
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    ("positive", "favourable", "expected"),
    [
        ("fail", (), ("pass", "fail")),
        ("pass", (), ("fail", "pass")),
        (None, ("fail",), ("pass", "fail")),
        (None, ("pass",), ("fail", "pass")),
        ("fail", ("pass",), ("pass", "fail")),
    ],
)
def test_of_two_classes_the_positive_one_comes_last_named_or_favourable(positive, favourable, expected):
    assert class_names(texts("pass", "fail", None), texts("pass", "fail", "pass"), positive, favourable) == expected


def test_names_that_mean_yes_tell_the_positive_class_and_more_than_two_stay_in_order():
    assert class_names(texts("yes", "no"), texts("no", "yes"), None) == ("no", "yes")
    assert class_names(texts("b", "c", "a"), texts("a", "a", "b"), None) == ("a", "b", "c")
    with pytest.raises(DataError, match="which of the two classes"):
        class_names(texts("up", "down"), texts("up", "up"), None)


def test_a_decision_that_is_never_the_truth_is_refused_where_truths_are_two_or_no_decision_is_one():
    with pytest.raises(DataError, match="never the truth"):
        class_names(texts("a", "b"), texts("a", "c"), "a")
    with pytest.raises(DataError, match="never the truth"):
        class_names(texts("a", "b", "c"), texts("x", "y", "x"), None)
    assert class_names(texts("a", "b", "c"), texts("a", "x", "b"), None) == ("a", "b", "c", "x")


def test_values_that_count_as_positive_make_classes_of_decisions():
    decision, names = texts("low", "mid", "high", "mid"), ("no", "yes")
    assert classes_of(decision, ("mid", "high"), names).tolist() == ["no", "yes", "yes", "yes"]
    made, name = gathered(decision, ("mid", "high"))
    assert (made.tolist(), name) == (["not mid or high", "mid or high", "mid or high", "mid or high"], "mid or high")


@pytest.mark.parametrize(
    ("favourable", "decides", "expected"),
    [
        (("yes",), ("mid", "high"), ("yes",)),
        (("no",), ("mid", "high"), ("no",)),
        (("high",), ("mid", "high"), ("yes",)),
        (("low",), ("mid", "high"), ("no",)),
        (("mid", "high"), ("mid", "high"), ("yes",)),
        (("low",), ("low",), ("yes",)),
    ],
)
def test_favourable_values_stand_for_the_class_that_they_are_decided_as(favourable, decides, expected):
    found = favourable_named(favourable, texts("low", "mid", "high"), decides, ("no", "yes"))
    assert ((found,) if isinstance(found, str) else found) == expected


def test_scores_lie_from_nothing_to_one_and_rise_with_the_positive_class():
    decision, names = texts("no", "yes", "no", "yes"), ("no", "yes")
    assert scores_of(pd.Series([0.0, 1.0, 0.5, 0.5]), "p", decision, names).tolist() == [0.0, 1.0, 0.5, 0.5]
    for wrong in (-0.01, 1.01):
        with pytest.raises(DataError, match="1 scores of 'p' lie outside 0 to 1"):
            scores_of(pd.Series([0.0, 1.0, wrong, 0.5]), "p", decision, names)
    with pytest.raises(DataError, match="lower where 'yes' is decided"):
        scores_of(pd.Series([0.9, 0.1, 0.8, 0.2]), "p", decision, names)


def test_names_for_people_are_those_of_the_column_that_classes_stand_in():
    labels = Labels.of({"truth": {"1": "bad", "0": "good"}, "said": {"1": "deny", "0": "grant"}, "age": "years"}, missing=("",))
    plain = {"score": None, "counts": None, "weight": None, "cluster": None, "sensitive": ("age",)}
    roles = Roles(decision="said", truth="truth", positive="1", favourable=("0",), decides=("1",), **plain)
    called = roles.called(labels)
    assert (called.positive, called.favourable, called.decides, called.sensitive) == ("bad", ("good",), ("deny",), ("years",))
    alone = Roles(decision="said", truth=None, positive="1", favourable="0", decides=("1",), **plain).called(labels)
    assert (alone.positive, alone.favourable, alone.decides) == ("deny", "grant", ("deny",))


def test_counted_rows_stand_for_as_many_wherever_rows_are_chosen_among_them():
    frame = pd.DataFrame({"a": [*"xyz"]})
    source = Source(frame=frame, frequency=np.array([4, 0, 9]), keys=frame.assign(b=[1, 2, 3]))
    assert source.total(pd.Series([True, False, True])) == 13
    kept = source.where(np.array([False, True, True]))
    assert (kept.frame["a"].tolist(), kept.frequency.tolist(), kept.keys["b"].tolist()) == (["y", "z"], [0, 9], [2, 3])
    assert kept.keys.index.tolist() == kept.frame.index.tolist() == [0, 1]
    assert Source(frame=frame).total(pd.Series([True, False, True])) == 2


def test_large_files_are_counted_where_they_are_if_nothing_is_asked_of_single_rows(tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("wb") as file:
        file.truncate(LARGE)
    files = Files(paths=(path,), form=None)  # type: ignore[arg-type]
    found = [chosen_engine("auto", files, countable=countable) for countable in (True, False)]
    assert found == ["duckdb", "memory"]
    with path.open("wb") as file:
        file.truncate(LARGE - 1)
    assert chosen_engine("auto", files, countable=True) == "memory"
    assert chosen_engine("duckdb", files, countable=True) == "duckdb"


def test_rows_are_counted_by_columns_of_two_to_so_many_values_the_fewest_first():
    values = {"key": 3, "one": 1, "two": 2, "five": 5, "six": 6, "three": 3}
    opened = OpenTable(table=None, names={name: name for name in values}, distinct=lambda columns: [values[c] for c in columns])
    keys = pd.DataFrame({"key": [*"abc"]})
    strata = CountedStrata(files=None, engine="duckdb", cells=Cells(), keys=keys, frequency=np.ones(3, dtype=int))  # type: ignore[arg-type]
    assert strata._columns(opened, 5) == ["two", "three", "five"]
    many = {f"c{k}": 2 + k for k in range(20)}
    wide = OpenTable(
        table=None, names={name: name for name in reversed(many)}, distinct=lambda columns: [many[c] for c in columns]
    )
    assert strata._columns(wide, 100) == [*many][:MOST_COLUMNS]


ROWS = """truth,said,score,sex,region,household,w
no,no,0.1,f,n,h1,2
yes,yes,0.9,m,s,h1,0
,yes,0.8,f,n,h2,3
no,,0.3,m,n,h2,1
yes,no,0.4,m,s,h3,5
,,0.5,f,s,h3,1
no,yes,0.6,f,,h4,4
yes,yes,0.7,m,s,,1
"""


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    asked = {"path": path, "truth": "truth", "decision": "said", "sensitive": ("sex",)}
    return lambda **settings: predictions(0, **{**asked, **settings})


def test_rows_keep_their_weights_clusters_and_groups_where_others_are_left_out(read):
    """Without a decision are the fourth and the sixth row; the second weighs nothing."""
    data = read(weight="w", cluster="household", score="score")
    test = data.test
    assert test.weights.tolist() == [2, 3, 5, 4, 1]
    assert test.clusters.tolist() == ["h1", "h2", "h3", "h4", "row 5 without household"]
    assert test.groups["sex"].astype(str).tolist() == ["f", "f", "m", "f", "m"]
    assert test.target.tolist() == [0, -1, 1, 0, 1]
    assert test.rows.tolist() == [0, 1, 2, 3, 4]
    assert list(test.raw.columns) == ["y_pred", "score", "sex", "region"]
    task = GivenClasses()
    task.check(data.schema)
    frame = task.predict(None, test).frame
    assert frame["y_pred"].astype(str).tolist() == ["no", "yes", "no", "yes", "yes"]
    assert frame["score.yes"].tolist() == [0.1, 0.8, 0.4, 0.6, 0.7]
    assert frame["score.no"].tolist() == pytest.approx([0.9, 0.2, 0.6, 0.4, 0.3])
    assert frame["weight"].tolist() == [2, 3, 5, 4, 1]


def test_rows_without_a_truth_are_counted_among_those_that_remain(read):
    notes = " ".join(read().notes)
    assert "2 rows without said were left out" in notes
    assert "1 rows without truth are decided all the same" in notes


def test_a_table_of_counts_says_how_many_rows_it_shows(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("truth,said,sex,n\nno,no,f,5\nyes,yes,m,0\nyes,no,f,3\n,yes,m,4\nno,,f,2\n")
    data = predictions(0, path=path, truth="truth", decision="said", sensitive=("sex",), counts="n")
    assert data.test.frequency.tolist() == [5, 3, 4]
    assert data.notes == (
        "A table of counts: 4 different rows stand for 14.",
        "2 rows without said were left out",
        "4 rows without truth are decided all the same: they count towards selection rates, not towards errors",
    )
    assert data.test.target.tolist() == [0, 1, -1]

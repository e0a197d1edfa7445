"""The setting `split`: out of time, by cluster, by a column, by files."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassbench
from glassbench.errors import GlassbenchError, SettingsError
from glassbench.registry import Registry
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.split_by import division_of
from glassbench.toolkit.splits.split_by_date import times_of
from glassbench.toolkit.splits.splits import Division, divide
from glassbench_plugins.tabular.files import table

CHANCE = np.random.default_rng(1)
N = 240
DAYS = pd.to_datetime("2023-01-01") + pd.to_timedelta(CHANCE.integers(0, 40, N) * 9, unit="D")
FRAME = pd.DataFrame(
    {
        "income": CHANCE.normal(30, 8, N).round(2),
        "applied": DAYS.strftime("%Y-%m-%d"),
        "hospital": CHANCE.choice([f"h{i}" for i in range(7)], N, p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05]),
        "paid": CHANCE.choice(["no", "yes"], N),
    }
)


def divided(frame, split, **settings):
    frame, division = division_of(split, frame, seed=0, cells=Cells(), **settings)
    together = None if division.together is None else frame[division.together]
    return divide(frame["paid"], division, together), division


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 25), min_size=30, max_size=120).filter(lambda days: len(set(days)) > 2),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
)
def test_training_is_before_validation_before_testing_and_no_date_is_in_two_parts(days, validation, test):
    when = pd.Series(pd.to_datetime("2024-02-20") + pd.to_timedelta(days, unit="D"), name="when")
    split = {"by": "date", "column": "when", "validation": validation, "test": test}
    rows, division = division_of(split, when.to_frame(), seed=0, cells=Cells())
    train, valid, last = (when.iloc[division.given[part]] for part in ("train", "validation", "test"))
    assert train.max() < valid.min() <= valid.max() < last.min()
    assert len(train) + len(valid) + len(last) == len(rows)
    day = when.value_counts().max()
    assert abs(len(last) - test * len(when)) <= max(day, 2 * day) or when.nunique() < 6


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%SZ", "%d %b %Y"])
def test_dates_are_ordered_however_they_are_written(form):
    frame = FRAME.assign(applied=DAYS.strftime(form))
    first = "20231001" if form == "%Y%m%d" else "2023-10-01"
    parts, division = divided(frame, {"by": "date", "column": "applied", "from": first})
    np.testing.assert_array_equal(parts["test"], np.flatnonzero(DAYS >= "2023-10-01"))
    assert DAYS[parts["train"]].max() < DAYS[parts["validation"]].min()
    assert division.words.startswith("by date (applied): train 2023")


def test_no_cluster_is_in_two_parts_and_shares_are_near():
    parts, _ = divided(FRAME, {"by": "cluster", "column": "hospital"})
    held = [set(FRAME["hospital"].iloc[rows]) for rows in parts.values()]
    assert sum(map(len, held)) == FRAME["hospital"].nunique()
    sizes = {part: len(rows) / N for part, rows in parts.items()}
    assert sizes == pytest.approx({"train": 0.6, "validation": 0.2, "test": 0.2}, abs=0.07)
    assert sum(map(len, parts.values())) == N


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=40, max_size=90).filter(lambda c: len(set(c)) > 4), st.integers(0, 999))
def test_clusters_of_any_sizes_stay_together(clusters, seed):
    target = pd.Series(np.random.default_rng(seed).normal(size=len(clusters)))
    parts = divide(target, Division(seed=seed), pd.Series(clusters))
    held = [set(np.take(clusters, rows)) for rows in parts.values()]
    assert sum(map(len, held)) == len(set(clusters))
    assert all(held)


def test_a_run_says_how_rows_were_divided_and_that_clusters_cross(tmp_path):
    dataset = {
        "use": "table",
        "target": "paid",
        "cluster": "hospital",
        "split": {"by": "date", "column": "applied", "from": "2023-10-01"},
    }
    experiment = {"name": "x", "dataset": dataset, "task": "classification", "model": "logistic-regression", "audits": []}
    run = glassbench.run(experiment, data=FRAME, runs=tmp_path)
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    assert (FRAME["applied"].iloc[frame["row"]] >= "2023-10-01").all()
    said = (run.folder / "data.json").read_text()
    assert "rows were divided by date (applied): train 2023-01-01 to" in said
    assert "7 clusters have rows in several parts" in said
    assert "applied" not in (run.folder / "schema.json").read_text()
    assert "by date (applied)" in (run.folder / "summary.md").read_text()


def test_files_are_found_again_from_another_folder(tmp_path, monkeypatch):
    FRAME[:180].to_csv(tmp_path / "a.csv", index=False)
    FRAME[180:].to_csv(tmp_path / "b.csv", index=False)
    monkeypatch.chdir(tmp_path)
    dataset = {"use": "table", "path": "a.csv", "target": "paid", "drop": ["applied"], "split": {"by": "file", "test": "b.csv"}}
    experiment = {"name": "x", "dataset": dataset, "task": "classification", "model": "logistic-regression"}
    plan = glassbench.plan(experiment, registry=Registry())
    assert plan.resolved["dataset"]["split"]["test"] == str(tmp_path / "b.csv")
    assert plan.dataset.make(0).test.rows.tolist() == list(range(180, N))


MISSING = FRAME.assign(applied=FRAME["applied"].where(FRAME.index != 4, ""))
STRANGE = FRAME.assign(applied=FRAME["applied"].where(FRAME.index > 2, "soon"))
EITHER = FRAME.assign(applied="03/04/2023")
LATE = FRAME.assign(paid=np.where(FRAME["applied"] >= "2023-10-01", "yes", "no"))
ONE = FRAME.assign(applied="2023-01-01")


@pytest.mark.parametrize(
    ("frame", "split", "words"),
    [
        (MISSING, {"by": "date", "column": "applied"}, "1 of 240 rows have no date in 'applied'"),
        (STRANGE, {"by": "date", "column": "applied"}, "3 of 240 cells of 'applied' hold no date(.|\n)*soon"),
        (EITHER, {"by": "date", "column": "applied"}, "which is the day and which is the month"),
        (FRAME, {"by": "date", "column": "applied", "from": "2031-01-01"}, "no row is left for the test part(.|\n)*2023-12-18"),
        (FRAME, {"by": "date", "column": "applied", "from": "2001-01-01"}, "no row is left for the train part"),
        (FRAME, {"by": "date", "column": "applied", "from": "next year"}, "'from' is no such value"),
        (ONE, {"by": "date", "column": "applied"}, "1 different dates"),
        (LATE, {"by": "date", "column": "applied", "from": "2023-10-01"}, "the train part has no row of the class 'yes'"),
        (FRAME, {"by": "date"}, "a split by date needs 'column'"),
        (FRAME, {"by": "date", "column": "aplied"}, "did you mean 'applied'"),
        (FRAME, {"by": "date", "column": "applied", "from": "2023-10-01", "test": 0.2}, "both say where the test rows begin"),
        (FRAME, {"by": "random", "from": "2023-10-01"}, "did you mean a split by date"),
        (FRAME, {"by": "random", "test": "b.csv"}, "'test' is a share of the rows here"),
        (FRAME, {"by": "random", "test": 20}, "'test' is a share of the rows"),
        (FRAME, {"by": "cluster"}, "needs to know the clusters"),
        (FRAME.assign(hospital="h"), {"by": "cluster", "column": "hospital"}, "240 rows in 1 clusters, for 3 parts"),
        (FRAME, {"by": "column", "column": "hospital"}, "does not say which part"),
        (FRAME, {"by": "file", "test": 0.2}, "names the file of the test rows"),
    ],
)
def test_what_does_not_divide_is_refused_on_one_screen(frame, split, words):
    with pytest.raises(GlassbenchError, match=words) as error:
        divided(frame, split, read=lambda path, where: frame)
    assert len(str(error.value).splitlines()) < 8


def test_an_unknown_key_is_refused_when_planning(tmp_path):
    dataset = {"use": "table", "path": "a.csv", "split": {"by": "date", "colum": "applied"}}
    with pytest.raises(SettingsError, match="colum"):
        glassbench.plan({"name": "x", "dataset": dataset, "task": "classification", "model": "logistic-regression"})


def test_times_keep_their_zone_and_numbers_their_order():
    zoned = pd.Series(["2024-01-01T23:00:00-05:00", "2024-01-02T01:00:00+00:00"], name="t")
    assert times_of(zoned, Cells(), None).is_monotonic_decreasing
    assert times_of(pd.Series(["2019", "2021", "2020"], name="t"), Cells(), None).tolist() == [2019, 2021, 2020]


def test_parts_decided_by_a_column_without_a_class_to_judge_by(tmp_path):
    frame = FRAME.assign(part=["train"] * 200 + ["test"] * 40)
    frame.loc[200:, "paid"] = "no"
    frame.drop(columns=["applied", "hospital"]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(GlassbenchError, match="the test part has no row of the class 'yes'"):
        table(0, path=tmp_path / "a.csv", target="paid", split={"by": "column", "column": "part"})

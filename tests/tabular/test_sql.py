"""Rows from a query over files, and frames of other libraries."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import DataError
from glassbench_plugins.tabular.files import table
from glassbench_plugins.tabular.sql import sql

QUERY = "SELECT p.age, p.sex, o.amount, o.late FROM shop.people p JOIN orders o ON p.id = o.person WHERE p.age > 20 ORDER BY o.n"


@pytest.fixture
def made(tmp_path):
    chance = np.random.default_rng(2)
    people = pd.DataFrame({"id": range(150), "age": chance.integers(18, 80, 150), "sex": chance.choice(["f", "m"], 150)})
    orders = pd.DataFrame({"n": range(500), "person": chance.integers(0, 150, 500), "amount": chance.gamma(2, 30, 500).round(2)})
    orders["late"] = np.where(orders["amount"] + chance.normal(0, 20, 500) > 60, "yes", "no")
    with sqlite3.connect(tmp_path / "shop.db") as file:
        people.to_sql("people", file, index=False)
    file.close()
    (tmp_path / "orders").mkdir()
    for part, rows in orders.assign(half=orders["n"] % 2).groupby("half"):
        (tmp_path / "orders" / f"half={part}").mkdir()
        rows.drop(columns="half").to_parquet(tmp_path / "orders" / f"half={part}" / "rows.parquet", index=False)
    joined = orders.merge(people, left_on="person", right_on="id").query("age > 20").sort_values("n")
    joined[["age", "sex", "amount", "late"]].to_parquet(tmp_path / "joined.parquet", index=False)
    return tmp_path


def asked(made, query=QUERY, **more):
    sources = {"shop": made / "shop.db", "orders": made / "orders"}
    return sql(0, query=query, sources=sources, **{"target": "late", "sensitive": ("sex",), **more})


def test_a_query_over_sqlite_and_partitioned_parquet_equals_the_join_by_pandas(made):
    found, expected = asked(made), table(0, path=made / "joined.parquet", target="late", sensitive=("sex",))
    for part in ("train", "validation", "test"):
        pd.testing.assert_frame_equal(getattr(found, part).raw, getattr(expected, part).raw)
        assert (getattr(found, part).inputs[0] == getattr(expected, part).inputs[0]).all()
    assert "shop.db" in found.source
    halves = asked(made, "SELECT half, amount, late FROM orders ORDER BY n", sensitive=("half",))
    assert set(halves.test.groups["half"]) == {"0", "1"}


def test_one_file_keeps_its_columns_whatever_its_folder_is_called(made):
    """Folders of a source name columns of the files below it; of a file alone its folder says nothing."""
    rows = pd.read_parquet(made / "joined.parquet").assign(half=np.arange(len(pd.read_parquet(made / "joined.parquet"))) % 7)
    (made / "half=3").mkdir()
    rows.to_parquet(made / "half=3" / "rows.parquet", index=False)
    found = sql(0, query="SELECT * FROM r", sources={"r": made / "half=3" / "rows.parquet"}, target="late", sensitive=("sex",))
    assert set(found.test.raw["half"].astype(int)) == set(range(7))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELEC 1", "the query failed"),
        ("SELECT nothing FROM orders", "nothing"),
        ("SELECT * FROM people", "people"),
        ("COPY orders TO '{0}/stolen.csv'", "one SELECT statement"),
        ("SELECT 1; DROP VIEW orders", "one SELECT statement"),
        ("SELECT * FROM read_csv('/etc/passwd')", "the query failed"),
        ("SELECT * FROM read_text('{0}/joined.parquet')", "the query failed"),
        ("INSTALL httpfs", "one SELECT statement"),
        ("SET threads = 4", "one SELECT statement"),
        ("SELECT * FROM orders WHERE false", "empty"),
    ],
)
def test_a_query_that_fails_or_does_more_than_ask_is_refused_in_one_screen(query, said, made):
    before = sorted(made.rglob("*"))
    with pytest.raises(DataError, match=said) as refused:
        asked(made, query.format(made))
    assert len(str(refused.value).splitlines()) <= 5
    assert sorted(made.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"), [("gone.db", "gone.db"), ("odd.xyz", "Parquet, CSV or SQLite"), ("none", "no Parquet files")]
)
def test_a_source_that_cannot_be_read_is_refused(name, said, made):
    (made / "odd.xyz").write_text("1")
    (made / "none").mkdir()
    with pytest.raises(DataError, match=said):
        sql(0, query="SELECT 1", sources={"rows": made / name})


def test_data_sets_of_hugging_face_are_frames(made, tmp_path):
    datasets = pytest.importorskip("datasets")
    frame = pd.read_parquet(made / "joined.parquet")
    content = {"name": "frames", "dataset": {"use": "table", "target": "late"}, "task": "classification"}
    content |= {"model": "logistic-regression", "audits": ["performance"]}
    runs = [glassbench.run(content, data=rows, runs=tmp_path / "runs") for rows in (frame, datasets.Dataset.from_pandas(frame))]
    first, second = (run.to_frame().drop(columns="seconds", errors="ignore") for run in runs)
    pd.testing.assert_frame_equal(first, second)


def test_postgres_without_the_extension_is_one_screen_with_the_fix(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # where extensions are installed
    with pytest.raises(DataError, match="extension for Postgres is not installed") as caught:
        sql(
            0,
            query="SELECT * FROM shop.public.orders",
            sources={"shop": Path("postgresql://reader@db.example/shop")},
            target="late",
        )
    said = str(caught.value)
    assert "dataset.sources.shop" in said
    assert "INSTALL postgres" in said
    assert "Parquet" in said
    assert len(said.splitlines()) <= 8


@pytest.mark.parametrize(
    ("address", "query", "words"),
    [
        ("postgresql://reader:secret@db.example/shop", "SELECT 1", "a password does not belong"),
        ("postgres://db.example/shop", "SELECT * FROM postgres_query('shop', 'DROP TABLE orders')", "calls no server"),
        ("postgres://db.example/shop", "SELECT * FROM Postgres_Execute ('shop', 'DROP TABLE orders')", "calls no server"),
    ],
)
def test_what_a_server_is_not_told(address, query, words):
    with pytest.raises(DataError, match=words) as caught:
        sql(0, query=query, sources={"shop": Path(address)}, target="late")
    assert "secret" not in str(caught.value)

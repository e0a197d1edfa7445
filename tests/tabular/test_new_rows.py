"""Deciding new rows: what they hold that training rows did not, in which form they may come, and how decisions are written."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassbench
from glassbench.cli.app import invoke
from glassbench.errors import DataError

CHANCE = np.random.default_rng(3)
N = 120
FRAME = pd.DataFrame(
    {
        "income": CHANCE.uniform(10, 50, N).round(1),
        "debt": pd.Series(CHANCE.uniform(0, 9, N).round(1)).where(CHANCE.random(N) > 0.1),
        "city": CHANCE.choice(["north", "south"], N),
    }
)
FRAME["paid"] = np.where(FRAME["income"] + CHANCE.normal(0, 6, N) > 30, "yes", "no")
NEW = pd.DataFrame(
    {
        "income": [20.0, None, 900.0, -5.0],
        "debt": [None, 1.0, 2.0, 3.0],
        "city": ["north", "west", "east", None],
    }
)


def experiment(**dataset):
    return {
        "name": "loans",
        "dataset": {"use": "table", "target": "paid", **dataset},
        "task": "classification",
        "model": "logistic-regression",
        "audits": [],
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return glassbench.run(experiment(), data=FRAME, runs=tmp_path_factory.mktemp("runs"))


def test_unusual_cells_are_counted_per_column(trained):
    found = {(one.column, one.kind): one.count for one in trained.unusual(NEW)}
    assert found == {
        ("income", "missing"): 1,
        ("income", "outside"): 2,
        ("debt", "missing"): 1,
        ("city", "unseen"): 2,
        ("city", "missing"): 1,
    }
    said = " ".join(map(str, trained.unusual(NEW)))
    assert "income: 2 of 4 values lie outside the range of the training rows, such as 900, -5" in said
    assert "city: 2 of 4 cells hold a category that the model has no input for, such as west, east" in said
    assert trained.unusual(FRAME.dropna().iloc[:0:-1])[1:] == trained.unusual(FRAME.dropna())[1:]


def test_the_range_is_that_of_the_training_rows_alone(trained):
    test = pd.read_parquet(trained.folder / "predictions.parquet")["row"]
    learnt = FRAME["income"].drop(index=test)
    inside = NEW[:1].assign(income=[learnt.max()])
    assert {one.column for one in trained.unusual(inside)} == {"debt"}


def test_strict_refuses_and_usual_rows_pass(trained):
    with pytest.raises(DataError, match="cells that the training rows did not"):
        trained.predict(NEW, strict=True)
    usual = pd.DataFrame({"income": [30.0], "debt": [4.0], "city": ["south"]})
    assert len(trained.predict(usual, strict=True)) == 1
    assert len(trained.predict(pa.Table.from_pandas(usual))) == 1


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ({"income": 3, "city": "north"}, r"DataFrame\(\[row\]\)"),
        ({"income": [3], "city": ["north"]}, r"DataFrame\(columns\)"),
        ("rows.csv", r"run.read_rows\('rows.csv'\)"),
        (FRAME.iloc[0], r"to_frame\(\).T"),
        ([[1, 2, "north"]], r"DataFrame\(rows, columns"),
        (FRAME[["income"]].to_numpy(), r"DataFrame\(rows, columns"),
        (FRAME[:0], "no rows to decide"),
    ],
)
def test_other_forms_of_rows_get_the_fix(trained, given, fix):
    with pytest.raises(DataError, match=fix):
        trained.predict(given)


def test_the_command_says_on_stderr_what_is_unusual(trained, tmp_path, capsys):
    NEW.to_csv(tmp_path / "new.csv", index=False)
    assert invoke(["predict", str(trained.folder), str(tmp_path / "new.csv")]) == 0
    said = capsys.readouterr()
    assert "note: income: 2 of 4 values lie outside" in said.err
    assert len(said.out.splitlines()) == 5
    assert invoke(["predict", str(trained.folder), str(tmp_path / "new.csv"), "--strict"]) == 2
    assert capsys.readouterr().out == ""
    assert invoke(["predict", str(trained.folder), str(tmp_path / "new.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unusual"][0]["column"] == "income"


READERS = {
    "a.csv": pd.read_csv,
    "a.tsv": lambda path: pd.read_csv(path, sep="\t"),
    "a.parquet": pd.read_parquet,
    "a.jsonl": lambda path: pd.read_json(path, lines=True),
    "A.CSV": pd.read_csv,
}


@pytest.mark.parametrize("name", READERS)
def test_the_format_is_what_the_name_says(trained, name, tmp_path, capsys):
    FRAME[:6].to_parquet(tmp_path / "rows.parquet")
    assert invoke(["predict", str(trained.folder), str(tmp_path / "rows.parquet"), "-o", str(tmp_path / name)]) == 0
    written = READERS[name](tmp_path / name)
    want = trained.predict(FRAME[:6])
    assert written["y_pred"].tolist() == want["y_pred"].tolist()
    np.testing.assert_allclose(written["score.yes"], want["score.yes"], rtol=1e-6)


@pytest.mark.parametrize("name", ["out.txt", "out", "out.csv.gz", "out.pkl", "out.json"])
def test_other_names_are_refused_before_anything_is_decided(trained, name, tmp_path, capsys):
    FRAME[:6].to_parquet(tmp_path / "rows.parquet")
    assert invoke(["predict", str(trained.folder), str(tmp_path / "rows.parquet"), "-o", str(tmp_path / name)]) == 2
    assert "no format that is written" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_tables_without_a_header_are_decided_with_and_without_their_target(tmp_path, capsys):
    FRAME.to_csv(tmp_path / "a.csv", index=False, header=False)
    run = glassbench.run(experiment(path=str(tmp_path / "a.csv"), columns=list(FRAME)), runs=tmp_path)
    want = run.predict(FRAME[:9])["y_pred"].tolist()
    FRAME[:9].to_csv(tmp_path / "whole.csv", index=False, header=False)
    FRAME[:9].drop(columns="paid").to_csv(tmp_path / "inputs.csv", index=False, header=False)
    FRAME[:9][["city", "income", "debt"]].to_csv(tmp_path / "named.csv", index=False)
    for name in ("whole.csv", "inputs.csv", "named.csv"):
        assert run.predict(run.read_rows(tmp_path / name))["y_pred"].tolist() == want, name
    FRAME[:9][["income", "debt"]].to_csv(tmp_path / "short.csv", index=False, header=False)
    assert invoke(["predict", str(run.folder), str(tmp_path / "short.csv")]) == 2


def booster(library):
    return type("Booster", (), {"predict": lambda self, rows: rows, "__module__": f"{library}.core"})()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (booster("xgboost"), r"booster.predict\(xgboost.DMatrix\(X\)\)"),
        (booster("lightgbm"), r"lambda X: booster.predict\(X\)"),
        (LogisticRegression, r"LogisticRegression\(\).fit\(X_train, y_train\)"),
        (LogisticRegression(), "the model is not fitted(.|\n)*model.fit"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "the model is not fitted"),
        (np.array(["yes", "no"]), "this is no model(.|\n)*predictions"),
        (FRAME, "this is no model"),
    ],
)
def test_what_is_no_trained_model_gets_the_fix(model, words, tmp_path):
    with pytest.raises(glassbench.GlassbenchError, match=words):
        glassbench.audit(model, FRAME[["income"]], FRAME["paid"], runs=tmp_path)
    assert not list(tmp_path.iterdir())

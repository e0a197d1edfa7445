"""`glassbench inspect` and `glassbench init FILE`: what is said of a table, next to pandas, and what gets one clear screen."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

import glassbench
from glassbench.cli.app import invoke

CHANCE = np.random.default_rng(8)
N = 400
FRAME = pd.DataFrame(
    {
        "case_id": np.arange(1, N + 1),
        "patient_nbr": CHANCE.integers(1000, 1300, N),
        "racetxt": CHANCE.choice(["white", "black", "other"], N, p=[0.6, 0.3, 0.1]),
        "age": CHANCE.integers(18, 90, N),
        "income": CHANCE.lognormal(10, 0.5, N).round(2),
        "admission_type_id": CHANCE.integers(1, 8, N),
        "ward": CHANCE.choice(["a", "b", None], N, p=[0.5, 0.3, 0.2]),
        "country": "x",
        "seen_on": pd.date_range("2021-01-01", periods=N).strftime("%d.%m.%Y"),
        "readmitted": CHANCE.choice(["no", "yes"], N, p=[0.7, 0.3]),
    }
)
FRAME.loc[1] = FRAME.loc[0]


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("rows.csv", index=False)
    return "rows.csv"


def inspected(capsys, *given):
    assert invoke(["inspect", *given, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("european", [False, True])
def test_columns_are_counted_as_pandas_counts_them(rows, european, capsys):
    if european:
        FRAME.to_csv(rows, index=False, sep=";", decimal=",")
    found = inspected(capsys, rows)
    columns = {column["name"]: column for column in found["columns"]}
    assert (found["rows"], list(columns)) == (N, list(FRAME))
    assert {name: column["missing"] for name, column in columns.items()} == FRAME.isna().sum().to_dict()
    assert {name: column["distinct"] for name, column in columns.items()} == FRAME.nunique().to_dict()
    assert found["duplicates"] == FRAME.duplicated().sum() == 1
    assert found["file"]["decimal mark"] == ("comma" if european else "point")
    assert found["file"]["separator"] == ("a semicolon" if european else "a comma")
    terciles = FRAME["age"].quantile([1 / 3, 2 / 3]).round().tolist()
    assert columns["age"]["bands"] == terciles


def test_a_workbook_has_no_separator_and_no_encoding(rows, capsys):
    FRAME.to_excel("rows.xlsx", index=False)
    found = inspected(capsys, "rows.xlsx")
    assert {key: found["file"].get(key) for key in ("format", "separator", "encoding")} == {
        "format": "Excel workbook",
        "separator": None,
        "encoding": None,
    }


def test_columns_are_told_apart_by_kind_and_purpose(rows, capsys):
    found = inspected(capsys, rows)
    kinds = {column["name"]: column["kind"] for column in found["columns"]}
    assert kinds == {
        **dict.fromkeys(["patient_nbr", "age", "income", "admission_type_id", "case_id"], "number"),
        **dict.fromkeys(["racetxt", "ward", "readmitted"], "category"),
        **{"country": "constant", "seen_on": "date"},
    }
    like = {purpose: column["name"] for column in found["columns"] for purpose in column["looks_like"]}
    assert like["target"] == "readmitted"
    assert like["a person's id"] == "patient_nbr"
    assert {c["name"] for c in found["columns"] if "sensitive feature" in c["looks_like"]} == {"racetxt", "age"}
    assert any("admission_type_id" in problem and "category" in problem for problem in found["problems"])
    assert not any("patient_nbr" in problem for problem in found["problems"])


def test_whole_numbers_have_no_decimal_mark(tmp_path, capsys):
    (tmp_path / "whole.csv").write_text("a,b\n" + "1,x\n2,y\n" * 20)
    assert inspected(capsys, str(tmp_path / "whole.csv"))["file"]["decimal mark"] == "none: whole numbers"


def test_the_only_column_of_two_values_may_be_the_target(tmp_path, capsys):
    frame = pd.DataFrame({"PINCP": [0, 1] * 30, "SEX": [1, 2, 2] * 20, "WKHP": range(60)})
    frame.to_csv(tmp_path / "acs.csv", index=False)
    columns = inspected(capsys, str(tmp_path / "acs.csv"))["columns"]
    assert {c["name"]: c["looks_like"] for c in columns} == {"PINCP": ["target"], "SEX": ["sensitive feature"], "WKHP": []}


def test_a_starting_experiment_runs_and_says_what_columns_are(rows, tmp_path, capsys):
    given = ["--target", "readmitted", "--sensitive", "racetxt,age"]
    assert invoke(["init", rows, *given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "experiment.yaml"}
    text = (tmp_path / "experiment.yaml").read_text()
    dataset = yaml.safe_load(text)["dataset"]
    terciles = FRAME["age"].quantile([1 / 3, 2 / 3]).round().tolist()
    assert dataset == {
        "use": "table",
        "path": "rows.csv",
        "target": "readmitted",
        "kind": "class",
        "sensitive": ["racetxt", {"column": "age", "bins": terciles}],
        "cluster": "patient_nbr",
        "drop": ["seen_on"],
    }
    assert "racetxt: category, audited by, no input" in text
    assert "country: constant, left out" in text
    assert "# favourable: CLASS" in text
    run = glassbench.run("experiment.yaml", overrides=["audits={performance: {}}"], runs=tmp_path / "runs")
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    assert frame["group.racetxt"].tolist() == FRAME["racetxt"].iloc[frame["row"]].tolist()
    bands = pd.cut(FRAME["age"], [0, *terciles, 200], right=False, labels=False).iloc[frame["row"]]
    assert frame.groupby(bands.to_numpy())["group.age_band"].nunique().eq(1).all()


def test_inputs_that_may_be_outcomes_are_asked_about(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.assign(is_recid=FRAME["readmitted"]).to_csv("rows.csv", index=False)
    assert invoke(["init", "rows.csv", "--target", "readmitted"]) == 0
    assert "# inputs that may be outcomes too: is_recid." in (tmp_path / "experiment.yaml").read_text()


@pytest.mark.parametrize(
    ("content", "given", "words"),
    [
        (None, [], ["no column to be predicted", "--target 'readmitted'"]),
        (None, ["--target", "readmited"], ["no column 'readmited'", "did you mean 'readmitted'?"]),
        (None, ["--target", "readmitted", "--sensitive", "sex"], ["no column 'sex'", "--sensitive"]),
        (None, ["--target", "readmitted", "--sensitive", "readmitted"], ["both the target and a sensitive feature"]),
        (None, ["--target", "readmitted", "--sensitive", "income,seen_on"], ["too many groups"]),
        (None, ["--target", "country"], ["one class"]),
        (None, ["--target", "readmitted", "--model", "nosuch"], ["nosuch"]),
        ("y\n" + "no\nyes\n" * 30, ["--target", "y"], ["no column is left"]),
        ("", ["--target", "y"], ["empty"]),
        ("a,y\n", ["--target", "y"], ["empty"]),
        ("a,y\n1,no\n2,yes\n", ["--target", "y"], ["too small"]),
    ],
    ids=[
        "no target",
        "misspelt",
        "no column",
        "two purposes",
        "groups",
        "constant",
        "model",
        "one",
        "empty",
        "header",
        "two rows",
    ],
)
def test_mistakes_get_one_screen_and_write_nothing(rows, tmp_path, content, given, words, capsys):
    if content is not None:
        (tmp_path / "rows.csv").write_text(content)
    assert invoke(["init", rows, *given]) == 2
    said = capsys.readouterr().err
    assert all(word in " ".join(said.split()) for word in words), said
    assert len(said.splitlines()) < 24
    assert "Traceback" not in said
    assert not (tmp_path / "experiment.yaml").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "no such file"),
        ("rows.csv", "", "empty"),
        ("rows.csv", "a\n\n", "empty"),
        ("b.csv", "a,a\n1,2\n", "two"),
    ],
)
def test_files_that_cannot_be_looked_at(tmp_path, name, content, words, capsys):
    if content is not None:
        (tmp_path / name).write_text(content)
    assert invoke(["inspect", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) < 24
    assert "Traceback" not in said

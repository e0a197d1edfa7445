"""Counts of equal rows say what the rows say, whoever counted them."""

import importlib.util
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from glassbench.cli.app import invoke

CHANCE = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "truth": CHANCE.choice(["no", "yes"], 600),
        "decided": CHANCE.choice(["no", "yes"], 600),
        "sex": CHANCE.choice(["f", "m", ""], 600, p=[0.5, 0.4, 0.1]),
        "age": CHANCE.integers(20, 70, 600),
    }
)
COUNTED = ROWS.groupby(["truth", "decided", "sex"]).size().rename("n").reset_index()
SPARK = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pyspark") is None or shutil.which("java") is None, reason="needs pyspark and java"
    ),
]


@pytest.fixture
def audit(tmp_path, capsys):
    def make(content, *arguments, expect=0, columns=("--truth", "truth", "--decision", "decided"), name="given.csv"):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        elif name.endswith(".parquet"):
            content.to_parquet(path)
        else:
            content.to_csv(path, index=False)
        code = invoke(["audit", str(path), *columns, *arguments, "--runs", str(tmp_path / "runs"), "--json"])
        captured = capsys.readouterr()
        assert code == expect, captured.err
        return json.loads(captured.out) if code != 2 else captured.err

    return make


def figures(content, prefix):
    return {
        (m["name"], str(m["by"]), str(m["group"])): (m["value"], m["low"], m["high"], m["n"])
        for m in content["measures"]
        if m["name"].startswith(prefix)
    }


def points(content, prefix):
    return {str((key, n)): value for key, (value, _, _, n) in figures(content, prefix).items()}


def test_a_table_of_counts_says_what_its_rows_say(audit):
    rows = audit(ROWS, "--sensitive", "sex")
    counted = audit(COUNTED, "--sensitive", "sex", "--counts", "n")
    assert figures(counted, "fairness.") == figures(rows, "fairness.")
    assert points(counted, "performance.") == pytest.approx(points(rows, "performance."))


def test_scores_in_a_table_of_counts_are_weighted(audit):
    scored = COUNTED.assign(p=np.linspace(0, 1, len(COUNTED)))
    rows = scored.loc[scored.index.repeat(scored["n"])].drop(columns="n")
    counted = next(m for m in audit(scored, "--score", "p", "--counts", "n")["measures"] if m["name"] == "performance.roc_auc")
    assert counted["value"] == pytest.approx(roc_auc_score(rows["truth"] == "yes", rows["p"]))
    assert counted["n"] == 600


def test_intervals_from_counts_are_as_wide_as_from_rows(audit):
    found = [audit(ROWS), audit(COUNTED, "--counts", "n")]
    ends = [next(m for m in content["measures"] if m["name"] == "performance.macro_f1") for content in found]
    rows, counted = (end["high"] - end["low"] for end in ends)
    assert counted == pytest.approx(rows, rel=0.1)


@pytest.mark.parametrize("name", ["given.csv", "given.parquet"])
@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=SPARK)])
def test_engines_count_what_memory_counts(audit, engine, name):
    bands = ['dataset.sensitive=["sex",{column: age, bins: [30, 50]}]']
    memory = audit(ROWS, *bands, "--engine", "memory", name=name)
    counted = audit(ROWS, *bands, "--engine", engine, name=name)
    assert figures(counted, "fairness.") == figures(memory, "fairness.")


def sizes(content):
    shown = [m for m in content["measures"] if m["name"] == "fairness.selection_rate" and m["group"]]
    return {next(iter(m["group"].values())): m["n"] for m in shown}


ENGINES = pytest.mark.parametrize("engine", ["memory", "duckdb", pytest.param("spark", marks=SPARK)])


@ENGINES
def test_names_are_no_patterns_and_quoted_cells_may_hold_line_ends(audit, engine):
    frame = ROWS.assign(**{"the.sex": ROWS["sex"].map({"f": 'f "1"\nor so', "m": "m, b", "": "d"})})
    content = audit(frame, "--sensitive", "the.sex", "--engine", engine, name="given [1] {a} %20.csv")
    groups = sizes(content)
    assert groups == frame["the.sex"].value_counts().to_dict()


@ENGINES
@pytest.mark.parametrize("name", ["second.csv", "second.parquet"])
def test_several_files_have_the_same_columns(audit, tmp_path, engine, name):
    first = tmp_path / f"first{name[6:]}"
    ROWS.to_csv(first, index=False) if name.endswith("csv") else ROWS.to_parquet(first)
    both = audit(ROWS, str(first), "--engine", engine, "--sensitive", "sex", name=name)
    assert sum(sizes(both).values()) == 1200
    swapped = ROWS[["decided", "truth", "sex", "age"]]
    assert "has other columns than" in audit(swapped, str(first), "--engine", engine, expect=2, name=name)


def test_reports_count_rows_not_combinations(audit, tmp_path):
    content = audit(COUNTED, "--counts", "n", "--sensitive", "sex")
    folder = tmp_path / "runs" / content["run"]
    assert json.loads((folder / "data.json").read_text())["rows"]["test"] == 600
    assert "600 held-out rows" in (folder / "report.html").read_text() or "600" in (folder / "summary.md").read_text()


def test_audits_of_single_rows_see_counted_ones_expanded(audit, tmp_path):
    scored = COUNTED.assign(p=np.linspace(0.1, 0.9, len(COUNTED)))
    rows = audit(scored.loc[scored.index.repeat(scored["n"])].drop(columns="n"), "--score", "p", "--sensitive", "sex")
    counted = audit(scored, "--score", "p", "--counts", "n", "--sensitive", "sex")
    for prefix in ("calibration.", "errors."):
        assert figures(counted, prefix) == figures(rows, prefix)
        assert figures(rows, prefix)


def test_too_many_counted_rows_are_not_expanded(audit, tmp_path):
    content = audit(COUNTED.assign(n=100_000), "--counts", "n")
    errors = json.loads((tmp_path / "runs" / content["run"] / "audits" / "errors" / "result.json").read_text())
    assert errors["not_applicable"] == "it looks at single rows, and counts of more than 1,000,000 stay counts"


@pytest.mark.parametrize("wrong", [-1, 0.5, "many", "", "inf"])
def test_counts_that_are_none(audit, wrong):
    said = audit(COUNTED.assign(n=[wrong, *COUNTED["n"][1:]]), "--counts", "n", expect=2)
    assert "whole numbers" in said or "values are none" in said or "infinite" in said


def test_counts_that_add_up_to_nothing(audit):
    assert "add up to 0" in audit(COUNTED.assign(n=0), "--counts", "n", expect=2)


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=SPARK)])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("truth,decided\n" + "yes,no\nno,yes\n" * 20 + "yes\n", "cannot be read"),
        (ROWS[["truth"]], "no column 'decided'"),
        (ROWS[:0], "empty"),
    ],
    ids=["ragged", "no column", "no rows"],
)
def test_engines_refuse_what_they_cannot_count(audit, engine, content, words):
    said = audit(content, "--engine", engine, expect=2)
    assert words in said or "another number of cells" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "duckdb", "--score", "age"], "row by row"),
        (["--engine", "duckdb", "--counts", "age"], "read in memory"),
        (["--engine", "duckdb", "--kind", "value"], "row by row"),
        (["--counts", "persons"], "no column 'persons'"),
    ],
)
def test_what_counts_cannot_answer(audit, arguments, words):
    assert words in audit(ROWS, *arguments, expect=2)


def test_decisions_without_a_truth(audit):
    content = audit(ROWS, "--sensitive", "sex", columns=("--decision", "decided"))
    names = {m["name"] for m in content["measures"]}
    assert "fairness.selection_rate" in names
    assert not {"fairness.true_positive_rate", "performance.accuracy"} & names
    gathered = audit(
        ROWS.assign(decided=ROWS["truth"] + ROWS["decided"]), "--decides", "yesyes,noyes", columns=("--decision", "decided")
    )
    assert gathered["verdict"] == "not applicable"

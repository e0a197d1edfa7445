"""Rows of one person hang together: files of decisions name the column, and audits follow it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.cli.app import invoke
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.clusters import clusters_of

PERSONS, ROWS = 48, 5


@pytest.fixture
def audit(tmp_path, capsys):
    def make(frame, *arguments, expect=0):
        path = tmp_path / "given.csv"
        frame.to_csv(path, index=False)
        common = ["--truth", "truth", "--decision", "decided", "--sensitive", "sex", "--runs", str(tmp_path / "runs"), "--json"]
        code = invoke(["audit", str(path), *common, "audits=[fairness, performance]", *arguments])
        captured = capsys.readouterr()
        assert code == expect, captured.err
        return json.loads(captured.out) if code != 2 else captured.err

    return make


@pytest.fixture
def visits():
    """Five equal rows of each person; by chance the persons of one group were decided otherwise more often."""
    person = np.arange(PERSONS)
    decided = np.where(person % 2, person % 8 < 4, person % 8 < 6).astype(int)
    truth = (person % 3 == 0).astype(int)
    frame = pd.DataFrame({"person": person, "sex": np.array(["f", "m"])[person % 2], "truth": truth, "decided": decided})
    return frame.loc[np.repeat(person, ROWS)].reset_index(drop=True)


def _fairness(content):
    found = json.loads((Path(content["folder"]) / "audits" / "fairness" / "result.json").read_text())
    return [finding["grade"] for finding in found["findings"]]


def _numbers(content):
    found = [m for m in content["measures"] if not m.get("undefined")]
    numbers = ("value", "low", "high", "n")
    return {(m["name"], str(m.get("group"))): [np.nan if m.get(k) is None else m[k] for k in numbers] for m in found}


def test_one_person_five_times_is_no_evidence(audit, visits):
    assert "concern" in _fairness(audit(visits))
    content = audit(visits, "--cluster", "person")
    assert "concern" not in _fairness(content)
    accuracy = next(m for m in content["measures"] if m["name"] == "performance.accuracy")
    assert accuracy["n"] == len(visits)  # a rate keeps its denominator; its interval is that of the persons


def test_the_interval_is_that_of_the_persons(audit, visits):
    """Where all rows of a person agree, copies add nothing: the interval is about as wide as that of one row a person."""

    def width(content):
        gap = next(m for m in content["measures"] if m["name"] == "fairness.demographic_parity_difference")
        return gap["high"] - gap["low"]

    once = width(audit(visits.drop_duplicates("person")))
    assert width(audit(visits, "--cluster", "person")) == pytest.approx(once, rel=0.15)
    assert width(audit(visits)) < 0.7 * once


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cluster", "persn"], "no column 'persn'"),
        (["--cluster", "nobody", "--counts", "held"], "belong to no cluster"),
        (["--cluster", "decided"], "a column of its own"),
        (["--cluster", "site"], "all rows are of one cluster, 'A'"),
        (["--cluster", "nobody"], "no row has a value of 'nobody'"),
    ],
)
def test_clusters_that_cannot_be_used(audit, visits, arguments, words):
    assert words in audit(visits.assign(held=2, site="A", nobody=None), *arguments, expect=2)


def test_rows_without_a_person_stand_for_themselves():
    found = clusters_of(pd.DataFrame({"person": [7.0, 7.0, None, None]}), "person", Cells())
    assert found.names is not None
    assert found.names.nunique() == 3
    assert found.names[0] == found.names[1] == "7"
    assert "2 rows without a value of person are each a cluster of their own" in found.notes[1]


@pytest.mark.parametrize("arguments", [["--engine", "duckdb"], ["--counts", "held"]])
def test_rows_counted_within_clusters_give_the_same_figures(audit, visits, arguments):
    """Counting, by DuckDB or beforehand, changes no value and no interval of a rate; only draws come in another order."""
    visits.loc[visits.index % 5 == 2, "decided"] = 1
    counted = visits.groupby(list(visits.columns), as_index=False).size().rename(columns={"size": "held"})
    plain = _numbers(audit(visits, "--cluster", "person", "--engine", "memory"))
    other = _numbers(audit(counted if "--counts" in arguments else visits, "--cluster", "person", *arguments))
    assert plain.keys() == other.keys()
    for name, numbers in plain.items():
        assert other[name] == pytest.approx(numbers, nan_ok=True), name

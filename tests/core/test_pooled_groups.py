"""Features with more groups than anyone can read."""

import json

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.cli.app import invoke
from glassbench.rows.pooled_groups import POOLED


@pytest.fixture
def many():
    """Ninety places, of which place k has k + 1 rows; a decision each."""
    frame = pd.DataFrame({"place": np.repeat([f"place {k:02d}" for k in range(90)], np.arange(1, 91))})
    return frame.assign(decided=np.where(np.random.default_rng(0).random(len(frame)) < 0.4, "granted", "refused"))


def _rows(measures):
    named = [m for m in measures if m["name"] == "fairness.selection_rate" and m["group"]]
    return {m["group"]["place"]: m["n"] for m in named}


def _check(rows, frame):
    sizes = frame["place"].value_counts()
    assert len(rows) == 50
    assert rows[POOLED] == sizes.iloc[49:].sum()
    assert rows["place 89"] == 90
    assert sum(rows.values()) == len(frame)


@pytest.mark.parametrize("engine", ["memory", "duckdb"])
def test_files_show_the_largest_and_pool_the_rest(many, tmp_path, engine):
    many.to_csv(tmp_path / "many.csv", index=False)
    columns = ["--decision", "decided", "--sensitive", "place", "--positive", "granted", "--engine", engine]
    assert invoke(["audit", str(tmp_path / "many.csv"), *columns, "audits=[fairness]", "--runs", str(tmp_path / "runs")]) == 0
    folder = next((tmp_path / "runs").glob("*/audits")).parent
    _check(_rows(json.loads((folder / "audits" / "fairness" / "result.json").read_text())["measures"]), many)
    assert "the other 41 with 861 rows are pooled" in (folder / "data.json").read_text()


def test_frames_too(many, tmp_path):
    X = pd.DataFrame({"x": (many["decided"] == "granted").astype(float)})
    done = glassbench.audit(
        lambda rows: np.where(rows["x"] > 0, "granted", "refused"),
        X,
        many["decided"],
        sensitive=many[["place"]],
        audits=["fairness"],
        runs=tmp_path,
    )
    _check(_rows([vars(m) for m in done.measures]), many)

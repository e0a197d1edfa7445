"""Rows that an engine counts are searched for strata as rows in memory are: a gap within other columns of the file."""

import importlib.util
import shutil

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.subject import Subject
from glassbench.errors import DataError
from glassbench_audits.fairness.audit import audit
from glassbench_plugins.predictions import strata
from glassbench_plugins.predictions.dataset import predictions
from glassbench_plugins.predictions.tasks import GivenClasses

SPARK = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pyspark") is None or shutil.which("java") is None, reason="needs pyspark and java"
    ),
]
WARDS = {"a": 0.8, "b": 0.5, "c": 0.3, "d": 0.1}


def treated(rows, seed, *, planted):
    """Patients treated by ward: the old lie where little is treated, and within a ward they are treated more; or a plain gap."""
    chance = np.random.default_rng(seed)
    age = chance.choice(["old", "young"], rows)
    wards = [chance.choice([*WARDS], rows, p=shares) for shares in ((0.1, 0.2, 0.3, 0.4), (0.4, 0.3, 0.2, 0.1))]
    ward = np.where(age == "old", *wards) if planted else chance.choice([*WARDS], rows)
    rate = pd.Series(ward).map(WARDS).to_numpy() + 0.08 * (age == "old") if planted else np.where(age == "old", 0.4, 0.6)
    frame = pd.DataFrame({"age": age, "ward": ward, "treated": np.where(chance.random(rows) < rate, "yes", "no")})
    noise = {f"noise {k}": chance.integers(0, 3 + k, rows) for k in range(6)}
    frame = frame.assign(**noise, number=np.arange(rows), dose=chance.normal(size=rows))
    frame.loc[chance.random(rows) < 0.02, "ward"] = None
    return frame


def audited(path, engine="duckdb"):
    data = predictions(0, path=path, decision="treated", sensitive=("age",), engine=engine, favourable="yes")
    task = GivenClasses()
    task.check(data.schema)
    subject = Subject(schema=data.schema, predictions=task.predict(None, data.test), task=task)
    return audit(subject, replicates=20)


def explained(result):
    return [f.sentence for f in result.findings if f.sentence.startswith(("Simpson", "A gap that strata"))]


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=SPARK)])
@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv"])
def test_a_planted_reversal_is_found_where_rows_are_counted(tmp_path, name, engine):
    frame = treated(4000, 1, planted=True)
    frame.to_parquet(tmp_path / name) if name.endswith("parquet") else frame.to_csv(tmp_path / name, index=False)
    counted, memory = audited(tmp_path / name, engine), audited(tmp_path / name, "memory")
    assert "within values of ward it is lower" in explained(counted)[0]
    within = "fairness.demographic_parity_difference_within[ward]"
    values = [next(m.value for m in result.measures if m.name == within) for result in (counted, memory)]
    assert values[0] == pytest.approx(values[1])


def test_plain_gaps_beside_noise_are_not_explained(tmp_path):
    """A real gap, seven columns that say nothing: at most one of twenty files may show an explanation."""
    found = 0
    for seed in range(20):
        treated(1500, seed, planted=False).to_parquet(tmp_path / "rows.parquet")
        found += bool(explained(audited(tmp_path / "rows.parquet")))
    assert found <= 1


def test_what_was_not_looked_through_is_said(tmp_path):
    treated(400, 1, planted=False).to_parquet(tmp_path / "rows.parquet")
    assert any("columns of 2 to 20 values" in caution for caution in audited(tmp_path / "rows.parquet").method.cautions)


def test_columns_counted_by_are_bounded_in_number(tmp_path, monkeypatch):
    monkeypatch.setattr(strata, "MOST_COLUMNS", 3)
    treated(400, 1, planted=False).to_parquet(tmp_path / "rows.parquet")
    data = predictions(0, path=tmp_path / "rows.parquet", decision="treated", sensitive=("age",), engine="duckdb")
    spread = data.test.strata.counted(20)
    assert set(spread) == {"noise 0", "noise 1", "ward"}
    assert all(lines["count"].sum() == 400 for lines in spread.values())


def test_files_that_changed_in_between_are_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    treated(400, 1, planted=False).to_parquet(path)
    data = predictions(0, path=path, decision="treated", sensitive=("age",), engine="duckdb")
    treated(400, 2, planted=False).to_parquet(path)
    with pytest.raises(DataError, match="have changed since"):
        data.test.strata.counted(20)

"""Intervals that are corrected by group: exported with the column that tells the group, or refused where nothing tells it."""

import json

import numpy as np
import pandas as pd
import pytest

import glassbench

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnxruntime

from glassbench.errors import RunError
from glassbench.export.export_run import export_run
from glassbench.export.made_rows import made_rows
from glassbench.export.parts import parts_of
from glassbench.export.scorer.score import RowsError, Scorer, read_csv
from glassbench.export.trial import onnx_inputs

BAND = {"column": "age", "bins": [30, 50], "name": "age band"}


def table(rows: int = 600) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    found = pd.DataFrame(
        {"size": chance.normal(size=rows).round(3), "site": chance.choice(["1", "2", ""], rows, p=[0.45, 0.45, 0.1])}
    )
    found["age"] = chance.integers(20, 70, rows).astype(str)
    noise = np.where(found["site"] == "2", 4.0, 1.0) * np.where(found["age"].astype(int) < 30, 3, 1) * chance.normal(size=rows)
    found.loc[::17, "age"] = "?"
    return found.assign(price=(10 + 3 * found["size"] + noise).round(3))


@pytest.fixture(scope="module", name="run_by")
def _run_by(tmp_path_factory):
    root, known = tmp_path_factory.mktemp("groups"), {}
    table().to_csv(root / "rows.csv", index=False)

    def run_by(feature, as_input=False):
        if (feature, as_input) not in known:
            cells = {"missing": ["", "?"], "labels": {"site": {"1": "north", "2": "south"}}, "sensitive_as_input": as_input}
            dataset = {"use": "table", "path": str(root / "rows.csv"), "target": "price", "sensitive": ["site", BAND], **cells}
            task = {"use": "quantile-regression", "conformal": "by_group", "conformal_by": feature, "conformal_fewest": 20}
            model = {"use": "hist-gradient-boosting", "max_iter": 20}
            content = {"name": "x", "dataset": dataset, "task": task, "model": model, "audits": ["performance"]}
            known[feature, as_input] = glassbench.run(content, runs=root / "runs")
        return known[feature, as_input]

    return run_by


@pytest.fixture(scope="module", name="odd")
def _odd(tmp_path_factory):
    """10,000 rows, some of whose groups are missing, unseen, on a bound between bands, or written as their code."""
    chance, path = np.random.default_rng(3), tmp_path_factory.mktemp("odd") / "odd.csv"
    sites = chance.choice(["1", "2", "north", " south ", "", "?", "east"], 10_000)
    ages = chance.choice(["30", "29.999", "50", "49", "?", "-4", "1e3", " 41 "], 10_000)
    pd.DataFrame({"size": chance.normal(size=10_000), "site": sites, "age": ages}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("feature", ["site", "age band"])
def test_a_scorer_corrects_each_row_by_its_group(run_by, odd, tmp_path, feature):
    run = run_by(feature)
    export_run(run, "scorer", tmp_path / "scorer")
    expected, scored = run.predict(run.read_rows(odd)), pd.DataFrame(Scorer(tmp_path / "scorer").predict(read_csv(odd)))
    pd.testing.assert_frame_equal(scored, expected[list(scored)], check_exact=True, check_dtype=False)
    offsets = json.loads((run.folder / "calibration.json").read_text())["groups"]
    assert set(scored["corrected_as"]) >= {*offsets} - {"missing"}
    assert len(offsets) > 1
    widened = scored["high"] - scored["quantile.0.95"]
    for group, offset in offsets.items():  # by hand: the run's own file of offsets
        mine = (scored["corrected_as"] == group) & (scored["high"] > scored["y_pred"])
        np.testing.assert_allclose(widened[mine], offset, atol=1e-9)


@pytest.mark.parametrize(("feature", "as_input"), [("site", False), ("age band", False), ("site", True), ("age band", True)])
def test_a_graph_has_an_input_for_the_group(run_by, tmp_path, feature, as_input):
    run = run_by(feature, as_input)
    export_run(run, "onnx", tmp_path / "graph")
    spec = json.loads((tmp_path / "graph" / "preprocessing.json").read_text())["rows"]
    rows = made_rows(spec, 2000, seed=5)
    session = onnxruntime.InferenceSession(str(tmp_path / "graph" / "model.onnx"), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, onnx_inputs(rows, spec)), strict=True))
    expected = run.predict(rows)
    assert len(set(expected["corrected_as"])) > 2
    for name in ("low", "y_pred", "high"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-12)
    assert (found["corrected_as"] == expected["corrected_as"].to_numpy()).all()


def test_rows_without_the_column_get_the_offset_of_all_rows(tmp_path, monkeypatch):
    rows = table().assign(site=lambda frame: frame["site"].replace("", "3"))
    dataset = {"use": "table", "target": "price", "sensitive": ["site"], "drop": ["age"]}
    task = {"use": "quantile-regression", "conformal": "by_group", "conformal_by": "site", "conformal_fewest": 20}
    content = {"name": "x", "dataset": dataset, "task": task, "model": {"use": "hist-gradient-boosting", "max_iter": 5}}
    run = glassbench.run({**content, "audits": ["performance"]}, data=rows, runs=tmp_path / "runs")
    export_run(run, "scorer", tmp_path / "scorer")
    (scored,) = Scorer(tmp_path / "scorer").predict([{"size": 0.3}])
    expected = run.predict(pd.DataFrame({"size": [0.3]})).iloc[0]
    assert scored["corrected_as"] == "all rows"
    assert (scored["low"], scored["high"]) == (expected["low"], expected["high"])

    with pytest.raises(RunError, match="places of categories"):
        export_run(run, "torch-export", tmp_path / "program")
    told = type(run.encoder).preprocessing
    monkeypatch.setattr(type(run.encoder), "preprocessing", lambda encoder: {**told(encoder), "groups": []})
    with pytest.raises(RunError, match="the rows do not tell the group") as caught:
        parts_of(run)
    assert "site" in str(caught.value)


def test_a_band_of_what_is_no_number_is_refused(run_by, tmp_path):
    export_run(run_by("age band"), "scorer", tmp_path / "scorer")
    with pytest.raises(RowsError, match="'age' holds numbers"):
        Scorer(tmp_path / "scorer").predict([{"size": 0.3, "site": "1", "age": "old"}])


def test_a_service_corrects_each_row_by_its_group(run_by, odd):
    pytest.importorskip("fastapi")
    from glassbench.serving.service import Service

    run = run_by("site")
    rows, service = run.read_rows(odd).head(50), Service(run)
    answer = service.answer(rows.to_dict(orient="records"), strict=False, explain=False)["predictions"]
    assert [each["corrected_as"] for each in answer] == run.predict(rows)["corrected_as"].tolist()
    schema = service.row_schema()
    assert "by which intervals are corrected" in schema["properties"]["site"]["description"]
    assert "site" not in schema["required"]

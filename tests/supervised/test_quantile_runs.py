"""Runs of quantile regression: intervals are the same when a run is resumed or predicts again; what cannot be done is refused."""

import json

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import DataError, ExperimentError, RunError

EXPERIMENT = {
    "name": "prices",
    "dataset": {"use": "table", "target": "price", "sensitive": ["site"]},
    "task": {"use": "quantile-regression", "conformal": "by_group", "conformal_by": "site", "conformal_fewest": 30},
    "audits": ["performance", "calibration", "fairness"],
}
MODELS = {
    "mlp": {"model": {"use": "mlp", "hidden": [8]}, "trainer": {"use": "lightning", "max_epochs": 3}},
    "hist-gradient-boosting": {"model": {"use": "hist-gradient-boosting", "max_iter": 20}},
}


def frame(rows: int = 400) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    found = pd.DataFrame({"size": chance.normal(size=rows).round(3), "site": chance.choice(["calm", "wild"], rows)})
    noise = np.where(found["site"] == "wild", 4.0, 1.0) * chance.normal(size=rows)
    return found.assign(price=(10 + 3 * found["size"] + noise).round(3))


def trained(root, model="mlp", **task):
    experiment = {**EXPERIMENT, **MODELS[model], "task": {**EXPERIMENT["task"], **task}}
    return glassbench.run(experiment, data=frame(), runs=root)


@pytest.fixture(scope="module", params=list(MODELS))
def run(request, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs"), request.param)


def decided(run) -> pd.DataFrame:
    return pd.read_parquet(run.folder / "predictions.parquet")


def test_intervals_are_corrected_for_each_group_and_audited(run):
    rows, facts = decided(run), json.loads((run.folder / "calibration.json").read_text())
    assert facts["groups"]["calm"] < facts["groups"]["wild"]
    beyond = rows["quantile.0.05"] - rows["low"]
    for site, offset in facts["groups"].items():
        mine = (rows["group.site"] == site) & (rows["low"] < rows["y_pred"])
        np.testing.assert_allclose(beyond[mine], offset, atol=1e-9)
    measures = {(m.name, str(m.group)): m.value for m in run.measures}
    covered = ((rows["low"] <= rows["y_true"]) & (rows["y_true"] <= rows["high"])).mean()
    assert measures["calibration.coverage", "None"] == measures["performance.coverage", "None"] == pytest.approx(covered)
    assert "fairness.coverage_difference" in {m.name for m in run.measures}


def test_a_run_predicts_new_rows_with_the_same_intervals(run):
    rows, again = decided(run), glassbench.load_run(run.folder)
    new = again.predict(frame().iloc[rows["row"].to_numpy()])
    pd.testing.assert_frame_equal(new[["low", "y_pred", "high", "corrected_as"]], rows[["low", "y_pred", "high", "corrected_as"]])


def test_rows_whose_group_is_not_known_get_the_offset_of_all_rows(run):
    new = glassbench.load_run(run.folder).predict(frame().head(5).drop(columns=["site", "price"]))
    assert set(new["corrected_as"]) == {"all rows"}


def test_a_resumed_run_predicts_the_same(tmp_path):
    first = trained(tmp_path)
    before = decided(first)
    first._folder.reopen("predict")
    for name in ("predictions.parquet", "predictions.safetensors"):
        (first.folder / name).unlink()
    resumed = glassbench.load_run(first.folder, accept_changes=True).resume()
    pd.testing.assert_frame_equal(decided(resumed), before)


def test_damaged_offsets_are_said(tmp_path):
    path = trained(tmp_path).folder / "calibration.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "offset": "wide"}))
    with pytest.raises(RunError, match=r"not as they were|changed"):
        glassbench.load_run(path.parent)
    with pytest.raises(RunError, match=r"calibration\.json cannot be read"):
        glassbench.load_run(path.parent, accept_changes=True).predict(frame().head(3))


def test_models_that_give_no_quantiles_are_refused_before_data_are_read():
    with pytest.raises(ExperimentError, match="does not serve the task 'quantile-regression'"):
        glassbench.plan({**EXPERIMENT, "dataset": {**EXPERIMENT["dataset"], "path": "nowhere.csv"}, "model": "random-forest"})


def test_too_few_validation_rows_leave_no_folder(tmp_path):
    experiment = {**EXPERIMENT, **MODELS["mlp"], "task": "quantile-regression"}
    with pytest.raises(DataError, match="9 at least"):
        glassbench.run(experiment, data=frame(40), runs=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir() and (path / "status.json").exists()]


def test_a_value_is_still_learnt_by_regression_where_nobody_names_a_task(tmp_path):
    rows = frame()
    found = glassbench.audit(
        lambda X: X["size"].to_numpy() * 3 + 10, rows[["size"]], rows["price"], audits=["performance"], runs=tmp_path
    )
    assert "performance.mean_absolute_error" in {m.name for m in found.measures}

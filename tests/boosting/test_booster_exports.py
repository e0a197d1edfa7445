"""Boosters as arrays, graphs and scorers: held against the run on rows with missing, unseen and odd cells."""

import numpy as np
import pandas as pd
import pytest

import glassbench

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytest.importorskip("lightgbm")
pytest.importorskip("xgboost")

from glassbench.errors import RunError
from glassbench.export.export_run import export_run
from glassbench.export.scorer.score import Scorer, read_csv
from glassbench.testing import toy_data
from glassbench_plugins.boosting.lightgbm_model import lightgbm_model
from glassbench_plugins.boosting.xgboost_model import xgboost_model

TARGETS = ["two", "three", "value"]


@pytest.fixture(scope="session", name="run_of")
def _run_of(raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("boosters")
    raw.to_csv(folder / "rows.csv", index=False)

    def run_of(target, **model):
        drop = [*(name for name in TARGETS if name != target), "weight", "part"]
        content = {
            "name": "x",
            "dataset": {"use": "table", "path": str(folder / "rows.csv"), "target": target, "drop": drop},
            "task": "regression" if target == "value" else "classification",
            "model": {"n_estimators": 30, **model},
            "audits": ["performance"],
        }
        return glassbench.run(content, runs=folder / "runs")

    return run_of


@pytest.fixture(scope="session", name="odd")
def _odd(tmp_path_factory):
    """10,000 rows, of which some lack a number, are far out, or hold a colour that no training row has."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(rng.normal(0, 2, size=(10_000, 2)), columns=["height", "width of it"])
    frame["colour"] = rng.choice(["brown", "green", "red", "violet", "white", "mauve", ""], 10_000)
    frame.loc[rng.random(10_000) < 0.2, "height"] = np.nan
    frame.loc[rng.random(10_000) < 0.05, "width of it"] *= 1e6
    path = tmp_path_factory.mktemp("odd") / "odd.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("use", "target"),
    [
        ("lightgbm", "two"),
        ("xgboost", "three"),
        *(pytest.param(*both, marks=pytest.mark.slow) for both in [("lightgbm", "three"), ("lightgbm", "value")]),
        *(pytest.param(*both, marks=pytest.mark.slow) for both in [("xgboost", "two"), ("xgboost", "value")]),
    ],
)
def test_a_scorer_predicts_what_the_booster_predicts(run_of, odd, tmp_path, use, target):
    run = run_of(target, use=use)
    export_run(run, "scorer", tmp_path / "scorer")
    expected, scored = run.predict(run.read_rows(odd)), pd.DataFrame(Scorer(tmp_path / "scorer").predict(read_csv(odd)))
    assert len(scored) == 10_000
    pd.testing.assert_frame_equal(scored, expected[list(scored)], check_exact=True, check_dtype=False)


@pytest.mark.parametrize("make", [lightgbm_model, xgboost_model])
def test_predictions_that_are_more_than_a_sum_are_refused(make):
    schema = toy_data("value").schema
    with pytest.raises(RunError, match="cannot be exported") as caught:
        make(schema, objective="poisson").exported(schema)
    assert "squared" in caught.value.available

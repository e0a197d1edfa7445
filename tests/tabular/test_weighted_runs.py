"""A run over a frame with weights: they are learnt with, stored with the predictions, used in values and said in the report."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss

import glassbench

CHANCE = np.random.default_rng(2)
N = 500
FRAME = pd.DataFrame(
    {
        "a": CHANCE.normal(size=N),
        "sex": CHANCE.choice(["f", "m"], N),
        "person_weight": np.where(np.arange(N) % 50, CHANCE.lognormal(0, 1, N), 0.0),
    }
)
FRAME["y"] = np.where(FRAME["a"] + CHANCE.normal(size=N) > 0, "yes", "no")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return glassbench.run(
        {
            "name": "survey",
            "dataset": {"use": "table", "target": "y", "weight": "person_weight", "sensitive": ["sex"]},
            "task": "classification",
            "model": "logistic-regression",
            "audits": {"performance": {}, "calibration": {"replicates": 50}, "fairness": {"replicates": 50}, "errors": {}},
        },
        data=FRAME,
        runs=tmp_path_factory.mktemp("runs"),
    )


def measured(run, name):
    return next(m.value for m in run.measures if m.name == name and m.by is None)


def test_values_weigh_the_stored_predictions(run):
    rows = pd.read_parquet(run.folder / "predictions.parquet")
    assert np.allclose(rows["weight"], FRAME["person_weight"].to_numpy()[rows["row"]])
    assert (rows["weight"] > 0).all()
    accuracy = accuracy_score(rows["y_true"], rows["y_pred"], sample_weight=rows["weight"])
    assert measured(run, "performance.accuracy") == pytest.approx(accuracy, rel=1e-12)
    brier = brier_score_loss(rows["y_true"] == "yes", rows["score.yes"], sample_weight=rows["weight"])
    for audit in ("performance", "calibration"):
        assert measured(run, f"{audit}.brier") == pytest.approx(brier, rel=1e-9)


def test_the_run_says_what_weights_were_used_for(run):
    provenance = json.loads((run.folder / "provenance.json").read_text())
    assert provenance["training"]["weights"] == "the fit weighed each row"
    page = run.render().read_text()
    assert "Rows are weighted by person_weight" in page
    assert "10 rows with a weight of 0" in page
    results = {name: json.loads((run.folder / "audits" / name / "result.json").read_text()) for name in ("errors", "fairness")}
    assert results["errors"]["method"]["cautions"][0].startswith("Rows count alike")
    assert results["fairness"]["method"]["cautions"][0].startswith("Values, intervals and tests weigh rows")


def test_an_audit_made_again_weighs_rows_too(run):
    before = measured(run, "performance.accuracy")
    again = glassbench.load_run(run.folder).audit(["performance"])
    assert measured(again, "performance.accuracy") == before

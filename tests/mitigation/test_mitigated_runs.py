"""Runs with mitigations, end to end: what is stored, predicted, reported and refused."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import glassbench
from glassbench.errors import DataError, ExperimentError, GlassbenchError, SettingsError


@pytest.fixture(scope="module")
def run(table, experiment, tmp_path_factory):
    mitigations = ["reweighing", {"use": "group-thresholds", "features": ["sex"], "constraint": "demographic_parity"}]
    return glassbench.run({**experiment, "mitigations": mitigations}, data=table, runs=tmp_path_factory.mktemp("runs"))


def test_the_fit_is_scikit_learns_with_these_weights(run, table) -> None:
    context = run._context
    train = context.data.train
    assert train.weights is None
    frame = train.groups.assign(y=train.target.numpy())
    shares = {columns: frame.groupby(list(columns)).size() / len(frame) for columns in (("sex", "region"), ("y",))}
    joint = frame.groupby(["sex", "region", "y"]).size() / len(frame)
    weights = [shares[("sex", "region")][s, r] * shares[("y",)][y] / joint[s, r, y] for s, r, y in frame.to_numpy()]
    own = LogisticRegression(**run.model.estimator.get_params())
    own.fit(train.inputs[0].numpy(), train.target.numpy(), sample_weight=weights)
    assert run.model.estimator.coef_ == pytest.approx(own.coef_, rel=1e-6)


def test_decisions_follow_the_stored_rule_and_predict_decides_alike(run, table) -> None:
    stored = pd.read_parquet(run.folder / "predictions.parquet")
    rules = json.loads((run.folder / "calibration.json").read_text())["decisions"][1]["rules"]
    threshold = {rule["group"][0]: rule["threshold"] for rule in rules}
    expected = stored["score.yes"] >= stored["group.sex"].astype(str).map(threshold)
    assert (expected == (stored["y_pred"] == "yes")).all()
    again = glassbench.load_run(run.folder).predict(table.iloc[stored["row"].to_numpy()])
    assert again["y_pred"].astype(str).tolist() == stored["y_pred"].astype(str).tolist()
    plain = glassbench.load_run(run.folder)
    with pytest.raises(DataError, match="sensitive feature 'sex'"):
        plain.predict(table.drop(columns="sex").head(5))


def test_validation_and_test_rows_are_as_they_were(run, table, experiment, tmp_path: Path) -> None:
    plain = glassbench.run({**experiment, "audits": ["performance"]}, data=table, runs=tmp_path)
    ours, theirs = (pd.read_parquet(one.folder / "predictions.parquet") for one in (run, plain))
    assert ours["row"].tolist() == theirs["row"].tolist()
    assert "weight" not in ours
    rates = [(f["y_pred"] == "yes").groupby(f["group.sex"].astype(str)).mean() for f in (ours, theirs)]
    assert abs(rates[0]["f"] - rates[0]["m"]) < 0.5 * abs(rates[1]["f"] - rates[1]["m"])


def test_page_and_summary_say_what_was_done(run) -> None:
    page, summary = run.report.read_text(), run.summary.read_text()
    assert "disparate treatment" in page
    assert "independent: from" in page
    assert "reweighing (before training); group-thresholds (after training)" in summary
    done = json.loads((run.folder / "provenance.json").read_text())["mitigations"]
    assert [one["use"] for one in done] == ["glassbench/reweighing", "glassbench/group-thresholds"]


REFUSED = {
    "unknown name": ({"mitigations": ["reweihging"]}, GlassbenchError, "did you mean 'reweighing'"),
    "named twice": ({"mitigations": ["reweighing", "reweighing"]}, ExperimentError, "named twice"),
    "form of model": ({"mitigations": ["group-dro"]}, ExperimentError, "models of form module"),
    "unknown feature": ({"mitigations": [{"use": "reweighing", "features": ["age"]}]}, SettingsError, "no sensitive feature"),
    "no features": (
        {"mitigations": ["reweighing"], "dataset": {"use": "table", "target": "approved", "drop": ["sex"]}},
        DataError,
        "name columns under dataset.sensitive",
    ),
    "three classes": (
        {"mitigations": ["group-thresholds"], "dataset": {"use": "table", "target": "grade", "sensitive": ["sex"]}},
        DataError,
        "serves two classes",
    ),
    "values": (
        {
            "mitigations": ["group-thresholds"],
            "dataset": {"use": "table", "target": "skill"},
            "task": "regression",
            "model": "linear",
        },
        ExperimentError,
        "this task's are of kind values",
    ),
    "no validation rows": (
        {
            "mitigations": ["group-thresholds"],
            "dataset": {
                "use": "table",
                "target": "approved",
                "sensitive": ["sex"],
                "split": {"by": "random", "validation": 0, "test": 0.3},
            },
        },
        DataError,
        "validation rows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_serve_is_refused_before_anything_is_written(name, table, experiment, tmp_path: Path) -> None:
    changes, error, words = REFUSED[name]
    frame = table.assign(grade=table["skill"].rank(pct=True).mul(2.99).astype(int).map(list("abc").__getitem__))
    with pytest.raises(error) as caught:
        glassbench.run({**experiment, "audits": ["performance"], **changes}, data=frame, runs=tmp_path / "runs")
    assert words in str(caught.value)
    assert not list(tmp_path.glob("runs/*/resolved.yaml"))

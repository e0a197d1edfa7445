"""What cannot be exported is refused at once with the reason, and nothing is written."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import glassbench
from glassbench.cli.app import invoke
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.schema import Schema, Target

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from glassbench.export.agreement import agreement
from glassbench.export.estimators import as_arrays
from glassbench.export.export_run import export_run
from glassbench.export.parts import parts_of


def refusal(call, *arguments):
    with pytest.raises(glassbench.GlassbenchError) as caught:
        call(*arguments)
    return str(caught.value)


def test_what_clusters_is_no_output_with_a_rule(tmp_path):
    content = {"name": "x", "dataset": "blobs", "task": "clustering", "model": "kmeans", "audits": ["performance"]}
    run = glassbench.run(content, runs=tmp_path / "runs")
    said = refusal(export_run, run, "onnx", tmp_path / "out")
    assert "cannot be exported" in said
    assert "classes, several labels per row" in said
    assert not (tmp_path / "out").exists()


def test_an_estimator_that_nothing_tells_of():
    rows = np.random.default_rng(0).normal(size=(50, 2))
    schema = Schema(modality="table", shape=(2,), target=Target(name="t", kind="class", classes=("a", "b")))
    model = EstimatorModule(GaussianNB().fit(rows, rows[:, 0] > 0), classes=2)
    said = refusal(as_arrays, model, schema)
    assert "GaussianNB" in said
    assert "HistGradientBoosting" in said


def test_a_foreign_estimator(tmp_path):
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    truth = np.where(rows["a"] > 0, "yes", "no")
    run = glassbench.audit(LogisticRegression().fit(rows, truth), rows, truth, audits=["performance"], runs=tmp_path / "runs")
    said = refusal(export_run, run, "scorer", tmp_path / "out")
    assert "fix:" in said
    assert not (tmp_path / "out").exists()


def test_decisions_that_differ_are_refused():
    expected = pd.DataFrame({"y_pred": ["a", "b"] * 10, "score.a": [0.9, 0.1] * 10})
    other = expected.assign(y_pred=["a", "a"] * 10)
    assert "does not predict what the run predicts" in refusal(agreement, expected, other)
    assert "does not predict" in refusal(agreement, expected, expected.assign(**{"score.a": expected["score.a"] + 2e-5}))


def test_a_rule_that_was_not_exported_is_found_out(trained, tmp_path, monkeypatch):
    run = trained("hist-gradient-boosting")
    plain = type(run.task).predict

    def stricter(task, model, source):
        predictions = plain(task, model, source)
        return type(predictions)(frame=predictions.frame.assign(y_pred="no"), source=source)

    monkeypatch.setattr(type(run.task), "predict", stricter)
    assert "so nothing was written" in refusal(export_run, run, "scorer", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "onyx"], "did you mean 'onnx'?"),
        (["--to", "torch-export"], "PyTorch exports networks alone"),
        (["--to", "scorer", "--output", "."], "would replace what is there"),
    ],
)
def test_the_command_refuses(trained, tmp_path, capsys, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    assert invoke(["export", str(trained("hist-gradient-boosting").folder), *options]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_parts_of_a_table(trained):
    parts = parts_of(trained("hist-gradient-boosting"))
    assert parts.tabular
    assert parts.decision == {"kind": "classes", "classes": ["no", "yes"], "threshold": None, "positive": None}

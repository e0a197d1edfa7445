"""What remains of a run of an external model, and what is refused when wrapping one."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

import glassbench
from glassbench.cli.app import invoke

CHANCE = np.random.default_rng(0)
FRAME = pd.DataFrame({"age": CHANCE.integers(18, 80, 60), "sex": CHANCE.choice(["f", "m"], 60)})
TRUTH = np.where(FRAME["age"] > 45, "yes", "no")
ANSWERS = np.where(FRAME["age"] > 45, "approve", "deny")
ROWS = FRAME[["age"]]
MODEL = LogisticRegression().fit(ROWS, TRUTH)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return glassbench.audit(
        MODEL, ROWS, TRUTH, sensitive=FRAME[["sex"]], runs=root, audits={"performance": {}, "explain": {"rows": 4, "cases": 0}}
    )


def test_reports_figures_and_checksums_need_no_model(finished, capsys):
    again = glassbench.load_run(finished.folder)
    assert again.measures == finished.measures
    assert again.render().is_file()
    assert invoke(["verify", str(finished.folder)]) == 0
    assert invoke(["runs", "list", "--runs", str(finished.folder.parent), "--json"]) == 0
    assert finished.folder.name in capsys.readouterr().out


def test_an_audit_of_decisions_can_be_made_again_and_others_keep_their_results(finished):
    again = glassbench.load_run(finished.folder)
    explained = again.audits[1]
    again.audit()
    assert again.audits[0].measures == finished.audits[0].measures
    assert again.audits[1] == explained


def test_an_audit_that_needs_the_model_says_why_it_cannot_be_made_again(finished, capsys):
    assert invoke(["audit", str(finished.folder), "--only", "explain"]) == 2
    said = capsys.readouterr().err
    assert "'explain' needs its model: the model is external and is not stored" in said
    assert "glassbench.audit(model, X, y, ...)" in said


def test_external_rows_in_an_experiment_are_refused(tmp_path):
    experiment = {"name": "x", "dataset": "external-rows", "task": "classification", "model": "external-model"}
    with pytest.raises(glassbench.RunError, match="not stored"):
        glassbench.run(experiment, runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_row_and_no_weight_is_written(finished):
    written = {path.name for path in finished.folder.rglob("*") if path.is_file()}
    assert not {"model.skops", "model.safetensors"} & written
    frame = pd.read_parquet(finished.folder / "predictions.parquet")
    assert set(frame.columns) == {"row", "y_true", "y_pred", "score.no", "score.yes", "group.sex"}
    assert "age" not in json.dumps(json.loads((finished.folder / "data.json").read_text()))


@pytest.mark.parametrize(
    ("model", "rows", "truth", "settings", "words"),
    [
        (MODEL, ROWS[:0], TRUTH[:0], {}, "no rows to audit"),
        (MODEL, ROWS, TRUTH[:5], {}, "another length than X"),
        (MODEL, [[1.0], [2.0, 3.0]], [0, 1], {}, "different lengths"),
        (MODEL, csr_matrix(ROWS), TRUTH, {}, "sparse"),
        (MODEL, pd.concat([ROWS, ROWS], axis=1), TRUTH, {}, "two columns are called 'age'"),
        (MODEL, ROWS, np.c_[TRUTH, TRUTH], {}, "one column"),
        (MODEL, ROWS, np.where(FRAME["age"] > 70, "maybe", TRUTH), {}, "labels the model does not know"),
        (lambda rows: rows["age"] / 10.0, ROWS, TRUTH, {}, "lie outside 0 to 1"),
        (lambda rows: np.full((len(rows), 2), 0.2), ROWS, TRUTH, {"classes": ["no", "yes"]}, "do not add up to 1"),
        (lambda rows: np.full((len(rows), 2), 0.5), ROWS, TRUTH, {}, "which class does each of the 2 scores speak of"),
        (lambda rows: rows["age"] / 100, ROWS, ANSWERS, {}, "which of the two classes does the score speak of"),
        (lambda rows: rows["age"] // 50, ROWS, TRUTH, {}, "have nothing in common"),
        (lambda rows: np.full((len(rows), 3), 1 / 3), ROWS, TRUTH, {}, "scores 3 classes, but 2 are known"),
        (lambda rows: np.full(len(rows), np.nan), ROWS, FRAME["age"] + 0.5, {}, "not all finite"),
        (lambda rows: ["perhaps"] * len(rows), ROWS, TRUTH, {"classes": ["no", "yes"]}, "what is no known class"),
        (torch.nn.Linear(3, 2), torch.zeros(4, 1), [0, 1, 0, 1], {}, "cannot read the rows"),
        (lambda rows: rows["height"], ROWS, TRUTH, {}, "KeyError"),
        ("model.pt2", ROWS, TRUTH, {}, "may carry code"),
        ("model.onnx", ROWS, TRUTH, {}, "no such file"),
        (object(), ROWS, TRUTH, {}, "this is no model"),
        (MODEL, ROWS, TRUTH, {"sensitive": ["sex"]}, "no column 'sex'"),
        (MODEL, ROWS, TRUTH, {"positive": "maybe"}, "there is no class 'maybe'"),
        (lambda rows: ["yes"] * 5, ROWS, TRUTH, {}, "gave 5 answers for 60 rows"),
        (lambda rows: torch.tensor(0.5), ROWS, TRUTH, {}, "one label, value or row of scores per row"),
        (lambda rows: [[0.5]] * 59 + [[0.5, 0.5]], ROWS, TRUTH, {}, "differ in length"),
        (lambda rows: [np.nan] * len(rows), ROWS, TRUTH, {"positive": "yes"}, "not all finite"),
        (lambda rows: rows["age"], ROWS, None, {}, "class predicted or a value"),
    ],
)
def test_what_cannot_be_wrapped(model, rows, truth, settings, words, tmp_path):
    with pytest.raises(glassbench.GlassbenchError, match=words):
        glassbench.audit(model, rows, truth, runs=tmp_path, audits=["performance"], **settings)
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_asked_again_says_so_where_it_is_missed(tmp_path):
    calls = []

    def once(rows):
        calls.append(len(rows))
        if len(calls) > 1:
            raise RuntimeError("out of quota")
        return MODEL.predict_proba(rows)[:, 1]

    run = glassbench.audit(once, ROWS, TRUTH, positive="yes", runs=tmp_path, audits=["performance", "explain"])
    assert "out of quota" in {result.audit: result for result in run.audits}["explain"].not_applicable


def test_a_network_keeps_the_names_of_a_frames_columns(tmp_path):
    network = torch.nn.Linear(2, 2)
    frame = FRAME.assign(height=1.0)[["age", "height"]]
    run = glassbench.audit(network, frame, TRUTH, classes=["no", "yes"], runs=tmp_path, audits=["explain"])
    said = " ".join(finding.sentence for result in run.audits for finding in result.findings)
    assert "age" in said
    assert "x0" not in said


def test_one_row_is_audited_and_told_nothing_from(tmp_path):
    run = glassbench.audit(
        MODEL, ROWS[:1], TRUTH[:1], runs=tmp_path, audits=["performance", "fairness"], sensitive=FRAME[["sex"]][:1]
    )
    assert all(result.error is None for result in run.audits)
    assert "ok" not in {finding.grade for result in run.audits for finding in result.findings}


def test_a_run_of_an_external_model_says_that_it_holds_none(finished):
    with pytest.raises(glassbench.RunError, match="external"):
        _ = glassbench.load_run(finished.folder).model

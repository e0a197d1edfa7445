"""What an MLflow run logged is audited, and nothing of it is executed."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from glassbench.cli.app import invoke
from glassbench.logged_runs.logged_table import decision_and_truth, read_logged_table

mlflow = pytest.importorskip("mlflow")
ROWS = 200


@pytest.fixture(scope="module")
def frame():
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"income": chance.normal(size=ROWS), "age": chance.normal(size=ROWS)})
    rows["sex"] = chance.choice(["f", "m"], ROWS)
    rows["repaid"] = (rows["income"] + 0.5 * chance.normal(size=ROWS) > 0).astype(int)
    return rows


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "mlruns"))
    return mlflow.MlflowClient()


@pytest.fixture
def logged(client):
    """A function that logs files under a new run and returns its id."""

    def log(files: dict[str, bytes]) -> str:
        run_id = client.create_run("0", run_name="theirs").info.run_id
        folder = client.get_run(run_id).info.artifact_uri.removeprefix("file://")
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return run_id

    return log


def audited(capsys, *arguments) -> tuple[int, dict]:
    code = invoke(["audit", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def rate(answer: dict, name: str) -> float:
    return next(m["value"] for m in answer["measures"] if m["name"] == name and not m["group"])


def test_an_evaluation_table_as_mlflow_writes_it_is_audited(tmp_path, capsys, logged, frame):
    decided = (frame["income"] > 0.2).astype(int)
    table = frame.assign(prediction=decided).rename(columns={"repaid": "target"})
    split = json.loads(table.to_json(orient="split", index=False))
    run_id = logged({"eval_results_table.json": json.dumps(split).encode(), "verdict.json": b"{}"})
    code, answer = audited(capsys, "--mlflow", run_id, "--sensitive", "sex", "--positive", "1", "--runs", str(tmp_path / "runs"))
    assert code == 0
    assert rate(answer, "performance.accuracy") == (decided == frame["repaid"]).mean()
    assert any(m["name"].startswith("fairness.") for m in answer["measures"])


def test_models_in_safe_formats_answer_as_the_libraries_do(tmp_path, capsys, logged, frame):
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    from skops.io import dumps

    X, y = frame[["income", "age"]], frame["repaid"]
    lgb = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, y), 5)
    xgb = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(X, y), 5)
    linear = LogisticRegression().fit(X, y)
    made = {
        "model.lgb": (lgb.model_to_string().encode(), lgb.predict(X)),
        "model.ubj": (bytes(xgb.save_raw("ubj")), xgb.predict(xgboost.DMatrix(X))),
        "model.skops": (dumps(linear), linear.predict_proba(X)[:, 1]),
    }
    frame[["age", "income", "sex", "repaid"]].to_csv(tmp_path / "rows.csv", index=False)
    for name, (content, scores) in made.items():
        run_id = logged({f"model/{name}": content})
        rows = [str(tmp_path / "rows.csv"), "--truth", "repaid", "--sensitive", "sex"]
        code, answer = audited(capsys, "--mlflow", run_id, *rows, "--runs", str(tmp_path / name))
        assert code == 0, answer
        assert rate(answer, "performance.accuracy") == pytest.approx(((scores > 0.5) == (y == 1)).mean()), name


@pytest.mark.parametrize(
    ("files", "more", "said"),
    [
        ({"model/model.pkl": b"\x80"}, ["ROWS", "--truth", "repaid"], ["without running code", "model.pkl", "pickle runs code"]),
        ({"model/model.pkl": b"\x80", "model/MLmodel": b""}, [], ["no evaluation table", "pickle runs code"]),
        ({"model/data/model.pt2": b""}, ["ROWS", "--artifact", "model/data/model.pt2"], ["torch.export", "can run code"]),
        ({}, [], ["no evaluation table", "no files"]),
        ({"model.lgb": b"none"}, ["ROWS", "--truth", "repaid"], ["cannot be read", "model.lgb"]),
        ({"model.lgb": b"none"}, ["ROWS", "--truth", "paid"], ["no column 'paid'", "repaid"]),
        ({"model.lgb": b"none"}, [], ["give rows for its model"]),
        ({"a.csv": b"x,y\n1,2\n"}, [], ["which column", "--decision COL"]),
        ({"a.csv": b"x,y\n1,2\n", "b.csv": b"x,z\n1,2\n"}, ["--decision", "x"], ["several tables", "--artifact"]),
        ({"a.csv": b"x,y\n1,2\n"}, ["--artifact", "c.csv"], ["logged no 'c.csv'", "a.csv"]),
        (None, [], ["MLflow does not give the run", "--mlflow-uri"]),
    ],
)
def test_what_cannot_be_audited_is_said_on_one_screen(tmp_path, capsys, logged, frame, files, more, said):
    frame.to_csv(tmp_path / "rows.csv", index=False)
    run_id = "0" * 32 if files is None else logged(files)
    arguments = [str(tmp_path / "rows.csv") if one == "ROWS" else one for one in more]
    assert invoke(["audit", "--mlflow", run_id, *arguments, "--runs", str(tmp_path / "runs")]) == 2
    shown = capsys.readouterr().err
    assert all(words in " ".join(shown.split()) for words in said), shown
    assert len(shown.splitlines()) < 25
    assert not list((tmp_path / "runs").glob("*/report.html"))


def test_a_table_that_is_no_table_is_left_aside(tmp_path):
    (tmp_path / "a.json").write_text('{"columns": ["a", "b"], "data": [[1]]}')
    (tmp_path / "b.json").write_text('[{"a": 1}, {"a": 2}]')
    assert read_logged_table(tmp_path / "a.json") is None
    assert read_logged_table(tmp_path / "b.json")["a"].tolist() == [1, 2]
    table = pd.DataFrame({"Prediction": [1], "label": [1], "x": [0]})
    assert decision_and_truth(table, None, None) == ("Prediction", "label")

"""A run followed by a real MLflow server, in an environment of its own, read back through its REST API."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench import FitError, load_run, run
from glassbench.logged_runs.logged_audit import audit_logged

pytestmark = pytest.mark.slow

EXPERIMENT = {
    "name": "served",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 3, "early_stopping": None, "threads": 1},
    "audits": ["performance", "fairness"],
    "gates": [
        {"measure": "performance.accuracy", "at_least": 0.99},
        {"measure": "fairness.accuracy_difference", "by": "sex", "at_most": 0.9},
    ],
}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setenv("GLASSBENCH_TRACKER_SECONDS", "400")  # what is tested is what arrives, also on a busy machine


@pytest.fixture(scope="module")
def mlflow_command(tmp_path_factory) -> Path:
    """The command of a full MLflow, which does not resolve beside pandas 3; `MLFLOW_ENVIRONMENT` names one that is there."""
    pytest.importorskip("mlflow")
    named = os.environ.get("MLFLOW_ENVIRONMENT")
    place = Path(named) if named else tmp_path_factory.mktemp("mlflow") / "environment"
    if not named:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [place / "bin" / "pip", "install", "-q", "mlflow"]
        made = subprocess.run(pip, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"MLflow cannot be installed here: {made.stderr[-300:]}")
    return place / "bin" / "mlflow"


@pytest.fixture(scope="module")
def server(mlflow_command, tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    command = [mlflow_command, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts")]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [*command, *stores], stdout=log, stderr=log, env=environment, start_new_session=True, cwd=folder
        )
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 240
    while not _answers(address):
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        assert time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
        time.sleep(0.5)
    yield address
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    process.wait(60)


def _answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(f"{address}/health", timeout=2).status == 200
    except OSError:
        return False


def asked(server: str, path: str, **given) -> dict:
    """Ask the REST API: POST with JSON for searches, GET for the rest."""
    address = f"{server}/api/2.0/mlflow/{path}"
    if path.endswith("search"):
        request = urllib.request.Request(address, json.dumps(given).encode(), {"Content-Type": "application/json"})
    else:
        request = urllib.request.Request(f"{address}?{urllib.parse.urlencode(given)}")
    return json.load(urllib.request.urlopen(request, timeout=30))


def logged(server: str, run_id: str) -> dict:
    (experiment,) = asked(server, "experiments/search", max_results=10, filter="name = 'served'")["experiments"]
    found = asked(
        server, "runs/search", experiment_ids=[experiment["experiment_id"]], filter=f"tags.`glassbench.run` = '{run_id}'"
    )
    (one,) = found["runs"]
    return one


def pairs(listed: list[dict]) -> dict:
    return {entry["key"]: entry["value"] for entry in listed}


def test_a_server_holds_what_the_run_holds(tmp_path, server):
    done = run({**EXPERIMENT, "trackers": [{"use": "mlflow", "uri": server}]}, runs=tmp_path / "runs")
    one = logged(server, done.folder.name)
    tags, params, metrics = (pairs(one["data"][part]) for part in ("tags", "params", "metrics"))
    assert one["info"]["status"] == "FINISHED"
    assert tags["glassbench.verdict"] == done.verdict == "fail"
    assert {tags[name] for name in tags if name.startswith("gate ")} == {"fail", "pass"}
    assert (params["model.hidden"], params["trainer.max_epochs"], params["seed"]) == ("[4]", "3", "0")
    frame = done.to_frame()
    numbers = frame[["value", "low", "high"]].notna() & frame[["value"]].notna().to_numpy()
    recorded = {name: value for name, value in metrics.items() if "." in name}
    assert len(recorded) == int(numbers.to_numpy().sum())
    (accuracy,) = (m for m in done.measures if m.name == "performance.accuracy")
    ends = [recorded[f"performance.accuracy{end}"] for end in ("", ".low", ".high")]
    assert ends == [accuracy.value, accuracy.low, accuracy.high]
    history = [json.loads(line) for line in (done.folder / "metrics.jsonl").read_text().splitlines()]
    told = asked(server, "metrics/get-history", run_id=one["info"]["run_id"], metric_key="train_loss")["metrics"]
    assert [(int(m["step"]), m["value"]) for m in told] == [(line["step"], line["train_loss"]) for line in history]
    files = {f["path"] for f in asked(server, "artifacts/list", run_id=one["info"]["run_id"])["files"]}
    assert files >= {"report.html", "summary.md", "verdict.json", "audits", "model"}
    address = f"{server}/get-artifact?path=report.html&run_uuid={one['info']['run_id']}"
    assert urllib.request.urlopen(address, timeout=30).read() == (done.folder / "report.html").read_bytes()


def test_a_run_that_fails_is_failed_on_the_server_and_done_after_a_resume(tmp_path, server):
    trainer = {**EXPERIMENT["trainer"], "learning_rate": 1e30, "optimizer": "sgd"}
    with pytest.raises(FitError):
        run({**EXPERIMENT, "trainer": trainer, "trackers": [{"use": "mlflow", "uri": server}]}, runs=tmp_path / "runs")
    (folder,) = (path.parent for path in (tmp_path / "runs").glob("*/status.json"))
    one = logged(server, folder.name)
    assert one["info"]["status"] == "FAILED"
    assert pairs(one["data"]["tags"])["glassbench.stopped_in"] == "fit"
    assert "learning_rate" in pairs(one["data"]["tags"])["glassbench.error"]


def test_audits_that_are_made_again_go_to_the_same_run(tmp_path, server):
    done = run({**EXPERIMENT, "trackers": [{"use": "mlflow", "uri": server}]}, runs=tmp_path / "runs")
    before = logged(server, done.folder.name)
    load_run(done.folder).audit(["performance"])
    after = logged(server, done.folder.name)
    assert after["info"]["run_id"] == before["info"]["run_id"]
    assert after["info"]["status"] == "FINISHED"
    assert pairs(after["data"]["metrics"]).keys() == pairs(before["data"]["metrics"]).keys()


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's own, while it is imported
def test_what_mlflow_logged_itself_is_audited_by_its_id(tmp_path, server, monkeypatch):
    mlflow, lightgbm = pytest.importorskip("mlflow"), pytest.importorskip("lightgbm")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"age": chance.normal(size=150), "income": chance.normal(size=150)})
    truth = (rows["income"] + 0.5 * chance.normal(size=150) > 0).astype(int)
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(rows, truth), 5)
    decided = (booster.predict(rows) > 0.5).astype(int)
    client = mlflow.MlflowClient()
    run_id = client.create_run("0", run_name="theirs").info.run_id
    client.log_table(run_id, rows.assign(target=truth, prediction=decided), "eval.json")
    with mlflow.start_run(run_id=run_id):
        signature = mlflow.models.infer_signature(rows, decided)
        mlflow.lightgbm.log_model(booster, name="model", signature=signature, pip_requirements=["lightgbm"])
    path = tmp_path / "rows.csv"
    rows.assign(extra=1.0, repaid=truth)[["extra", "income", "age", "repaid"]].to_csv(path, index=False)
    given = {"uri": server, "runs": tmp_path / "runs"}
    table = audit_logged(run_id, columns={"positive": "1"}, **given)
    model = audit_logged(run_id, rows=path, columns={"truth": "repaid"}, **given)
    accuracy = [next(m.value for m in done.measures if m.name == "performance.accuracy") for done in (table, model)]
    assert accuracy == pytest.approx([float((decided == truth).mean())] * 2)

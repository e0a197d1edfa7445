"""What the trackers of MLflow and Weights & Biases log, read back by their own readers."""

import json
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from glassbench import AuditResult, Failure, Measure, Method, TrackedRun, run
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.testing import check_tracker
from glassbench_plugins.trackers.legal_names import LegalNames, flat, numbers

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 2, "early_stopping": None, "threads": 1},
    "audits": ["performance"],
    "gates": [{"measure": "performance.accuracy", "at_least": 0.99}],
}
RECORDS = [{"epoch": 0, "step": 5, "loss": 0.5}, {"epoch": 1, "step": 10, "loss": 0.25, "rate (a)": 1.0, "rate [a]": 2.0}]
MEASURES = (
    Measure(name="toy.rate", value=0.5, low=0.25, high=0.75, n=16),
    Measure(name="toy.rate", value=0.4, low=0.2, high=0.6, n=8, by=("age",), group={"age": "<30"}),
    Measure(name="toy.rate", value=0.6, low=0.3, high=0.9, n=8, by=("age",), group={"age": ">30"}),
    Measure(name="toy.rate.low", value=0.125),
    Measure(name="toy.gap", value=None, undefined="one group alone", by=("age",)),
)
RESULT = AuditResult(audit="toy", method=Method(summary="."), measures=MEASURES)
FAILED = Failure(phase="fit", message="no memory")


class Warned(SilentObserver):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture
def followed(tmp_path: Path) -> TrackedRun:
    output = tmp_path / "trackers" / "own"
    output.mkdir(parents=True)
    (tmp_path / "report.html").write_text("<!doctype html>")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    experiment = {"name": "toy", "model": {"use": "mlp", "hidden": [8]}, "note": "x" * 7000}
    return TrackedRun(id="20260101T0000-toy", name="toy", folder=tmp_path, output=output, experiment=experiment)


@pytest.fixture
def deaf_server():
    """A server that takes every connection and never answers."""
    listening = socket.create_server(("127.0.0.1", 0))
    taken = []

    def take():
        while True:
            try:
                taken.append(listening.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()
    for connection in taken:
        connection.close()


def test_names_that_become_one_are_told_apart_also_after_a_resume(tmp_path):
    path = tmp_path / "names.json"
    asked = ["rate", "rate (a)", "rate [a]", "Rate", "..", "", "日" * 300, "日" * 299 + "x"]
    first = [name for text in asked for name in LegalNames(path).named([(text, None, 0)])]
    assert first[:2] == ["rate", "rate _a_"]
    assert len({name.casefold() for name in first}) == len(asked)
    assert all(len(name.encode()) < 250 and name.strip(". ") for name in first)
    again = LegalNames(path)
    assert list(again.named((text, None, 0) for text in reversed(asked))) == first[::-1]


def test_each_number_of_a_result_has_a_name_of_its_own(tmp_path):
    logged = LegalNames(tmp_path / "names.json").named(numbers(RESULT))
    assert len(logged) == 10
    assert (logged["toy.rate"], logged["toy.rate.low"]) == (0.5, 0.25)
    assert [value for name, value in logged.items() if name.startswith("toy.rate.low-")] == [0.125]
    assert [value for name, value in logged.items() if name.startswith("toy.rate age:_30")] == [0.4, 0.2, 0.6, 0.6, 0.3, 0.9]


def test_settings_become_dotted_names():
    assert dict(flat({"a": {"b": {"c": None}}, "d": {}, "e": [{"f": 1}]})) == {"a.b.c": "null", "d": "{}", "e": '[{"f": 1}]'}


def test_mlflow_reads_what_its_tracker_logged(followed, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    from glassbench_plugins.trackers.mlflow_runs import MlflowTracker

    store = tmp_path / "mlruns"
    tracker = MlflowTracker(followed, uri=str(store))
    tracker.metric(RECORDS[0])
    tracker.failed(FAILED)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client = mlflow.MlflowClient(str(store))
    (experiment,) = client.search_experiments(filter_string="name = 'toy'")
    (stopped,) = client.search_runs([experiment.experiment_id])
    assert (stopped.info.status, stopped.data.tags["glassbench.stopped_in"]) == ("FAILED", "fit")
    tracker = MlflowTracker(followed, uri=str(store))
    tracker.metric(RECORDS[1])
    tracker.audited(RESULT)
    tracker.finished("pass", followed.folder / "report.html")
    (done,) = client.search_runs([experiment.experiment_id])
    assert (done.info.run_id, done.info.status, done.info.run_name) == (stopped.info.run_id, "FINISHED", followed.id)
    assert done.data.tags.items() >= {"glassbench.verdict": "pass", "glassbench.run": followed.id}.items()
    assert "glassbench.error" not in done.data.tags
    assert done.data.params["model.hidden"] == "[8]"
    assert len(done.data.params["note"]) == 6000
    history = [(m.step, m.value) for m in client.get_metric_history(done.info.run_id, "loss")]
    assert history == [(5, 0.5), (10, 0.25)]
    assert done.data.metrics.items() >= {"toy.rate": 0.5, "toy.rate.low": 0.25, "toy.rate.high": 0.75, "rate _a_": 1.0}.items()
    assert len(done.data.metrics) == 4 + 10
    assert {f.path for f in client.list_artifacts(done.info.run_id)} == {"report.html", "audits", "model"}
    assert [f.path for f in client.list_artifacts(done.info.run_id, "model")] == ["model/model.safetensors"]


def wandb_records(folder: Path) -> list:
    """Read a `.wandb` file: blocks of a LevelDB log, each record a message of wandb's own schema."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.rglob("*.wandb")
    content, place, part, found = path.read_bytes(), 7, b"", []
    while place < len(content):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        part += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            found.append(Record.FromString(part))
            part = b""
    return found


def said(items) -> dict:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_wandb_reads_what_its_tracker_wrote_offline(followed, tmp_path):
    pytest.importorskip("wandb")
    from glassbench_plugins.trackers.wandb_runs import WandbTracker

    tracker = WandbTracker(followed, folder=tmp_path / "logs")
    for record in RECORDS:
        tracker.metric(record)
    tracker.audited(RESULT)
    tracker.finished("fail", followed.folder / "report.html")
    records = wandb_records(tmp_path / "logs")
    history = [said(r.history.item) for r in records if r.WhichOneof("record_type") == "history"]
    assert [(line["_step"], line["loss"]) for line in history] == [(5, 0.5), (10, 0.25)]
    assert history[1]["rate _a_"] == 1.0
    summary: dict = {}
    for record in records:
        summary |= said(record.summary.update)
    assert summary.items() >= {"toy.rate": 0.5, "toy.rate.high": 0.75, "glassbench.verdict": "fail"}.items()
    runs = [r.run for r in records if r.WhichOneof("record_type") == "run"]
    assert said(runs[0].config.update)["model"] == {"use": "mlp", "hidden": [8]}
    assert (runs[0].project, runs[0].display_name, list(runs[-1].tags)) == ("toy", followed.id, ["fail"])
    artifacts = {r.artifact.type: [e.path for e in r.artifact.manifest.contents] for r in records if r.HasField("artifact")}
    assert artifacts == {"report": ["report.html"], "model": ["model.safetensors"]}
    assert [r.exit.exit_code for r in records if r.HasField("exit")] == [0]


def test_wandb_marks_a_run_that_failed(followed, tmp_path):
    pytest.importorskip("wandb")
    from glassbench_plugins.trackers.wandb_runs import WandbTracker

    WandbTracker(followed, folder=tmp_path / "logs").failed(FAILED)
    records = wandb_records(tmp_path / "logs")
    assert [r.exit.exit_code for r in records if r.HasField("exit")] == [1]
    assert [list(r.run.tags) for r in records if r.HasField("run")][-1] == ["failed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "tracker",
    [{"use": "mlflow"}, {"use": "wandb", "mode": "online"}],
    ids=["mlflow", "wandb"],
)
def test_a_server_that_never_answers_neither_stops_nor_changes_a_run(tmp_path, monkeypatch, deaf_server, tracker):
    pytest.importorskip(tracker["use"])
    monkeypatch.setenv("GLASSBENCH_TRACKER_SECONDS", "5")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", deaf_server)
    monkeypatch.setenv("WANDB_BASE_URL", deaf_server)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    watched = Warned()
    begun = time.monotonic()
    done = run({**QUICK, "trackers": [tracker, "csv"]}, runs=tmp_path / "runs", observer=watched)
    took = time.monotonic() - begun
    assert done.verdict == "fail"
    (warning,) = watched.warnings
    assert f"tracker '{tracker['use']}' was left out" in warning
    assert (done.folder / "trackers" / "csv" / "outcome.csv").is_file()
    assert took < 90
    done.confirm()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own use of SQLAlchemy
def test_trackers_of_servers_keep_their_promises(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MLflow puts the files beside a database into the current folder
    pytest.importorskip("mlflow")
    pytest.importorskip("wandb")
    from glassbench_plugins.trackers.mlflow_runs import MlflowTracker
    from glassbench_plugins.trackers.wandb_runs import WandbTracker

    check_tracker(MlflowTracker, uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    check_tracker(MlflowTracker, uri=str(tmp_path / "mlruns"))
    check_tracker(WandbTracker)

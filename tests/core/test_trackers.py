"""Trackers hear everything once, in order, and cannot disturb a run."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from glassbench import ExperimentError, FitError, GlassbenchError, Registry, load_run, plan, run
from glassbench.cli.app import invoke
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.runs.run_folder import RunFolder

HEARS = """
    import json, os, random, signal, sys, time
    from glassbench import TrackerSpec, hookimpl

    @hookimpl
    def glassbench_trackers():
        names = "hears late raises unmade exits leaves prints hangs deaf draws dies links down"
        for name in names.split():
            yield TrackerSpec(name=name, summary="Hears.", target=f"hears:{name}")

    class hears:
        def __init__(self, run, *, note: str = ""):
            self.run = run
            run.output.mkdir(exist_ok=True)
            self.note("made", run.resumed, run.name)

        def note(self, *words):
            with open(self.run.output / "heard.jsonl", "a") as file:
                file.write(json.dumps(words) + chr(10))

        def metric(self, record):
            self.note("metric", record["step"])

        def audited(self, result):
            self.note("audited", result.audit)

        def finished(self, verdict, report):
            self.note("finished", verdict, report.is_file())

        def failed(self, error):
            self.note("failed", error.phase, error.message, error.interrupted)

    class late(hears):
        def metric(self, record):
            time.sleep(0.2)
            super().metric(record)

    class raises(hears):
        def metric(self, record):
            raise ConnectionError("no server")

    class unmade(hears):
        def __init__(self, run):
            raise OSError("no server")

    class exits(hears):
        def audited(self, result):
            sys.exit(0)

    class leaves(hears):
        def metric(self, record):
            os._exit(0)

    class prints(hears):
        def metric(self, record):
            print("printed")
            print("said", file=sys.stderr)
            input()

    class hangs(hears):
        def audited(self, result):
            while True:
                try:
                    time.sleep(60)
                except BaseException:
                    pass

    class deaf(hears):
        def finished(self, verdict, report):
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
            time.sleep(600)

    class draws(hears):
        def __init__(self, run):
            import torch

            super().__init__(run)

        def metric(self, record):
            torch = sys.modules["torch"]
            random.seed(0), torch.manual_seed(0), torch.set_grad_enabled(False), os.chdir("/"), os.environ.clear()

    class dies(hears):
        def metric(self, record):
            os.kill(os.getpid(), signal.SIGKILL)

    class links(hears):
        def metric(self, record):
            (self.run.output / "latest").symlink_to("heard.jsonl")
            os.mkfifo(self.run.output / "pipe")
            os.kill(os.getpid(), signal.SIGKILL)

    class down(hears):
        def metric(self, record):
            if os.path.exists(self.run.folder.parent / "down"):
                raise ConnectionError("no server")
            super().metric(record)
"""

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 3, "early_stopping": None, "threads": 1},
    "audits": ["performance", "learning"],
}
STEPS = [5, 10, 15]


class Warned(SilentObserver):
    """Keeps the warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture
def registry(install):
    return Registry([*importlib.metadata.entry_points(group="glassbench"), *install("hears", HEARS)])


def heard(folder, name="hears"):
    return [json.loads(line) for line in (folder / "trackers" / name / "heard.jsonl").read_text().splitlines()]


def steps(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_tracker_hears_everything_in_order(tmp_path, registry):
    done = run({**QUICK, "trackers": ["hears", {"use": "late", "note": "x"}]}, runs=tmp_path / "runs", registry=registry)
    told = [["metric", step] for step in steps(done.folder)]
    told += [["audited", "performance"], ["audited", "learning"], ["finished", "not applicable", True]]
    assert heard(done.folder) == [["made", False, "quick"], *told]
    assert heard(done.folder, "late") == [["made", False, "quick"], *told]
    done.confirm()
    assert RunFolder(done.folder).manifest().keys() >= {"trackers/hears.jsonl", "trackers/hears/heard.jsonl"}


BAD = ["raises", "unmade", "exits", "leaves", "prints", "hangs", "deaf", "draws", "dies"]


def test_no_tracker_stops_or_changes_a_run(tmp_path, registry, monkeypatch, capfd):
    monkeypatch.setenv("GLASSBENCH_TRACKER_SECONDS", "6")
    watched = Warned()
    plain = run(QUICK, runs=tmp_path / "plain", registry=registry)
    capfd.readouterr()
    done = run({**QUICK, "trackers": ["hears", *BAD]}, runs=tmp_path / "runs", registry=registry, observer=watched)
    assert done.measures == plain.measures
    assert (done.folder / "model.safetensors").read_bytes() == (plain.folder / "model.safetensors").read_bytes()
    assert heard(done.folder)[-1] == ["finished", "not applicable", True]
    lines = {name: [line for line in watched.warnings if f"tracker '{name}'" in line] for name in BAD}
    assert {name: len(found) for name, found in lines.items()} == dict.fromkeys(BAD, 1) | {"draws": 0}
    assert "ConnectionError: no server" in lines["raises"][0]
    assert "not done after 6 s while it was told 'audited'" in lines["hangs"][0]
    assert "exit code 0" in lines["leaves"][0]
    assert "EOFError" in lines["prints"][0]
    assert capfd.readouterr() == ("", "")
    assert (done.folder / "trackers" / "prints.log").read_text().split()[:2] == ["printed", "said"]


def test_links_that_a_tracker_leaves_behind_do_not_spoil_the_run(tmp_path, registry):
    done = run({**QUICK, "trackers": ["links"]}, runs=tmp_path / "runs", registry=registry, observer=Warned())
    done.confirm()
    assert [path.name for path in (done.folder / "trackers" / "links").iterdir()] == ["heard.jsonl"]


def test_what_a_server_that_was_down_missed_is_told_on_resume(tmp_path, registry):
    (tmp_path / "down").touch()
    watched = Warned()
    done = run({**QUICK, "trackers": ["down", "hears"]}, runs=tmp_path, registry=registry, observer=watched)
    assert len(watched.warnings) == 1
    assert heard(done.folder, "down") == [["made", False, "quick"]]
    before = heard(done.folder)
    (tmp_path / "down").unlink()
    load_run(done.folder, registry=registry).resume()
    assert heard(done.folder, "down")[1:] == before
    assert heard(done.folder) == before
    load_run(done.folder).confirm()


def test_a_training_that_fails_is_told_with_its_phase(tmp_path, registry):
    broken = {**QUICK, "trackers": ["hears"], "trainer": {**QUICK["trainer"], "learning_rate": 1e30, "optimizer": "sgd"}}
    with pytest.raises(FitError):
        run(broken, runs=tmp_path / "runs", registry=registry)
    (folder,) = (p.parent for p in (tmp_path / "runs").glob("*/status.json"))
    *_, (word, phase, message, interrupted) = heard(folder)
    assert (word, phase, interrupted) == ("failed", "fit", False)
    assert "lower trainer.learning_rate" in message


def test_audits_that_are_made_again_are_told_again_and_nothing_else(tmp_path, registry, monkeypatch):
    monkeypatch.setattr("glassbench.pipeline.examination.time.perf_counter", lambda: 1.0)  # equal to the last digit
    done = run({**QUICK, "trackers": ["hears"]}, runs=tmp_path / "runs", registry=registry)
    before = heard(done.folder)
    load_run(done.folder, registry=registry).audit(["learning"])
    after = heard(done.folder)[len(before) :]
    assert after == [["made", True, "quick"], ["audited", "learning"], ["finished", "not applicable", True]]
    load_run(done.folder, registry=registry).render()
    assert len(heard(done.folder)) == len(before) + 3


def test_trackers_of_the_environment_follow_all_runs_and_stay_out_of_the_experiment(tmp_path, registry, monkeypatch):
    monkeypatch.setenv("GLASSBENCH_TRACKERS", "hears, {use: late, note: mine}, hears")
    done = run({**QUICK, "trackers": ["hears"]}, runs=tmp_path / "runs", registry=registry)
    assert sorted(p.name for p in (done.folder / "trackers").iterdir() if p.is_dir()) == ["hears", "late"]
    assert "mine" not in (done.folder / "resolved.yaml").read_text()


@pytest.mark.parametrize(
    ("written", "where", "said"),
    [
        ([{"use": "hears", "noise": 1}], "trackers.0.noise", "note"),
        (["hears", {"use": "hears", "note": 1}], "trackers.1.note", "it takes: text"),
        ([{"use": "tensorbord"}], "trackers.0.use", "tensorboard"),
        ("csv", "trackers", "list"),
    ],
)
def test_trackers_are_checked_at_plan(registry, written, where, said):
    with pytest.raises(GlassbenchError) as caught:
        plan({**QUICK, "trackers": written}, registry=registry)
    assert where in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("written", ["{use: hears, noise: 1}", "hears], seed: [1", "[hears]", "1"])
def test_trackers_of_the_environment_are_checked_at_plan(registry, monkeypatch, written):
    monkeypatch.setenv("GLASSBENCH_TRACKERS", written)
    with pytest.raises(ExperimentError, match="GLASSBENCH_TRACKERS"):
        plan(QUICK, registry=registry)


def test_hooks_hear_the_same(tmp_path, install):
    code = """
        import json, pathlib
        from glassbench import hookimpl

        def note(folder, *words):
            with open(pathlib.Path(folder).parent / "noted.jsonl", "a") as file:
                file.write(json.dumps(words) + chr(10))

        @hookimpl
        def glassbench_metric(folder, record):
            note(folder, "metric", record["step"])

        @hookimpl
        def glassbench_run_end(folder, verdict, report):
            note(folder, "end", verdict, pathlib.Path(report).is_file())

        @hookimpl
        def glassbench_run_failed(folder, phase, error):
            note(folder, "failed", phase, "finite" in error)
    """
    registry = Registry([*importlib.metadata.entry_points(group="glassbench"), *install("notes", code)])
    done = run(QUICK, runs=tmp_path / "runs", registry=registry)
    told = [json.loads(line) for line in (tmp_path / "runs" / "noted.jsonl").read_text().splitlines()]
    assert told == [*(["metric", step] for step in steps(done.folder)), ["end", "not applicable", True]]
    broken = {**QUICK["trainer"], "learning_rate": 1e30, "optimizer": "sgd"}
    with pytest.raises(FitError):
        run({**QUICK, "trainer": broken}, runs=tmp_path / "failed", registry=registry)
    assert json.loads((tmp_path / "failed" / "noted.jsonl").read_text().splitlines()[-1]) == ["failed", "fit", True]


@pytest.mark.slow
def test_a_run_that_is_interrupted_tells_so_and_goes_on_where_it_was(tmp_path):
    experiment = tmp_path / "experiment.yaml"
    trainer = {"use": "lightning", "max_epochs": 200, "early_stopping": None, "threads": 1, "checkpoint_every": 0.0}
    experiment.write_text(json.dumps({**QUICK, "trainer": trainer, "trackers": ["csv"]}))
    command = [
        sys.executable,
        "-c",
        "from glassbench.cli import main; main()",
        "run",
        str(experiment),
        "--runs",
        str(tmp_path / "runs"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 300
    while not (lines := list((tmp_path / "runs").glob("*/trackers/csv/metrics.csv"))) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    assert process.wait(60) == 130
    (metrics,) = lines
    folder = metrics.parents[2]
    outcome = (metrics.parent / "outcome.csv").read_text().splitlines()
    assert outcome[1:] == ["stopped in fit,it was interrupted"]
    assert invoke(["resume", str(folder)]) == 0
    told = [line.split(",")[0] for line in metrics.read_text().splitlines()[1:]]
    assert told == [str(epoch) for epoch in range(200)]
    assert (metrics.parent / "outcome.csv").read_text().splitlines()[-1].startswith("not applicable,")

"""What the audits, the folder and the neighbours of a run must not be able to do to it."""

import importlib.metadata
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from glassbench import ExperimentError, GlassbenchError, Registry, RunError, load_run, run
from glassbench.cli.app import invoke

MEDDLERS = """
    import sys
    from glassbench import AuditResult, AuditSpec, Measure, Method, hookimpl

    @hookimpl
    def glassbench_audits():
        for name in ("meddles", "cheats", "exits", "nan", "crooked"):
            yield AuditSpec(name=name, summary="Bad.", target=f"meddlers:{name}")

    def meddles(subject):
        subject.predictions.frame["y_pred"] = subject.predictions.frame["y_true"]
        return AuditResult(method=Method(summary="."))

    def cheats(subject):
        for weight in subject.model.parameters():
            weight.data.zero_()
        return AuditResult(method=Method(summary="."))

    def exits(subject):
        sys.exit(0)

    def nan(subject):
        return AuditResult(method=Method(summary="."), measures=(Measure(name="nan.x", value=float("nan")),))

    def crooked(subject):
        return AuditResult(method=Method(summary="."), measures=(Measure(name="crooked.x", value=0.5, low=0.9, high=1.0),))
"""

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 2},
    "audits": ["performance"],
}


@pytest.fixture
def registry(install):
    return Registry([*importlib.metadata.entry_points(group="glassbench"), *install("meddlers", MEDDLERS)])


def test_no_audit_changes_what_the_next_one_sees(tmp_path, registry):
    clean = run(QUICK, runs=tmp_path / "clean")
    audits = ["meddles", "cheats", "exits", "nan", "performance"]
    done = run({**QUICK, "audits": audits}, runs=tmp_path / "runs", registry=registry)
    errors = {a.audit: a.error for a in done.audits}
    assert errors["meddles"] is None
    assert "changed the model" in errors["cheats"]
    assert "SystemExit" in errors["exits"]
    assert "no number" in errors["nan"]
    assert [m for m in done.measures if m.name.startswith("performance.")] == clean.measures


def test_a_gate_does_not_pass_on_an_interval_that_leaves_out_its_value(tmp_path, registry):
    gates = [{"measure": "crooked.x", "at_least": 0.8}]
    assert run({**QUICK, "audits": ["crooked"], "gates": gates}, runs=tmp_path / "runs", registry=registry).exit_code == 3


def test_a_plugin_that_exits_on_import_costs_one_line(install, capsys):
    registry = Registry(install("leaves", "import sys\nsys.exit(7)"))
    assert [p.status for p in registry.plugins] == ["broken"]


def test_a_damaged_neighbour_costs_nothing(tmp_path):
    damaged = run(QUICK, runs=tmp_path).folder
    (damaged / "audits" / "performance" / "result.json").write_text("{")
    other = run(QUICK, runs=tmp_path)
    assert other.verdict == "not applicable"
    (damaged / "status.json").write_text("[]")
    assert other.render().is_file()


def test_only_audits_of_the_run_can_be_done_again(tmp_path):
    done = run(QUICK, runs=tmp_path / "runs")
    (tmp_path / "result.json").write_text("{}")
    for name in ("../../..", "bogus", "fairness"):
        with pytest.raises(ExperimentError, match="has no audit"):
            done.audit([name])
    assert (tmp_path / "result.json").exists()


def test_bad_data_and_misspelt_gates_leave_no_folder(tmp_path):
    for change in (
        {"dataset": {"use": "diabetes", "test_share": 0.99}},
        {"audits": ["fairness"], "gates": [{"measure": "fairness.four_fifths", "by": "sexx", "at_least": 0.8}]},
        {"task": "regression"},
    ):
        with pytest.raises(GlassbenchError):
            run({**QUICK, **change}, runs=tmp_path / "runs")
        assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_a_lost_file_is_made_again(tmp_path):
    done = run({**QUICK, "audits": ["performance", "calibration"]}, runs=tmp_path)
    before = done.measures
    (done.folder / "verdict.json").unlink()
    (done.folder / "audits" / "performance" / "result.json").unlink()
    assert load_run(done.folder).resume().measures == before
    (done.folder / "model.safetensors").unlink()
    assert load_run(done.folder).resume().measures == before


@pytest.mark.parametrize("name", ["status.json", "manifest.json"])
def test_odd_content_is_said_to_be_damaged(tmp_path, name):
    done = run(QUICK, runs=tmp_path)
    (done.folder / name).write_text("{}")
    assert invoke(["verify", str(done.folder)]) == 2


def test_a_run_that_is_not_that_far_says_how_to_go_on(tmp_path):
    done = run(QUICK, runs=tmp_path)
    status = json.loads((done.folder / "status.json").read_text())
    status["phases"] = {"plan": status["phases"]["plan"]}
    (done.folder / "status.json").write_text(json.dumps(status))
    done = load_run(done.folder, accept_changes=True)
    for work in (lambda: done.audit(), lambda: done.render(), lambda: done.predict(pd.DataFrame({"a": [1]}))):
        with pytest.raises(RunError) as caught:
            work()
        assert "glassbench resume" in caught.value.fix


@pytest.fixture
def table(tmp_path):
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"a": chance.normal(size=200), "code": chance.choice(["01", "02", "NA"], 200)})
    frame["y"] = np.where(frame["a"] + (frame["code"] == "02") * 3 > 1, "yes", "no")
    frame.to_csv(tmp_path / "rows.csv", index=False, sep=";")
    dataset = {"use": "table", "path": "rows.csv", "target": "y", "separator": ";", "missing": ["?"]}
    return {**QUICK, "dataset": dataset, "trainer": {"use": "lightning", "max_epochs": 30}}


def test_a_file_of_raw_rows_is_read_as_the_training_file_was(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(table, runs="runs")
    decided = done.predict(done.read_rows("rows.csv"))
    held_out = pd.read_parquet(done.folder / "predictions.parquet")
    assert (decided.set_index("row").loc[held_out["row"], "y_pred"].to_numpy() == held_out["y_pred"]).all()


def test_a_run_on_a_file_can_be_audited_from_elsewhere(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = run(table, runs="runs").folder
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert load_run(folder).audit().measures


@pytest.mark.parametrize(
    ("task", "model"), [("regression", "mlp"), ("regression", "hist-gradient-boosting"), ("classification", "linear")]
)
def test_what_init_writes_can_run(tmp_path, task, model):
    path = tmp_path / "new.yaml"
    assert invoke(["init", str(path), "--task", task, "--model", model]) == 0
    assert run(path, runs=tmp_path / "runs", overrides=["audits=[performance]"]).audits[0].error is None


def test_init_writes_nothing_that_cannot_run(tmp_path):
    path = tmp_path / "new.yaml"
    assert invoke(["init", str(path), "--task", "regression", "--dataset", "breast-cancer"]) == 2
    assert not path.exists()


def test_an_unsupported_system_is_refused_in_one_sentence():
    asked = "import sys; sys.platform = 'win32'; import glassbench"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Windows Subsystem for Linux" in done.stderr.splitlines()[-1]

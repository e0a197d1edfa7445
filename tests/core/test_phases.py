"""What goes wrong in one place stays there."""

import errno
import importlib.metadata
import json
import os

import pytest

from glassbench import PluginError, Registry, RunError, load_run, run
from glassbench.cli.progress import Progress

FAULTY = """
    import torch
    from torch import nn
    from glassbench import AuditSpec, ModelSpec, hookimpl

    @hookimpl
    def glassbench_models():
        yield ModelSpec(name="bursts", summary="Raises.", target="faulty:Bursts")

    @hookimpl
    def glassbench_audits():
        yield AuditSpec(name="raises", summary="Raises.", target="faulty:raises", measures=("x",))
        yield AuditSpec(name="babbles", summary="No result.", target="faulty:babbles")
        yield AuditSpec(name="wants-all", summary="Needs.", target="faulty:raises", needs=("gradients",))

    @hookimpl
    def glassbench_run_end(folder):
        raise RuntimeError("in a hook")

    class Bursts(nn.Module):
        def __init__(self, schema):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, rows):
            raise ArithmeticError("in fit")

    def raises(subject):
        raise KeyError("<b>in the audit</b>")

    def babbles(subject):
        return "nothing"
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
    return Registry([*importlib.metadata.entry_points(group="glassbench"), *install("faulty", FAULTY)])


def test_an_audit_that_raises_is_reported_as_failed_and_the_others_go_on(tmp_path, registry):
    audits = ["raises", "babbles", "performance"]
    gates = [{"measure": "raises.x", "at_least": 0.0}]
    done = run({**QUICK, "audits": audits, "gates": gates}, runs=tmp_path, registry=registry)
    errors = {a.audit: a.error for a in done.audits}
    assert errors == {"raises": "KeyError: '<b>in the audit</b>'", "babbles": errors["babbles"], "performance": None}
    assert "AuditResult" in errors["babbles"]
    assert (done.verdict, done.exit_code) == ("insufficient evidence", 3)
    assert "<b>in the audit</b>" not in done.report.read_text()
    assert "in the audit" in done.report.read_text()


def test_a_failed_audit_keeps_its_traceback_and_the_run_from_passing(tmp_path, registry, capsys):
    done = run({**QUICK, "audits": ["raises"]}, runs=tmp_path, registry=registry, observer=Progress(debug=True))
    assert done.exit_code == 3
    assert "in raises" in (done.folder / "audits" / "raises" / "traceback.txt").read_text()
    assert "in raises" in capsys.readouterr().err
    assert '<error type="audit failed"' in (done.folder / "junit.xml").read_text()
    assert "1 audit failed (raises)" in (done.folder / "summary.md").read_text()
    allowed = run({**QUICK, "audits": ["raises"], "allow_failed": True}, runs=tmp_path, registry=registry)
    assert (allowed.exit_code, allowed.resume().exit_code) == (0, 0)


def test_a_hook_that_raises_is_written_down_and_nothing_more(tmp_path, registry):
    done = run(QUICK, runs=tmp_path, registry=registry)
    events = [json.loads(line) for line in (done.folder / "events.jsonl").read_text().splitlines()]
    assert any("in a hook" in event.get("complaint", "") for event in events)


def test_what_a_model_cannot_give_is_not_applicable_with_the_reason(tmp_path, registry):
    experiment = {**QUICK, "model": "logistic-regression", "audits": ["wants-all"]}
    experiment.pop("trainer")
    done = run(experiment, runs=tmp_path, registry=registry)
    assert "gradients" in done.audits[0].not_applicable


def test_a_model_that_raises_while_training_is_blamed(tmp_path, registry):
    with pytest.raises(PluginError) as caught:
        run({**QUICK, "model": "bursts"}, runs=tmp_path, registry=registry)
    assert "in fit" in str(caught.value)
    assert "bursts" in str(caught.value)


def test_a_plugin_may_veto(tmp_path, install):
    code = "from glassbench import hookimpl\n@hookimpl\ndef glassbench_plan(resolved):\n    return 'not on Sundays'"
    registry = Registry([*importlib.metadata.entry_points(group="glassbench"), *install("sabbath", code)])
    with pytest.raises(Exception, match="does not let") as caught:
        run(QUICK, runs=tmp_path / "runs", registry=registry)
    assert "not on Sundays" in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_disk_that_fills_up_loses_nothing(tmp_path, monkeypatch):
    whole = run(QUICK, runs=tmp_path / "whole")
    left, fsync = [14], os.fsync

    def fill(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "full")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fill)
        with pytest.raises(RunError, match="disk is full"):
            run(QUICK, runs=tmp_path / "full")
    (folder,) = (p.parent for p in (tmp_path / "full").glob("*/status.json"))
    assert not list(folder.rglob(".*"))
    assert load_run(folder).resume().measures == whole.measures


def test_weights_of_another_version_of_the_model_are_refused(tmp_path):
    done = run(QUICK, runs=tmp_path)
    resolved = done.folder / "resolved.yaml"
    resolved.write_text(resolved.read_text().replace("- 4\n", "- 5\n"))
    with pytest.raises(RunError, match="do not fit"):
        load_run(done.folder, accept_changes=True).audit()


def test_data_that_changed_since_the_start_are_refused(tmp_path):
    done = run(QUICK, runs=tmp_path)
    data = done.folder / "data.json"
    data.write_text(data.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    with pytest.raises(RunError, match="not those the run started with"):
        load_run(done.folder, accept_changes=True).audit()
    assert load_run(done.folder).measures == done.measures


@pytest.mark.parametrize("name", ["model.safetensors", "predictions.parquet", "schema.json"])
def test_a_damaged_file_is_named(tmp_path, name):
    done = run(QUICK, runs=tmp_path)
    (done.folder / name).write_bytes(b"\x80\x04damaged")
    with pytest.raises(RunError):
        load_run(done.folder).audit()


def test_a_pickle_in_place_of_an_estimator_runs_nothing(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    experiment = {**QUICK, "model": "random-forest"}
    experiment.pop("trainer")
    done = run(experiment, runs=tmp_path / "runs")
    (done.folder / "model.skops").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(RunError):
        load_run(done.folder).audit()
    assert not (tmp_path / "evil").exists()

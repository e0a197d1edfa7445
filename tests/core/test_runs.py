import errno
import json
import sqlite3
import subprocess
import sys

import pytest

from glassbench.errors import RunError
from glassbench.runs.all_runs import create_run, find_run, new_run_id, open_run
from glassbench.runs.index import list_runs
from glassbench.runs.run_folder import read_lines
from glassbench.runs.seals import differences, seal_of
from glassbench.storage.files import read_json, sha256, write_json, write_text

RESOLVED = "name: n\ndataset: {use: d}\nmodel: {use: m}\n"


def made(root, run="20260101T000000Z-aaaaaa"):
    files = {"experiment.yaml": "name: n\n", "resolved.yaml": RESOLVED, "provenance.json": "{}"}
    return create_run(root, run, files, ["b", "a"])


def test_a_file_is_whole_or_as_before(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_what_is_no_finite_number_is_not_read(tmp_path, number):
    (tmp_path / "x.json").write_text(f'{{"a": {number}}}')
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission")])
def test_a_full_or_forbidden_disk_says_so_and_leaves_nothing(tmp_path, monkeypatch, code, words):
    def fail(*_):
        raise OSError(code, "x")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(RunError, match=words):
        write_text(tmp_path / "x", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_be_created_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "x")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(RunError):
        made(tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


def test_phases_are_remembered_and_taken_back(tmp_path):
    folder = made(tmp_path)
    for phase in ("fit", "predict", "audit"):
        folder.complete(phase, 1.0)
    folder.reopen("predict")
    assert [folder.done(p) for p in ("plan", "fit", "predict", "audit")] == [True, True, False, False]


def test_a_torn_line_is_left_aside_and_a_step_seen_twice_counts_once(tmp_path):
    folder = made(tmp_path)
    (folder.path / "metrics.jsonl").write_text('{"step": 2, "a": 1}\n{"step": 1}\n{"step": 2, "a": 3}\n{"step": 3, "a')
    assert folder.history() == [{"step": 1}, {"step": 2, "a": 3}]
    assert read_lines(tmp_path / "none") == []


def test_the_manifest_finds_what_changed_what_is_missing_and_what_was_added(tmp_path):
    folder = made(tmp_path)
    write_text(folder.path / "gone.txt", "x")
    folder.seal()
    assert folder.damage() == []
    (folder.path / "gone.txt").unlink()
    (folder.path / "experiment.yaml").write_text("name: other\n")
    (folder.path / "new.txt").write_text("x")
    assert folder.damage() == ["changed: experiment.yaml", "missing: gone.txt", "added: new.txt"]


def test_a_status_that_somebody_edited_and_a_lock_that_holds_something_are_seen(tmp_path) -> None:
    folder = made(tmp_path)
    path = folder.path / "status.json"
    content = json.loads(path.read_text())
    assert differences(folder.path, content) == []
    content["phases"]["plan"]["seconds"] += 1.0
    path.write_text(json.dumps(content))
    (folder.path / "lock").write_text("x")
    assert differences(folder.path, content) == ["changed: status.json", "changed: lock"]


def test_while_a_phase_goes_on_a_file_may_be_as_before_it_or_as_it_left_it_and_nothing_else(tmp_path) -> None:
    def recorded(text: str) -> str:
        (tmp_path / "a.txt").write_text(text)
        return sha256(tmp_path / "a.txt")

    before, now = recorded("before"), recorded("now")
    status = {"phases": {"plan": {"sha256": {"a.txt": before, "b.txt": before}}}, "going": {"a.txt": now}, "sealed": False}
    status["seal"] = seal_of(status)
    told = {}
    for text in ("before", "now", "other"):
        (tmp_path / "a.txt").write_text(text)
        told[text] = differences(tmp_path, status)
    assert told == {"before": ["missing: b.txt"], "now": ["missing: b.txt"], "other": ["changed: a.txt", "missing: b.txt"]}
    (tmp_path / "b.txt").write_text("now")
    assert differences(tmp_path, status) == ["changed: a.txt", "changed: b.txt"]


HOLD = """
import pathlib, sys
from glassbench.runs.run_folder import RunFolder
with RunFolder(pathlib.Path(sys.argv[1])).locked():
    print("held", flush=True)
    input()
"""


def test_what_changed_between_its_phase_and_the_seal_is_not_signed_as_intact(tmp_path):
    folder = made(tmp_path)
    write_text(folder.path / "model.txt", "as it was fitted")
    folder.complete("fit", 1.0, ["model.txt"])
    (folder.path / "model.txt").write_text("as somebody left it")
    folder.seal()
    assert folder.damage() == ["changed: model.txt"]


def test_two_processes_cannot_work_on_one_run(tmp_path):
    folder = made(tmp_path)
    command = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="another process"), folder.locked():
            pass
        other.communicate("\n")
    with folder.locked():
        pass


def test_a_run_is_found_by_folder_id_start_and_latest(tmp_path):
    first, second = made(tmp_path), made(tmp_path, "20260102T000000Z-bbbbbb")
    assert find_run(str(first.path), tmp_path).run == first.run
    assert find_run("20260101", tmp_path).run == first.run
    assert find_run("latest", tmp_path).run == second.run
    for name in ("2026", "nothing"):
        with pytest.raises(RunError):
            find_run(name, tmp_path)
    with pytest.raises(RunError, match="there are no runs under"):
        find_run("latest", tmp_path / "elsewhere")


def test_a_folder_of_another_version_is_refused(tmp_path):
    folder = made(tmp_path)
    write_json(folder.path / "status.json", {**folder.status, "format": 99})
    with pytest.raises(RunError, match="another version"):
        open_run(folder.path)


def test_the_index_is_rebuilt_from_the_folders(tmp_path):
    made(tmp_path)
    before = list_runs(tmp_path)
    (tmp_path / "index.sqlite").unlink()
    assert list_runs(tmp_path) == before
    (tmp_path / "index.sqlite").write_bytes(b"no database at all, " * 99)
    assert list_runs(tmp_path) == before
    (tmp_path / "index.sqlite").unlink()
    with sqlite3.connect(tmp_path / "index.sqlite") as database:
        database.execute("create table runs (something)")
    assert list_runs(tmp_path) == before


def test_a_damaged_folder_is_listed_and_hides_no_other(tmp_path):
    made(tmp_path)
    broken = made(tmp_path, "20260102T000000Z-bbbbbb")
    (broken.path / "resolved.yaml").write_text("[")
    states = [run["state"] for run in list_runs(tmp_path)]
    assert states[0].startswith("damaged")
    assert states[1] == "plan"


def test_ids_sort_by_time_and_differ():
    assert new_run_id() != new_run_id()

"""A received run folder touches nothing outside itself, and nothing that was changed in it is signed."""

import json
import os
import shutil
import socket
import sqlite3
import time

import pytest

from glassbench import RunError, load_run, run
from glassbench.cli.app import invoke
from glassbench.runs.index import list_runs
from glassbench.runs.run_folder import RunFolder

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": "logistic-regression",
    "audits": ["performance", "calibration"],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(QUICK, runs=tmp_path_factory.mktemp("whole")).folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "runs" / whole.name)


@pytest.fixture
def outside(tmp_path):
    """Files of someone else; the test fails when any of them changes."""
    place = tmp_path / "outside"
    (place / "performance").mkdir(parents=True)
    for name in ("letter", "performance/result.json", "performance/notes"):
        (place / name).write_text("precious")
    yield place
    assert {str(p.relative_to(place)): p.read_text() for p in place.rglob("*") if p.is_file()} == dict.fromkeys(
        ("letter", "performance/result.json", "performance/notes"), "precious"
    )


COMMANDS = (["verify"], ["report"], ["resume"], ["audit"], ["runs", "show"], ["resume", "--accept-changes"])


def said(capsys, *arguments):
    code = invoke([str(a) for a in arguments])
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert "unexpected" not in text
    assert "Traceback" not in text
    return code, text


def replace(path):
    """Take a file or a folder away."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "name", ["lock", "events.jsonl", "metrics.jsonl", "manifest.json", "status.json", "verdict.json", "report.html"]
)
@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_no_file_is_reached_through_a_link(folder, outside, capsys, name, make):
    replace(folder / name)
    make(outside / "letter", folder / name)
    for command in COMMANDS:
        code, text = said(capsys, *command, folder)
        assert code in (1, 2), command
        assert name in text, command


@pytest.mark.parametrize("name", ["audits", "audits/performance", "checkpoints", "audits/performance/result.json"])
def test_no_folder_is_reached_through_a_link(folder, outside, capsys, name):
    replace(folder / name)
    (folder / name).symlink_to(outside / "performance" / "result.json" if name.endswith("json") else outside)
    for command in COMMANDS:
        code, text = said(capsys, *command, folder)
        assert code in (1, 2), command
        assert name in text, command


def test_a_run_that_is_a_link_is_not_worked_on(folder, whole, capsys):
    shutil.move(folder, folder.parents[1] / "elsewhere")
    folder.symlink_to(folder.parents[1] / "elsewhere")
    before = (folder / "events.jsonl").read_bytes()
    for command in COMMANDS[1:]:
        assert said(capsys, *command, folder)[0] == 2
    assert (folder / "events.jsonl").read_bytes() == before


def pipe(path):
    os.mkfifo(path)


def listening(path):
    with socket.socket(socket.AF_UNIX) as made, pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)  # the path of a socket must be short
        made.bind(path.name)


def zeros(path):
    path.symlink_to("/dev/zero")


def nested(path):
    (path / "inner").mkdir(parents=True)


@pytest.mark.parametrize("name", ["lock", "events.jsonl", "metrics.jsonl", "data.json", "resolved.yaml", "index.html", ".x"])
@pytest.mark.parametrize("make", [pipe, listening, zeros, nested])
def test_what_is_no_file_is_named_and_hangs_nothing(folder, capsys, name, make):
    replace(folder / name)
    make(folder / name)
    before = time.monotonic()
    for command in (["verify"], ["report"], ["runs", "show"]):
        code, text = said(capsys, *command, folder)
        assert code in (0, 1, 2)
        assert name in text or make is nested
    assert time.monotonic() - before < 10


@pytest.mark.parametrize("name", ["index.sqlite", "index.sqlite-journal", "index.sqlite-wal", "index.sqlite-shm", "index.html"])
def test_the_index_of_all_runs_is_written_through_no_link(folder, outside, name):
    (folder.parent / name).symlink_to(outside / "letter")
    load_run(folder).render()
    assert [found["run"] for found in list_runs(folder.parent)] == [folder.name]


def test_a_received_index_runs_nothing_and_a_locked_one_makes_nobody_wait(folder):
    index = folder.parent / "index.sqlite"
    expected = list_runs(folder.parent)
    with sqlite3.connect(index) as database:
        database.execute("create trigger t after insert on runs begin update runs set verdict = 'pass'; end")
        database.execute("update runs set stamp = ''")
    assert list_runs(folder.parent) == expected
    with sqlite3.connect(index) as database:
        database.execute("begin exclusive")
        before = time.monotonic()
        load_run(folder).render()
        assert list_runs(folder.parent)[0]["verdict"] == expected[0]["verdict"]
        assert time.monotonic() - before < 5


def test_sweeping_removes_only_what_the_platform_left(folder):
    RunFolder(folder).unseal()
    own = [".env", ".notes.txt", ".status.json.swp", ".report.html.0123456789abcdef", "x.0123456789abcdef.part"]
    for name in own:
        (folder / name).write_text("mine")
    (folder / ".report.html.0123456789abcdef.part").write_text("half")
    load_run(folder).resume()
    assert all((folder / name).read_text() == "mine" for name in own)
    assert not (folder / ".report.html.0123456789abcdef.part").exists()


def test_auditing_again_leaves_what_others_put_beside_the_results(folder):
    notes = folder / "audits" / "performance" / "notes.txt"
    notes.write_text("mine")
    load_run(folder, accept_changes=True).audit(["performance"])
    assert notes.read_text() == "mine"


def change_figure(folder):
    path = folder / "audits" / "performance" / "result.json"
    content = json.loads(path.read_text())
    content["measures"][0]["value"] = 0.75
    path.write_text(json.dumps(content))
    return "audits/performance/result.json"


def flip_bit(folder):
    path = folder / "model.skops"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return "model.skops"


def add(name):
    def attack(folder):
        (folder / name).write_text("{}")
        return name

    return attack


def append(name):
    def attack(folder):
        with (folder / name).open("a") as file:
            file.write("\n")
        return name

    return attack


def remove(name):
    def attack(folder):
        (folder / name).unlink()
        return name

    return attack


ATTACKS = [
    change_figure,
    flip_bit,
    add("audits/other.json"),
    add(".hidden"),
    append("events.jsonl"),
    append("manifest.json"),
    append("status.json"),
    append("lock"),
    append("data.json"),
    remove("manifest.json"),
    remove("encoder.json"),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_change_is_named_and_never_signed(folder, whole, capsys, tmp_path, attack):
    name = attack(folder)
    (tmp_path / "rows.csv").write_text("age\n1\n")
    for command in (["report"], ["resume"], ["audit"], ["runs", "show"], ["runs", "compare", folder], ["predict"]):
        more = [tmp_path / "rows.csv"] if command == ["predict"] else []
        code, text = said(capsys, *command, folder, *more)
        assert code == 2, command
        assert name in text, command
    with pytest.raises(RunError, match=r"not as they were written|damaged"):
        load_run(folder)
    code, text = said(capsys, "verify", folder)
    assert code in (1, 2)
    assert name.removesuffix(".json") in text


@pytest.mark.parametrize("attack", [change_figure, add("notes.txt"), append("events.jsonl"), remove("manifest.json")])
def test_what_is_accepted_is_told(folder, capsys, attack):
    name = attack(folder)
    assert said(capsys, "report", folder, "--accept-changes")[0] == 0
    assert said(capsys, "verify", folder)[0] == 0
    (told,) = json.loads((folder / "provenance.json").read_text())["accepted_changes"]
    assert name in told["changes"][0]
    assert name in (folder / "report.html").read_text()
    assert "changes accepted" in (folder / "summary.md").read_text()


def test_a_change_to_a_run_that_is_not_done_is_named(folder, capsys):
    RunFolder(folder).reopen("audit")
    name = flip_bit(folder)
    code, text = said(capsys, "resume", folder)
    assert (code, name in text) == (2, True)
    assert said(capsys, "verify", folder)[0] == 1


@pytest.mark.parametrize("phase", ["fit", "predict", "audit", "report"])
def test_a_run_that_was_stopped_is_as_recorded(folder, whole, capsys, phase):
    RunFolder(folder).reopen(phase)
    assert RunFolder(folder).damage() == []
    assert said(capsys, "resume", folder)[0] == 0
    assert said(capsys, "verify", folder)[0] == 0

"""Drafts of runs that were killed while they were created are removed, and nothing else."""

import os
import signal
import subprocess
import sys

import pytest

from glassbench.cli.app import invoke
from glassbench.runs.all_runs import create_run
from glassbench.runs.drafts import draft_folder, sweep_drafts

RUN = "20260101T000000Z-0123ab"
KILLED = """
import os, signal, sys
from pathlib import Path
import glassbench.runs.all_runs as runs
runs.sha256 = lambda path: os.kill(os.getpid(), signal.SIGKILL)
runs.create_run(Path(sys.argv[1]), sys.argv[2], {"experiment.yaml": "name: x"}, [])
"""


def killed(root):
    done = subprocess.run([sys.executable, "-c", KILLED, root, RUN], check=False)
    assert done.returncode == -signal.SIGKILL
    return root / f".{RUN}"


def test_what_a_kill_leaves_is_removed(tmp_path, capsys):
    draft = killed(tmp_path)
    assert (draft / "experiment.yaml").is_file()
    assert invoke(["runs", "sweep", "--runs", str(tmp_path)]) == 0
    assert "removed" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_removes_it_too(tmp_path):
    killed(tmp_path)
    create_run(tmp_path, "20260102T000000Z-0123ab", {"experiment.yaml": "name: y"}, [])
    assert [path.name for path in tmp_path.iterdir()] == ["20260102T000000Z-0123ab"]


def test_a_draft_that_a_process_holds_stays(tmp_path):
    with draft_folder(tmp_path / f".{RUN}") as draft:
        assert sweep_drafts(tmp_path) == []
        assert draft.is_dir()
    assert not draft.exists()


@pytest.mark.parametrize("what", ["file", "folder", "link", "no lock", "linked lock", "name", "linked folder"])
def test_what_is_not_the_platforms_stays(tmp_path, what):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "lock").write_text("precious")
    root = tmp_path / "runs"
    draft = root / (".20260101T000000Z" if what == "name" else f".{RUN}")
    root.mkdir()
    if what == "linked folder":
        draft.symlink_to(outside)
    else:
        draft.mkdir()
        (draft / "experiment.yaml").write_text("mine")
        if what == "linked lock":
            (draft / "lock").symlink_to(outside / "lock")
        elif what != "no lock":
            (draft / "lock").touch()
    if what == "file":
        (draft / "notes.txt").write_text("mine")
    if what == "folder":
        (draft / "audits").mkdir()
    if what == "link":
        os.symlink(outside, draft / "model.json")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    assert sweep_drafts(root) == []
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
    assert (outside / "lock").read_text() == "precious"

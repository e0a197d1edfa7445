"""What the system refuses: a folder that may not be written, the umask, memory, a full disk."""

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from glassbench import load_run, run

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": "logistic-regression",
    "audits": ["performance"],
}
GLASSBENCH = [sys.executable, "-P", "-c", "from glassbench.cli import main; main()"]
NOBODY = 65534
READS = "-all,+dac_read_search"
"""Someone else may read everything, as the environment may lie in a folder of its owner, and write nothing."""
AS_NOBODY = [
    *("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
    *("--bounding-set", READS, "--inh-caps", READS, "--ambient-caps", READS, "--"),
]


def someone_else_can_be_tried():
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    return subprocess.run([*AS_NOBODY, sys.executable, "-c", "pass"], capture_output=True, check=False).returncode == 0


UNPRIVILEGED = pytest.mark.skipif(not someone_else_can_be_tried(), reason="it takes root and setpriv to be someone else")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(QUICK, runs=tmp_path_factory.mktemp("whole")).folder


@pytest.fixture
def place():
    """Return a folder that everyone can reach, with an experiment; pytest keeps its own folders to their owner."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder)
        found.chmod(0o755)
        (found / "quick.yaml").write_text(json.dumps(QUICK))
        (found / "quick.yaml").chmod(0o644)
        yield found


def called(*arguments, before=None, user=()):
    command = [*user, *GLASSBENCH, *map(str, arguments)]
    environment = {**os.environ, "HOME": "/nonexistent", "MPLCONFIGDIR": "/nonexistent", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=before, check=False, env=environment, cwd="/")
    assert "unexpected" not in done.stderr
    return done


def as_nobody(*arguments):
    return called(*arguments, user=AS_NOBODY)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@UNPRIVILEGED
def test_a_runs_folder_of_someone_else_is_refused_before_anything_is_trained(place):
    (place / "runs").mkdir()
    (place / "runs").chmod(0o755)
    done = as_nobody("run", place / "quick.yaml", "--runs", place / "runs")
    assert done.returncode == 2, done.stderr
    assert "no permission to write" in done.stderr
    assert "--runs DIR" in done.stderr
    assert list((place / "runs").iterdir()) == []


@UNPRIVILEGED
@pytest.mark.parametrize("command", ["report", "resume", "audit"])
def test_a_run_of_someone_else_is_left_as_it_is(place, whole, command):
    folder = shutil.copytree(whole, place / "runs" / whole.name)
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = content(folder)
    done = as_nobody(command, folder)
    assert done.returncode == 2, done.stderr
    assert "no permission to write" in done.stderr
    assert "Traceback" not in done.stderr
    assert content(folder.parent) == {f"{folder.name}/{name}": held for name, held in before.items()}


@UNPRIVILEGED
@pytest.mark.parametrize("command", [["runs", "show"], ["verify"]])
def test_a_run_of_someone_else_can_be_read(place, whole, command):
    folder = shutil.copytree(whole, place / "runs" / whole.name)
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert as_nobody(*command, folder).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("mask", "files", "folders"), [(0o077, 0o600, 0o700), (0o022, 0o644, 0o755)])
def test_files_of_a_run_follow_the_umask(place, mask, files, folders):
    done = called("run", place / "quick.yaml", "--runs", place / "runs", before=lambda: os.umask(mask))
    assert done.returncode == 0, done.stderr
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (place / "runs").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {files}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {folders}


def test_too_little_memory_is_one_clear_screen(place):
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))

    done = called("run", place / "quick.yaml", "--runs", place / "runs", before=limited)
    assert done.returncode == 2
    assert "not enough memory" in done.stderr
    assert "ulimit -v" in done.stderr
    assert not (place / "runs").exists() or not list((place / "runs").iterdir())


def test_a_limit_that_charts_cannot_be_drawn_under_is_said_before_training(place):
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    done = called("run", place / "quick.yaml", "--runs", place / "runs", before=limited)
    assert done.returncode == 2
    assert "ulimit -v" in done.stderr
    assert not (place / "runs").exists()


def test_a_run_that_may_not_write_enough_can_be_resumed(place):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))

    done = called("run", place / "quick.yaml", "--runs", place / "runs", before=limited)
    assert done.returncode == 2
    assert "larger than this process may write" in done.stderr
    (folder,) = (path.parent for path in (place / "runs").glob("*/status.json"))
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
    assert load_run(folder).resume().exit_code == 0

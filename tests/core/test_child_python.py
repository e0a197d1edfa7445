"""Nothing is imported from the current folder, which may have been received from anyone."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from glassbench.system.child_python import run_module, safe_environment

MODULES = ("yaml", "re", "click", "torch", "multiprocessing", "glassbench", "sitecustomize")


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A current folder with modules that leave a mark when they are imported; returns the mark."""
    mark = tmp_path / "ran"
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'w').close()\nraise SystemExit('imported {name}')\n")
    monkeypatch.chdir(tmp_path)
    return mark


def test_a_module_is_run_without_the_current_folder(trap, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep)
    done = run_module("glassbench.training_process", "no-such-run", meanwhile=lambda: None)
    assert "no run folder" in done.stderr
    assert not trap.exists()


def test_only_folders_that_are_named_stay_on_the_path():
    assert safe_environment({"PYTHONPATH": ":/a::/b:"})["PYTHONPATH"] == "/a:/b"
    assert "PYTHONPATH" not in safe_environment({"PYTHONPATH": ""})
    assert safe_environment({})["PYTHONSAFEPATH"] == "1"


SPAWNS = """
import multiprocessing, sys
def nothing(): pass
if __name__ == "__main__":
    from glassbench.system.child_python import leave_current_folder
    leave_current_folder()
    child = multiprocessing.get_context("spawn").Process(target=nothing)
    child.start(); child.join(); sys.exit(child.exitcode)
"""


def test_children_of_the_command_line_follow(trap, tmp_path_factory):
    script = tmp_path_factory.mktemp("bin") / "script.py"
    script.write_text(SPAWNS)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert (done.returncode, trap.exists()) == (0, False), done.stderr


def test_a_package_installed_from_the_current_folder_stays(tmp_path, monkeypatch):
    (tmp_path / "added.pth").write_text(f"{tmp_path}\n")
    script = tmp_path / "bin" / "script.py"
    script.parent.mkdir()
    script.write_text(
        f"import site, sys\nsite.addsitedir({str(tmp_path)!r})\n"
        "from glassbench.system.child_python import leave_current_folder\nleave_current_folder()\n"
        f"sys.exit(sys.path.count({str(tmp_path)!r}))\n"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    assert subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=kept).returncode == 1


@pytest.mark.parametrize("path", ["", os.pathsep])
def test_the_installed_command_imports_nothing_from_here(trap, path):
    program = shutil.which("glassbench", path=os.path.dirname(sys.executable))
    if program is None:
        pytest.skip("the command is not installed")
    if path:
        for name in ("re", "sitecustomize", "glassbench"):  # imported before any line of the command can run
            os.remove(f"{name}.py")
    done = subprocess.run([program, "plugins", "list"], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert (done.returncode, trap.exists()) == (0, False), done.stderr


def test_what_ends_the_wait_ends_the_process(tmp_path, monkeypatch):
    (tmp_path / "sleeper.py").write_text(
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_module("sleeper", meanwhile=lambda: None)
    finally:
        signal.signal(signal.SIGALRM, before)
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)

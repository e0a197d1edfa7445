"""Python processes that import nothing from the current folder, which may have been received from anyone."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping

_PATH, _SAFE = "PYTHONPATH", "PYTHONSAFEPATH"
_SECONDS = 10
_PAUSE = 0.5


def safe_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose Python processes do not search the current folder.

    `PYTHONSAFEPATH` holds for their children too. An empty entry of `PYTHONPATH` means the current folder and is left out; a
    folder that is named stays.
    """
    named = [entry for entry in environment.get(_PATH, "").split(os.pathsep) if entry]
    rest = {name: value for name, value in environment.items() if name != _PATH}
    return {**rest, _SAFE: "1", **({_PATH: os.pathsep.join(named)} if named else {})}


def leave_current_folder() -> None:
    """Take the current folder from this process's search path where only an empty entry put it there; its children follow.

    Where `PYTHONPATH` has no empty entry, a current folder on the search path was named, or a package was installed from it.
    """
    here, given = os.getcwd(), os.environ.get(_PATH)
    entries = given.split(os.pathsep) if given else []
    if "" in entries and not any(entry and os.path.abspath(entry) == here for entry in entries):
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    elif sys.path and not sys.flags.safe_path and os.path.abspath(sys.path[0]) == here:
        del sys.path[0]  # the folder of `python -m`
    changed = safe_environment(os.environ)
    os.environ.pop(_PATH, None)
    os.environ.update(changed)


def run_module(module: str, *arguments: str, meanwhile: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """Run an installed module in a Python of its own and return what it came to, with its error stream.

    While it runs, `meanwhile` is called twice a second.

    Whatever ends the wait (Ctrl-C, a signal that was turned into an exception) also ends that process and all its children.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=safe_environment(os.environ),
        process_group=0,
    ) as process:
        try:
            said = _said(process, meanwhile)
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, None, said)


def _said(process: subprocess.Popen[str], meanwhile: Callable[[], None]) -> str:
    """Wait for a process and return its error stream."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_PAUSE)[1]
        meanwhile()


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and its group, at first politely."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what is left of the group
    process.wait()

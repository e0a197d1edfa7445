"""Telling one tracker what happens: a thread that brings events to the tracker's process, one at a time, and notes each."""

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from glassbench.errors import RunError
from glassbench.runs.run_folder import append_line, read_lines
from glassbench.runs.seals import TRACKERS
from glassbench.storage.plain_files import inventory, open_plain
from glassbench.system.child_python import safe_environment

_SECONDS = 30.0
"""How long a tracker may take for one event, unless `GLASSBENCH_TRACKER_SECONDS` says otherwise."""

_START = 60.0
"""How long its process may take to start and to import what it needs, unless one event may take longer."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something to tell a tracker.

    Args:
        key: What it is; what a tracker was told is recorded under it.
        content: The event, JSON values.
        once: Whether it is left out where the tracker was told it before, perhaps by an earlier process.
    """

    key: str
    content: Mapping[str, Any]
    once: bool = True


class Delivery:
    """One tracker of one run. Nothing is started before there is something to tell.

    Args:
        name: The tracker's name in this run.
        run: The run's folder.
        opening: What the tracker's process needs to make it: target, settings and the run.
    """

    def __init__(self, name: str, run: Path, opening: Mapping[str, Any]) -> None:
        self.name = name
        self._run = run
        self._opening = opening
        self._told_path = run / TRACKERS / f"{name}.jsonl"
        self._told = {line.get("told") for line in read_lines(self._told_path)}
        self._resumed = bool(self._told)
        self._made = threading.Event()
        self._waiting: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._reason: str | None = None

    @property
    def begun(self) -> bool:
        """Whether this process has had something to tell."""
        return self._thread is not None

    def tell(self, message: Message) -> None:
        """Have the tracker told something; returns at once."""
        if self._reason is not None or (message.once and message.key in self._told):
            return
        self._told.add(message.key)
        self._waiting.put(message)
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name=f"tracker {self.name}", daemon=True)
            self._thread.start()

    def close(self, seconds: float | None = None) -> None:
        """Wait until the tracker was told everything, but not longer than for one event; then end its process.

        Args:
            seconds: How long to wait; None for as long as one event may take.
        """
        if self._thread is None:
            return
        self._waiting.put(None)
        try:
            self._made.wait(max(_START, _limit()) if seconds is None else seconds)
            self._thread.join(_limit() if seconds is None else seconds)
            if self._thread.is_alive():
                self._reason = self._reason or "it did not keep up"
        finally:
            self._kill()
            self._thread.join()
            self._thread = None

    def complaint(self) -> str | None:
        """Return, once, what went wrong."""
        if self._reason is None or (self._thread is not None and self._thread.is_alive()):
            return None
        said, self._reason = self._reason, ""
        return (
            f"the tracker '{self.name}' was left out, and `glassbench resume` tells it what it missed: {said}" if said else None
        )

    def _deliver(self) -> None:
        try:
            (self._run / TRACKERS).mkdir(exist_ok=True)
            with open_plain(self._run / TRACKERS / f"{self.name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT) as log:
                self._process = _started(log.fileno())
            self._exchange(
                {**self._opening, "run": {**self._opening["run"], "resumed": self._resumed}}, "being made", max(_START, _limit())
            )
            self._made.set()
            while (message := self._waiting.get()) is not None:
                self._exchange(message.content, f"told '{message.content['event']}'")
                append_line(self._told_path, {"told": message.key})
            self._end()
        except (_Ended, OSError, RunError) as error:
            self._reason = self._reason or " ".join(str(error).split())
        finally:
            self._made.set()
            self._kill()
            self._clean_up()

    def _exchange(self, content: Mapping[str, Any], doing: str, seconds: float | None = None) -> None:
        """Send one line and wait for the answer, as long as one event may take or as long as is said."""
        limit = _limit() if seconds is None else seconds
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(content) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended; what it said last is read below
        ready, _, _ = select.select([process.stdout], [], [], limit)
        if not ready:
            raise _Ended(f"it was not done after {limit:g} s while it was {doing}")
        answer = process.stdout.readline()
        if not answer:
            raise _Ended(f"its process ended with exit code {process.wait()} while it was {doing}")
        if error := json.loads(answer).get("error"):
            raise _Ended(str(error)[:400])

    def _end(self) -> None:
        """Let the tracker's process come to its end, with what its libraries still have to send."""
        assert self._process is not None
        try:
            self._exchange({"event": "end"}, "ending")
            self._process.wait(_limit())
        except subprocess.TimeoutExpired:
            raise _Ended(f"its process did not end within {_limit():g} s") from None

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its group holds what a tracking library started beside it

    def _clean_up(self) -> None:
        """Release what belonged to the tracker's process; only the thread that reads from it may close its streams."""
        if self._process is not None:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError, ValueError):
                    cast(IO[str], stream).close()
            _remove_strange(self._run / TRACKERS / self.name)


class _Ended(Exception):
    """A tracker is told nothing more."""


def _started(log: int) -> subprocess.Popen[str]:
    """Start the process of a tracker, in a group of its own: Ctrl-C is for the run."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "glassbench.pipeline.tracker_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=safe_environment(os.environ),
        process_group=0,
    )


def _remove_strange(folder: Path) -> None:
    """Remove what a tracker left behind that is no plain file: a run's folder with a link or a socket in it is refused."""
    if folder.is_dir() and not folder.is_symlink():
        for entry in inventory(folder):
            if entry.strange:
                with contextlib.suppress(OSError):
                    entry.path.unlink()


def _limit() -> float:
    try:
        return float(os.environ.get("GLASSBENCH_TRACKER_SECONDS", _SECONDS))
    except ValueError:
        return _SECONDS

"""Runs of a study as tasks of Ray: a cluster that is there already, or one that is started on this machine."""

import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray

from glassbench.contracts.launcher import LaunchedStudy, Outcome
from glassbench.errors import RunError
from glassbench_plugins.launchers.worker_command import execute, outcome

_ATTEMPTS = 2
"""Ray gives its node 30 seconds to start, which nobody can raise and a busy machine may take the first time."""
_PORT_WAIT = "120"
"""Seconds that Ray waits for the port of its own server, unless the environment says otherwise; 30 by itself."""
_ANSWER = 5.0
_ENDED = 10.0
_ADDRESS = re.compile(r"^(?:ray://)?(\[[^\]]+\]|[^:/\s]+):(\d{1,5})$")


class RayLauncher:
    """Does each run as a task of Ray.

    Every machine of the cluster sees the study's folder under the same path and has the same packages installed.

    Args:
        address: `HOST:PORT` of a cluster's head, or `ray://HOST:PORT` of its client server; without it, Ray is started here.
    """

    def __init__(self, *, address: str | None = None) -> None:
        self._address = address
        self._tasks: dict[Any, Path] = {}
        self._opened = False

    def open(self, study: LaunchedStudy) -> None:
        """Connect to the cluster, or start one.

        Raises:
            RunError: The address is none, or nobody answers there.
        """
        self._study = study
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_gcs_server_port_wait_time_s", _PORT_WAIT)
        if self._address is not None:
            check_answers(self._address)
        here: dict[str, Any] = {} if self._address else {"num_cpus": study.workers * study.threads, "include_dashboard": False}
        for attempt in range(_ATTEMPTS):
            try:
                ray.init(address=self._address or "local", log_to_driver=False, logging_level=logging.ERROR, **here)
                break
            except Exception as error:
                ray.shutdown()
                if self._address is not None or attempt == _ATTEMPTS - 1:
                    raise self._unreached(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
        self._opened = True
        self._remote = ray.remote(num_cpus=study.threads, max_retries=0)(execute)

    def submit(self, experiment: Path) -> None:
        """Have a run done as a task."""
        self._tasks[self._remote.remote(self._study.command(experiment))] = experiment

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """Wait until a task has ended."""
        ended, _ = ray.wait(list(self._tasks), num_returns=1, timeout=seconds)
        return [self._outcome(task) for task in ended]

    def close(self) -> None:
        """Cancel all tasks, wait until they are gone, and leave the cluster; one that was started here ends."""
        if not self._opened:
            return
        for task in self._tasks:
            with contextlib.suppress(Exception):
                ray.cancel(task)
        until = time.monotonic() + _ENDED
        while self._tasks and time.monotonic() < until:
            ended, _ = ray.wait(list(self._tasks), num_returns=1, timeout=1.0)
            for task in ended:
                del self._tasks[task]
        ray.shutdown()
        self._opened = False

    def _unreached(self, said: str) -> RunError:
        if self._address is not None:
            return _silent(self._address, said)
        fix = "run `ray start --head` once and give `launcher: {use: ray, address: HOST:PORT}` what it says, or `launcher: local`"
        return RunError("Ray does not start on this machine", where="launcher", got=said, fix=fix)

    def _outcome(self, task: Any) -> Outcome:
        experiment = self._tasks.pop(task)
        try:
            code, said = ray.get(task)
        except ray.exceptions.RayError as error:
            message = f"its worker was lost: {str(error).strip().splitlines()[0]}"
            return Outcome(experiment=experiment, message=message, died=True)
        return outcome(experiment, code, said)


def check_answers(address: str) -> None:
    """Make sure that somebody answers at an address, before Ray waits for long.

    Raises:
        RunError: It is no address, or nobody answers.
    """
    match = _ADDRESS.match(address)
    if match is None:
        problem = "this is no address of a Ray cluster"
        raise RunError(problem, where="launcher.address", got=address, fix="HOST:PORT, or ray://HOST:PORT")
    try:
        socket.create_connection((match[1].strip("[]"), int(match[2])), timeout=_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise _silent(address, str(error)) from error


def _silent(address: str, said: str) -> RunError:
    fix = "start the cluster (`ray start --head`), correct the address, or leave it out to start Ray here"
    return RunError(f"no Ray cluster answers at {address}", where="launcher.address", got=said, fix=fix)

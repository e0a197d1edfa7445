"""Runs of a study in processes of this machine, forked from one server that has imported what they need."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from glassbench.contracts.launcher import LaunchedStudy, Outcome
from glassbench.errors import GlassbenchError
from glassbench.studies.trial_process import in_pool
from glassbench.system.child_python import safe_environment

_ENDED = 5.0
_OWN_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class _Worker:
    """A process at work on one experiment."""

    experiment: Path
    process: Any
    answer: Connection


class LocalLauncher:
    """Does runs in processes of this machine; they end with the process that opened it."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._working: list[_Worker] = []
        self._opened = ExitStack()

    def open(self, study: LaunchedStudy) -> None:
        """Have the server import what the runs need.

        Raises:
            GlassbenchError: There are more than four times as many workers as processors.
        """
        check_workers(study.workers)
        self._study = study
        self._opened.enter_context(_environment(study.threads))
        self._context.set_forkserver_preload(["glassbench.studies.trial_process", *study.modules])

    def submit(self, experiment: Path) -> None:
        """Fork a process for a run."""
        answer, theirs = self._context.Pipe(duplex=False)
        given = (str(experiment), self._study.threads, tuple(self._study.blocked), theirs)
        process = self._context.Process(target=in_pool, args=given)
        process.start()
        theirs.close()
        self._working.append(_Worker(experiment, process, answer))

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """Wait until a process has ended."""
        ready = connection.wait([worker.process.sentinel for worker in self._working], seconds)
        ended = [worker for worker in self._working if worker.process.sentinel in ready]
        for worker in ended:
            self._working.remove(worker)
            worker.process.join()
        return [_outcome(worker) for worker in ended]

    def close(self) -> None:
        """End all processes."""
        for worker in self._working:
            worker.process.terminate()
        for worker in self._working:
            worker.process.join(_ENDED)
            worker.process.kill()
            worker.process.join()
        self._working.clear()
        self._opened.close()


def check_workers(workers: int) -> None:
    """Refuse more workers than processors can serve.

    Raises:
        GlassbenchError: There are more than four times as many as processors.
    """
    cores = os.cpu_count() or 1
    if workers > 4 * cores:
        raise GlassbenchError("there are too few processors", got=f"workers: {workers}", fix=f"at most {4 * cores} here")


def _outcome(worker: _Worker) -> Outcome:
    """Return what a process that ended said went wrong, or that it said nothing."""
    try:
        if worker.answer.poll():
            return Outcome(experiment=worker.experiment, message=worker.answer.recv())
    except (EOFError, OSError):
        pass
    finally:
        worker.answer.close()
    code = worker.process.exitcode
    how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
    message = f"its process ended {how}, without a word; too little memory ends processes so"
    return Outcome(experiment=worker.experiment, message=message, died=True)


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Set how many threads numeric libraries start, for processes that begin in a `with` block, and a safe search path."""
    before = dict(os.environ)
    wanted: Mapping[str, str] = safe_environment({**before, **dict.fromkeys(_OWN_THREADS, str(threads))})
    _become(wanted)
    try:
        yield
    finally:
        _become(before)


def _become(wanted: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    os.environ.update(wanted)

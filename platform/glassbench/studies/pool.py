"""Runs of a study in processes of this machine, forked from one server that has imported what they need."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from glassbench.errors import GlassbenchError
from glassbench.studies.trial_process import in_pool
from glassbench.system.child_python import safe_environment

_ENDED = 5.0
_PAUSE = 1.0
_OWN_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Failed = Callable[[Path, str | None], None]


@dataclass
class _Worker:
    """A process at work on one experiment."""

    experiment: Path
    process: Any
    answer: Connection
    attempts: int = 1


@dataclass
class Pool:
    """A number of processes at work on experiments of a study.

    Args:
        workers: Processes at one time.
        threads: Processor threads of each.
        modules: What to import once, before processes are forked.
        blocked: Names of plugins to skip.
    """

    workers: int
    threads: int
    modules: Sequence[str]
    blocked: tuple[str, ...] = ()
    _working: list[_Worker] = field(default_factory=list)

    def work(self, experiments: Sequence[Path], done: Failed, until: float | None = None) -> None:
        """Do every experiment, in order, as many at a time as there are workers.

        A process that dies without a word (killed, out of memory) is replaced once; what it did is gone on with.

        Args:
            experiments: Resolved experiments of a study, `trials/RUN.yaml`.
            done: Called with each experiment that came to its end, and the message of what went wrong, or None.
            until: A time of `time.monotonic` after which no further one is begun; None for no end.
        """
        context = multiprocessing.get_context("forkserver")
        waiting = [(path, 1) for path in experiments]
        with _environment(self.threads):
            context.set_forkserver_preload(["glassbench.studies.trial_process", *self.modules])
            try:
                while waiting or self._working:
                    late = until is not None and time.monotonic() > until
                    waiting = [(path, tries) for path, tries in waiting if tries > 1 or not late]
                    while waiting and len(self._working) < self.workers:
                        self._begin(context, *waiting.pop(0))
                    waiting.extend(self._ended(done))
            finally:
                self._stop()

    def _begin(self, context: Any, experiment: Path, attempts: int) -> None:
        answer, theirs = context.Pipe(duplex=False)
        process = context.Process(target=in_pool, args=(str(experiment), self.threads, self.blocked, theirs))
        process.start()
        theirs.close()
        self._working.append(_Worker(experiment, process, answer, attempts))

    def _ended(self, done: Failed) -> Iterator[tuple[Path, int]]:
        """Wait a moment; tell what came to its end, and yield what is to be tried again."""
        ready = connection.wait([worker.process.sentinel for worker in self._working], _PAUSE)
        for worker in [worker for worker in self._working if worker.process.sentinel in ready]:
            self._working.remove(worker)
            worker.process.join()
            message, told = _answer(worker)
            if not told and worker.attempts == 1:
                yield worker.experiment, 2
            else:
                done(worker.experiment, message)

    def _stop(self) -> None:
        for worker in self._working:
            worker.process.terminate()
        for worker in self._working:
            worker.process.join(_ENDED)
            worker.process.kill()
            worker.process.join()
        self._working.clear()


def _answer(worker: _Worker) -> tuple[str | None, bool]:
    """Return what a process that ended said went wrong, and whether it said anything."""
    try:
        return (worker.answer.recv(), True) if worker.answer.poll() else (_death(worker.process.exitcode), False)
    except (EOFError, OSError):
        return _death(worker.process.exitcode), False
    finally:
        worker.answer.close()


def _death(code: int | None) -> str:
    how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
    return f"its process ended {how} twice, without a word; too little memory ends processes so"


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


def check_workers(workers: int) -> None:
    """Refuse more workers than processors can serve.

    Raises:
        GlassbenchError: There are more than four times as many as processors.
    """
    cores = os.cpu_count() or 1
    if workers > 4 * cores:
        raise GlassbenchError("there are too few processors", got=f"workers: {workers}", fix=f"at most {4 * cores} here")

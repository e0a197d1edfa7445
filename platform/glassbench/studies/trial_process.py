"""One run of a study, begun or gone on with from its folder alone, whichever process does it."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from glassbench.errors import FOREIGN, GlassbenchError, RunError, said
from glassbench.pipeline import phases
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.registry import Registry
from glassbench.run_handle import Run, command_line
from glassbench.runs.all_runs import open_run
from glassbench.runs.run_folder import RunFolder
from glassbench.runs.seals import STATUS
from glassbench.storage.files import write_json
from glassbench.studies.pruning import MedianPruner, Pruned, pruned_path, read_bounds

_PR_SET_PDEATHSIG = 1
_PATIENCE, _PAUSE = 15.0, 0.2


def do_trial(experiment: Path, *, threads: int, blocked: tuple[str, ...] = ()) -> None:
    """Begin a run of a study, or go on with it, to its end, or until its bounds end it early.

    Args:
        experiment: Its resolved experiment, `trials/RUN.yaml` in the study's folder.
        threads: Processor threads it may use; numbers can differ in the last digit between numbers of threads.
        blocked: Names of plugins to skip.
    """
    torch.set_num_threads(threads)
    runs, run = experiment.parent.parent / "runs", experiment.stem
    registry = Registry(blocked=blocked)
    begun = (runs / run / STATUS).is_file()
    bounds = read_bounds(experiment)
    observer = MedianPruner(bounds, RunFolder(runs / run).history() if begun else ()) if bounds else SilentObserver()
    try:
        if begun:
            _wait_until_free(RunFolder(runs / run))
            Run(open_run(runs / run), registry, observer).resume()
        else:
            plan = phases.resolved_plan(experiment, registry)
            phases.work(phases.start(plan, registry, observer, runs, command_line(), run=run))
    except Pruned as error:
        write_json(pruned_path(experiment), {"run": run, "reason": error.got})


def _wait_until_free(folder: RunFolder) -> None:
    """Wait a while for a process that a killed study left behind; one that goes on working is named by whoever opens the run."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            with folder.locked():
                return
        except RunError:
            time.sleep(_PAUSE)


def in_pool(experiment: str, threads: int, blocked: tuple[str, ...], answer: Connection) -> None:
    """Do one run as a process of a pool, and send the message of what went wrong, or None.

    What the run prints is dropped: several print at one time. The process ends when the one that started the pool is gone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the pool decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_server()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    try:
        do_trial(Path(experiment), threads=threads, blocked=blocked)
    except GlassbenchError as error:
        answer.send(str(error))
    except FOREIGN as error:
        answer.send(said(error))
    else:
        answer.send(None)
    sys.exit(0)


def _end_with_server() -> None:
    """Have the system end this process with the server that forked it, which ends with the pool (Linux).

    The server is the parent that the system knows. A thread that waits cannot act while a library holds the interpreter's lock.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_parent() -> None:
    """End this process when the one that started the pool is gone, on any system."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)

"""One run of a study in a process of its own: `python -m glassbench.worker STUDY/trials/RUN.yaml [THREADS [BLOCKED...]]`.

The exit code is 0 where the run came to its end, 2 where it failed, with the reason on the error stream.
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from glassbench.errors import GlassbenchError

_PR_SET_PDEATHSIG = 1


def main(experiment: str, threads: str = "1", *blocked: str) -> None:
    """Do the run; numeric libraries read the number of threads when they are imported."""
    _end_with_starter()
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads))
    from glassbench.studies.trial_process import do_trial

    do_trial(Path(experiment), threads=int(threads), blocked=blocked)


def _end_with_starter() -> None:
    """End this process with the one whose id `GLASSBENCH_STARTED_BY` holds, however that one ends (Linux)."""
    starter = os.environ.get("GLASSBENCH_STARTED_BY", "")
    if not starter.isdecimal():
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(starter):
        sys.exit("the process that started this run is gone")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except GlassbenchError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

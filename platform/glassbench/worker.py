"""One run of a study in a process of its own: `python -m glassbench.worker STUDY/trials/RUN.yaml [THREADS [BLOCKED...]]`.

The exit code is 0 where the run came to its end, 2 where it failed, with the reason on the error stream.
"""

import os
import sys
from pathlib import Path

from glassbench.errors import GlassbenchError


def main(experiment: str, threads: str = "1", *blocked: str) -> None:
    """Do the run; numeric libraries read the number of threads when they are imported."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads))
    from glassbench.studies.trial_process import do_trial

    do_trial(Path(experiment), threads=int(threads), blocked=blocked)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except GlassbenchError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

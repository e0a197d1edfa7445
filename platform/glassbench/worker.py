"""One run of a study in a process of its own: `python -m glassbench.worker STUDY/trials/RUN.yaml`."""

import sys
from pathlib import Path

from glassbench.errors import GlassbenchError
from glassbench.studies.trial_process import do_trial

if __name__ == "__main__":
    try:
        do_trial(Path(sys.argv[1]), threads=int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    except GlassbenchError as error:
        sys.exit(str(error))

"""A run of a study as a command, wherever a launcher has it executed."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from glassbench.contracts.launcher import Outcome

_LINES = 20


def execute(command: Sequence[str]) -> tuple[int, str]:
    """Execute a command and return its exit code and the end of its error stream; it ends with this process."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GLASSBENCH_STARTED_BY": str(os.getpid())},
    )
    return done.returncode, "\n".join(done.stderr.strip().splitlines()[-_LINES:])


def outcome(experiment: Path, code: int, said: str) -> Outcome:
    """Return what a worker's exit code means; one that was ended by a signal died without a word."""
    if code == 0:
        return Outcome(experiment=experiment)
    if code < 0:
        return Outcome(experiment=experiment, message=f"its process ended by signal {-code}", died=True)
    return Outcome(experiment=experiment, message=said or f"its process ended with exit code {code}")

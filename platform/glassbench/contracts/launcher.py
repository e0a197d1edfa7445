"""What starts the runs of a study, and what it is told and tells: LaunchedStudy, Outcome, Launcher."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class LaunchedStudy:
    """The study whose runs a launcher starts.

    Args:
        folder: The study's folder; each run is a file `trials/RUN.yaml` in it.
        workers: Runs at work at one time; no more are submitted.
        threads: Processor threads of each run.
        modules: Modules that every run imports.
        blocked: Names of plugins to skip.
    """

    folder: Path
    workers: int
    threads: int
    modules: Sequence[str] = ()
    blocked: Sequence[str] = ()

    def command(self, experiment: Path) -> list[str]:
        """Return the command that does a run to its end, or goes on with it; exit code 2 and a message where it fails."""
        return [sys.executable, "-P", "-m", "glassbench.worker", str(experiment), str(self.threads), *self.blocked]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the work on a run ended.

    Args:
        experiment: The run's file.
        message: What went wrong; None where the run came to its end.
        died: Whether the worker ended without a word (killed, out of memory, its machine lost). Such a run is tried once more.
    """

    experiment: Path
    message: str | None = None
    died: bool = False


class Launcher(Protocol):
    """A class `(*, settings...)`; each run is the command `LaunchedStudy.command`, wherever it is executed."""

    def open(self, study: LaunchedStudy) -> None:
        """Get ready; called once, before all else.

        Raises:
            RunError: What starts runs cannot be reached.
        """
        ...

    def submit(self, experiment: Path) -> None:
        """Start a run, or have it started."""
        ...

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """Wait until a run that was submitted has ended, at most so long; return those that have, each once."""
        ...

    def close(self) -> None:
        """End what is still at work, so that nothing works on a run afterwards; called once, whatever happened."""
        ...

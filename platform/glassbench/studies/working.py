"""The runs of a study at work: as many at a time as there are workers, whoever starts them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from glassbench.contracts.launcher import LaunchedStudy, Launcher
from glassbench.studies.trials import Trial

_PAUSE = 1.0
Ended = Callable[[Trial, str | None], None]


class Supply(Protocol):
    """Which run comes next."""

    def next(self) -> tuple[Trial, Path] | None:
        """Return a run to be begun and its experiment; None where none is left, or none can be named before others end."""
        ...

    def ended(self, trial: Trial, message: str | None) -> None:
        """Take note that a run came to its end, and of what went wrong."""
        ...


def work(launcher: Launcher, study: LaunchedStudy, supply: Supply, until: float | None = None) -> None:
    """Do every run of a supply.

    A run whose worker died without a word is tried once more; what it did is gone on with.

    Args:
        launcher: Starts the runs.
        study: What the launcher is told.
        supply: Names the runs.
        until: A time of `time.monotonic` after which no further one is begun; None for no end.
    """
    at_work: dict[Path, tuple[Trial, int]] = {}
    try:
        launcher.open(study)
        while True:
            while len(at_work) < study.workers and (until is None or time.monotonic() <= until):
                following = supply.next()
                if following is None:
                    break
                trial, experiment = following
                at_work[experiment] = (trial, 1)
                launcher.submit(experiment)
            if not at_work:
                return
            for outcome in launcher.wait(_PAUSE):
                trial, attempts = at_work.pop(outcome.experiment)
                if outcome.died and attempts == 1:
                    at_work[outcome.experiment] = (trial, 2)
                    launcher.submit(outcome.experiment)
                else:
                    message = f"twice, {outcome.message}" if outcome.died else outcome.message
                    supply.ended(trial, message)
    finally:
        launcher.close()

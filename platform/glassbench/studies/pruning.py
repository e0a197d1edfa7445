"""Ending runs that look hopeless: a run whose watched loss is worse than the median of earlier runs at the same epoch."""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glassbench.contracts.trainer import Record
from glassbench.errors import GlassbenchError
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.storage.files import read_object, understood, write_json

WATCHED = "validation_loss"
"""What is watched in the training history; the smaller the better."""

FEWEST_RUNS = 5
"""Runs that came to an epoch, below which none is ended there."""

FIRST_EPOCH = 3
"""The first epoch, counted from 0, at which a run may be ended."""


class Pruned(GlassbenchError):
    """A run of a search was ended early, as was asked for."""


def medians(histories: Sequence[Sequence[Record]]) -> dict[int, float]:
    """Return the median of the watched value of runs at each epoch that enough of them came to.

    Example:
        >>> medians([[{"epoch": 3, "validation_loss": value}] for value in (1.0, 2.0, 3.0, 4.0, 9.0)])
        {3: 3.0}
    """
    reached: dict[int, list[float]] = {}
    for history in histories:
        for epoch, value in course(history).items():
            reached.setdefault(epoch, []).append(value)
    return {
        epoch: statistics.median(values)
        for epoch, values in sorted(reached.items())
        if epoch >= FIRST_EPOCH and len(values) >= FEWEST_RUNS
    }


def course(history: Sequence[Record]) -> dict[int, float]:
    """Return the watched value of a run by epoch."""
    return {int(record["epoch"]): float(record[WATCHED]) for record in history if WATCHED in record and "epoch" in record}


class MedianPruner(SilentObserver):
    """Ends a run once its best value so far is worse than a bound (the median rule of Golovin et al. 2017, as in Optuna).

    Args:
        bounds: The largest value of the best so far, by epoch.
        history: What the run recorded before, where it is gone on with.
    """

    def __init__(self, bounds: Mapping[int, float], history: Sequence[Record] = ()) -> None:
        self._bounds = bounds
        self._best = min(course(history).values(), default=math.inf)

    def record(self, record: Record) -> None:
        """Look at a line of the training history.

        Raises:
            Pruned: The run is to be ended.
        """
        if WATCHED not in record or "epoch" not in record:
            return
        self._best = min(self._best, float(record[WATCHED]))
        epoch = int(record["epoch"])
        bound = self._bounds.get(epoch)
        if bound is not None and self._best > bound:
            raise Pruned("the run was ended early", got=f"{WATCHED} {self._best:.6g} after epoch {epoch}, median {bound:.6g}")


def bounds_path(experiment: Path) -> Path:
    """Return the file of a run's bounds, beside its experiment."""
    return experiment.with_suffix(".bounds.json")


def pruned_path(experiment: Path) -> Path:
    """Return the file that says that a run was ended early, beside its experiment."""
    return experiment.with_suffix(".pruned.json")


def write_bounds(experiment: Path, bounds: Mapping[int, float]) -> None:
    """Freeze the bounds of a run."""
    write_json(bounds_path(experiment), {"watched": WATCHED, "bounds": {str(epoch): value for epoch, value in bounds.items()}})


def read_bounds(experiment: Path) -> dict[int, float]:
    """Return the bounds of a run; none where it is not to be ended early.

    Raises:
        RunError: The file is damaged.
    """
    path = bounds_path(experiment)
    if not path.is_file():
        return {}
    content: Mapping[str, Any] = read_object(path)
    with understood(path):
        return {int(epoch): float(value) for epoch, value in content["bounds"].items()}

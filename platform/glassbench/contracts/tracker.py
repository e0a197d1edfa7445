"""What a tracker gets and what it is told: TrackedRun, Failure, Tracker."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from glassbench.contracts.evidence import AuditResult


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """The run that a tracker follows.

    Args:
        id: The run's id, the name of its folder.
        name: The experiment's name.
        folder: The run's folder; a tracker reads there and writes nothing.
        output: A folder of the tracker's own inside it, for its files and for what it has to remember.
        experiment: The experiment with every setting in full, JSON values.
        resumed: Whether the tracker was told something of this run before, by an earlier process.
    """

    id: str
    name: str
    folder: Path
    output: Path
    experiment: Mapping[str, Any]
    resumed: bool = False


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a run stopped before its end.

    Args:
        phase: The phase that it was in: fit, predict, audit or report.
        message: What a person is told; home folders are written `~`.
        interrupted: Whether a person or a signal stopped it, instead of an error.
    """

    phase: str
    message: str
    interrupted: bool = False


class Tracker(Protocol):
    """A class `(run, *, settings...)`; its methods are called one at a time, in the order of the events.

    An object is made for each process that works on the run, when there is something to tell. Whatever a method raises ends the
    tracker with a warning, and the run goes on.
    """

    def metric(self, record: Mapping[str, float | int]) -> None:
        """A line of the training history: `epoch`, `step` and the values measured then; each step comes once."""
        ...

    def audited(self, result: AuditResult) -> None:
        """An audit is done; it comes again when the audit is made again."""
        ...

    def finished(self, verdict: str, report: Path) -> None:
        """The run is done: `pass`, `fail`, `insufficient evidence` or `not applicable`, and the HTML report."""
        ...

    def failed(self, error: Failure) -> None:
        """The run stopped before its end; it may be resumed, in another process."""
        ...

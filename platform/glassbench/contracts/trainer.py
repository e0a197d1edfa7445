"""What a trainer gets and gives: Trainer, Workspace, Fitted."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from glassbench.contracts.data import Data
from glassbench.contracts.task import Task
from glassbench.errors import FitError

Record = Mapping[str, float | int]
"""One line of the training history: `epoch`, `step`, and the values measured then."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What the platform gives a trainer to work with while it fits.

    Args:
        seed: The experiment's seed.
        folder: Where checkpoints may be kept; what is there already is from the same run, killed before it was done.
        record: Takes one line of the training history, to be shown and kept. A line for a step seen before replaces it.
        interactive: Whether a person watches on a terminal.
    """

    seed: int
    folder: Path
    record: Callable[[Record], None]
    interactive: bool = False


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model and how it came about.

    Args:
        model: The model, on the CPU, in evaluation mode; an estimator comes wrapped in `EstimatorModule`.
        facts: What a reader should know of the training, JSON values: epochs, device, precision, why it stopped.
        callbacks: Import paths of the callbacks that took part, also those that other packages brought.
    """

    model: nn.Module
    facts: Mapping[str, Any] = field(default_factory=dict)
    callbacks: tuple[str, ...] = ()


class Trainer(ABC):
    """Fits a model. A leaf class takes keyword-only settings."""

    @property
    def several_processes(self) -> bool:
        """Whether fitting spreads over processes of its own.

        The platform then starts `python -m glassbench.training_process RUN`, which the trainer may start again for each process,
        and calls `fit` once more when all are done; that call finds what they left in `workspace.folder`.
        """
        return False

    @property
    def asking_device(self) -> str:
        """The device on which audits ask what was trained, such as `cpu` or `cuda`."""
        return "cpu"

    def with_epochs(self, epochs: int) -> "Trainer":
        """Return the same trainer that goes over the training rows at most so many times.

        Raises:
            FitError: It does not learn in epochs.
        """
        raise FitError("this trainer does not learn in epochs", got=type(self).__name__, fix="write epochs=0")

    @abstractmethod
    def fit(self, model: Any, task: Task, data: Data, workspace: Workspace) -> Fitted:
        """Fit `model` (a network or an estimator, as the trainer's spec says) to the training split.

        Called again after a kill, it goes on from what it left in `workspace.folder` and ends with the same numbers.

        Raises:
            FitError: The model cannot be trained so.
        """

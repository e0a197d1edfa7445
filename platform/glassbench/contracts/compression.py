"""What makes a trained network smaller: Compression, and what it gets and returns."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Task

Build = Callable[[Mapping[str, Any] | None, float], nn.Module]
"""From a model's name and settings (None: those of the run) and a share of its widths to an untrained network."""


class Fit(Protocol):
    """Fits a network to the training rows with the run's trainer."""

    def __call__(
        self, network: nn.Module, objective: Callable[[Data], nn.Module] | None = None, *, epochs: int | None = None
    ) -> nn.Module:
        """Return the network, fitted and in evaluation mode.

        Args:
            network: The network with the weights that it begins with; they are changed in place.
            objective: What makes its objective (`Mitigation.objective`); None for the task's own loss.
            epochs: Passes over the training rows, at most; None for those of the run's trainer.

        Raises:
            FitError: It cannot be trained so.
        """
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class CompressionSource:
    """A trained network, and what may be used to make it smaller. Test rows are not part of it.

    Args:
        network: The trained network in evaluation mode, which must not be changed; None where an earlier compression left a graph
            alone.
        graph: The same as an ONNX graph of float32 numbers, with one input `inputs` and one output `output`.
        train: The rows it learnt from, with their inputs as the network gets them; None where there are none.
        task: The learning problem.
        schema: What the network was built for.
        seed: The experiment's seed.
        build: Makes untrained networks, such as a smaller one.
        fit: Fits one to the training rows; called again after a kill it goes on where it stopped.
    """

    network: nn.Module | None
    graph: bytes
    train: Split | None
    task: Task
    schema: Schema
    seed: int
    build: Build
    fit: Fit

    def sample(self, rows: int) -> tuple[Tensor, ...]:
        """Return the inputs of at most so many training rows, spread evenly over them, `(n, ...)` each; none without rows."""
        if self.train is None or not len(self.train):
            return ()
        every = max(1, len(self.train) // rows)
        return self.train.batch(torch.arange(0, min(len(self.train), every * rows), every)).inputs


@dataclass(frozen=True, eq=False, kw_only=True)
class Compressed:
    """What a compression made: a network or a graph.

    Args:
        network: A network, which the platform writes as an ONNX graph.
        graph: An ONNX graph with the input and the output of the source's graph.
        packed: Whether the file has to be stored compressed (gzip) for its size to show what was gained, as zeros do.
        trained: Whether it learnt anew, so that what the task calibrates has to be calibrated again.
        facts: What was found or chosen, JSON values.
    """

    network: nn.Module | None = None
    graph: bytes | None = None
    packed: bool = False
    trained: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


class Compression(ABC):
    """A way to make a trained network smaller. A leaf class takes keyword-only settings and holds no data.

    The platform measures what it returns on rows that neither it nor the network saw.
    """

    @abstractmethod
    def compress(self, source: CompressionSource) -> Compressed:
        """Return something smaller that takes the same inputs; the same source gives the same.

        Raises:
            RunError, DataError: The network cannot be compressed so.
        """

    def harder(self) -> "Compression | None":
        """Return the same with settings that compress one step more; None where there are none.

        The platform asks for it where a result has to fit in a number of bytes and does not.
        """
        return None

    @abstractmethod
    def account(self, facts: Mapping[str, Any]) -> str:
        """Return what was done, with its numbers, in one to three sentences for a report.

        Args:
            facts: What `compress` returned.
        """

"""What makes a trained model smaller: Compression, and what it gets and returns."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.exporting import LinearMap, TreeSum
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
    """A trained model, and what may be used to make it smaller. Test rows are not part of it.

    Args:
        model: The original, called as a network is, in evaluation mode; it must not be changed.
        network: The network to compress; None where the model is an estimator, or an earlier compression left no network.
        arrays: Trees or weights of an estimator; None where the model is a network, or an earlier compression left neither.
        graph: The same as an ONNX graph, with one input `inputs` and one output `output`.
        train: The rows it learnt from, with their inputs as the network gets them; None where there are none.
        task: The learning problem.
        schema: What the network was built for.
        seed: The experiment's seed.
        build: Makes untrained networks, such as a smaller one.
        fit: Fits one to the training rows; called again after a kill it goes on where it stopped.
    """

    model: nn.Module
    network: nn.Module | None
    arrays: TreeSum | LinearMap | None
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
    """What a compression made: a network, arrays or a graph, and one of them alone.

    Args:
        network: A network, which the platform writes as an ONNX graph.
        arrays: Trees or weights, which the platform writes as an ONNX graph in their precision.
        graph: An ONNX graph with the input and the output of the source's graph.
        packed: Whether the file has to be stored compressed (gzip) for its size to show what was gained, as zeros do.
        trained: Whether it learnt anew, so that what the task calibrates has to be calibrated again.
        facts: What was found or chosen, JSON values.
    """

    network: nn.Module | None = None
    arrays: TreeSum | LinearMap | None = None
    graph: bytes | None = None
    packed: bool = False
    trained: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def forms(self) -> int:
        """In how many forms it is told, which should be one."""
        return sum(form is not None for form in (self.network, self.arrays, self.graph))


class Compression(ABC):
    """A way to make a trained model smaller. A leaf class takes keyword-only settings and holds no data.

    The platform measures what it returns on rows that neither it nor the model saw.
    """

    @abstractmethod
    def compress(self, source: CompressionSource) -> Compressed:
        """Return something smaller that takes the same inputs; the same source gives the same.

        Raises:
            RunError, DataError: The model cannot be compressed so.
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

"""A smaller network that learns from what the original says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.task import forward_all
from glassbench.errors import RunError
from glassbench.stats.settings_types import OpenShare, PositiveNumber, Share

_NARROWEST = 0.1

_STUDENT = {"use": "mlp", "hidden": [32]}
"""What learns from an estimator where nobody names a student."""


@dataclass(frozen=True, kw_only=True)
class Distilled(Compression):
    """Trains a smaller network with the run's trainer, on the true outcomes and on the original's outputs of the training rows.

    For outputs that are scores of classes, the loss is (1 - teaching) times the task's own plus teaching times temperature
    squared times the Kullback-Leibler divergence of the softened scores; for any other outputs their squared difference takes its
    place. Source: Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network.

    An estimator is taught to a network too, which the usual trainer of networks trains.

    Args:
        student: The smaller network as an experiment names a model, `{use: mlp, hidden: [16]}`; None for the run's own model with
            its widths reduced, of an estimator for a perceptron with one hidden layer of 32 units.
        width: What is left of each width of the student. None takes a named student as it is, and halves the run's own model.
        teaching: How much the original's outputs count beside the true outcomes.
        temperature: How much scores of classes are softened.
    """

    student: dict[str, Any] | None = None
    width: OpenShare | None = None
    teaching: Share = 0.7
    temperature: PositiveNumber = 4.0

    @property
    def share(self) -> float:
        """What is left of each width."""
        return self._share(self.student)

    def _share(self, student: Mapping[str, Any] | None) -> float:
        return self.width if self.width is not None else 0.5 if student is None else 1.0

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the smaller network, trained.

        Raises:
            RunError: There are no training rows, or the student is not smaller.
        """
        teacher, estimator = source.model, source.arrays is not None
        if source.train is None or (source.network is None and not estimator):
            raise RunError("distillation needs the model and its training rows", fix="write it first in a chain: distilled+int8")
        wanted = _STUDENT if estimator and self.student is None else self.student
        student = source.build(wanted, self._share(wanted))
        sizes = [sum(parameter.numel() for parameter in network.parameters()) for network in (teacher, student)]
        if not estimator and sizes[1] >= sizes[0]:
            fix = "name a smaller one: distilled.student='{use: ..., ...}', or distilled.width=0.25"
            raise RunError(
                "the student is not smaller than the original", got=f"{sizes[1]:,} against {sizes[0]:,} weights", fix=fix
            )
        fitted = source.fit(student, self._objective(teacher, source))
        facts = {
            "original": None if estimator else sizes[0],
            "student": sizes[1],
            "width": self._share(wanted),
            "teaching": self.teaching,
        }
        return Compressed(network=fitted, trained=True, facts=facts)

    def _objective(self, teacher: nn.Module, source: CompressionSource) -> Callable[[Data], nn.Module]:
        classes = source.schema.target.kind == "class" and source.schema.target.outputs > 1

        def made(data: Data) -> nn.Module:
            said = forward_all(teacher, cast(Split, data.train))
            return _Teaching(said, self.teaching, self.temperature if classes else None)

        return made

    def harder(self) -> Compression | None:
        """Return the same with a student of two thirds the width."""
        width = self.share * 2 / 3
        return replace(self, width=width) if width >= _NARROWEST else None

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how much smaller the student is, and what it learnt from."""
        original = "the estimator" if facts["original"] is None else f"{facts['original']:,}"
        sizes = f"A network of {facts['student']:,} weights in place of {original}"
        counts = f"what the original says of training rows counts {facts['teaching']:g}, true outcomes {1 - facts['teaching']:g}"
        return f"{sizes} was trained; {counts}."


class _Teaching(nn.Module):
    """The loss of a row between its true outcome and what the original says.

    Args:
        said: Outputs of the original for the training rows `(n, ...)`.
        teaching: How much they count.
        temperature: How much scores of classes are softened; None for outputs that are none.
    """

    said: Tensor

    def __init__(self, said: Tensor, teaching: float, temperature: float | None) -> None:
        super().__init__()
        self.register_buffer("said", said, persistent=False)
        self._teaching, self._temperature = teaching, temperature

    def forward(self, losses: Tensor, output: Tensor, batch: Batch) -> Tensor:
        """Return the loss of each row `(n,)`; validation rows keep their own."""
        if not self.training:
            return losses
        said = self.said[batch.positions.to(self.said.device)].to(output.dtype)
        return (1 - self._teaching) * losses + self._teaching * self._apart(output, said)

    def _apart(self, output: Tensor, said: Tensor) -> Tensor:
        if self._temperature is None:
            return (output - said).square().flatten(1).mean(dim=1)
        softened = functional.log_softmax(output / self._temperature, dim=1)
        wanted = functional.log_softmax(said / self._temperature, dim=1)
        return functional.kl_div(softened, wanted, reduction="none", log_target=True).sum(dim=1) * self._temperature**2

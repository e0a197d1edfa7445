"""A penalty on the gap between groups, added to the loss of each batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.task import Task
from glassbench_plugins.mitigation.groups import chosen_features, coded_rows

Gap = Literal["demographic_parity", "equalized_odds"]


@dataclass(frozen=True, kw_only=True)
class GapPenalty(Mitigation):
    """Adds to the loss how far the groups' mean probabilities of each class lie apart.

    The penalty of a batch is the sum over classes of the variance between groups of the mean probability, weighted by the rows of
    each group; for equalized odds it is taken among the rows of each true class, and the mean over true classes is added. It is
    differentiable, so that any network of classes can be trained with it. Validation losses hold it too, so that the epoch kept
    allows for it.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        constraint: Which rates are brought together: of selection, or of decisions given the true class.
        strength: What the penalty is multiplied by.
    """

    features: tuple[str, ...] | None = None
    constraint: Gap = "equalized_odds"
    strength: Annotated[float, Field(gt=0)] = 10.0

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "gap-penalty")

    def objective(self, data: Data) -> nn.Module:
        """Return the penalised loss."""
        groups, train, validation = coded_rows(self.features, data, "gap-penalty")
        return PenalisedLoss(train, validation, len(groups.names), self.constraint, self.strength)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which gap was penalised, between which groups."""
        groups, train, _ = coded_rows(self.features, data, "gap-penalty")
        sizes = "; ".join(f"{groups.words(g)} {int((train == g).sum()):,}" for g in range(min(len(groups.names), 8)))
        words = self.constraint.replace("_", " ")
        return (
            f"The loss was raised by {self.strength:g} times the variance between groups of {', '.join(groups.features)} in the "
            f"mean probability of each class ({words}). Training rows: {sizes}."
        )


class PenalisedLoss(nn.Module):
    """Adds the gap of a batch to each of its losses.

    Args:
        train, validation: The group of each row, int64 `(n,)`; -1 for none.
        groups: How many groups there are.
        constraint, strength: As `GapPenalty` takes them.
    """

    train_codes: Tensor
    validation_codes: Tensor

    def __init__(self, train: np.ndarray, validation: np.ndarray, groups: int, constraint: Gap, strength: float) -> None:
        super().__init__()
        self.groups, self.constraint, self.strength = groups, constraint, strength
        for name, value in (("train_codes", train), ("validation_codes", validation)):
            self.register_buffer(name, torch.as_tensor(value, dtype=torch.long), persistent=False)

    def forward(self, losses: Tensor, output: Tensor, batch: Batch) -> Tensor:
        """Return the losses `(n,)` of a batch, each with the penalty added."""
        codes = (self.train_codes if self.training else self.validation_codes)[batch.positions]
        held = torch.ones_like(losses) if batch.weight is None else batch.weight.to(losses.dtype)
        held = held * (codes >= 0)
        probabilities = torch.softmax(output.float(), dim=1).to(losses.dtype)
        if self.constraint == "demographic_parity":
            gap = self._between(probabilities, codes, held)
        else:
            classes = range(probabilities.shape[1])
            gap = sum((self._between(probabilities, codes, held * (batch.target == k)) for k in classes), losses.new_zeros(()))
            gap = gap / probabilities.shape[1]
        scale = 1.0 if batch.weight is None else 1 / batch.weight.to(losses.dtype).mean().clamp(min=1e-12)
        return losses + self.strength * gap * scale

    def _between(self, probabilities: Tensor, codes: Tensor, held: Tensor) -> Tensor:
        """Return the variance between groups of mean probabilities `(n, classes)`, summed over classes."""
        member = nn.functional.one_hot(codes.clamp(min=0), self.groups).to(probabilities.dtype) * held[:, None]
        rows = member.sum(dim=0)
        total = rows.sum().clamp(min=1e-12)
        mean = member.T @ probabilities / rows.clamp(min=1e-12)[:, None]
        overall = (rows[:, None] * mean).sum(dim=0) / total
        return (rows[:, None] / total * (mean - overall) ** 2).sum()

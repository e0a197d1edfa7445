"""A loss that follows the groups which are learnt worst."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Task
from glassbench_plugins.mitigation.groups import Groups, chosen_features


@dataclass(frozen=True, kw_only=True)
class GroupDRO(Mitigation):
    """Weighs each group's mean loss, and raises the weight of the groups whose loss is high.

    After each batch the weight of group g is multiplied by exp(step x (loss of g + adjustment / sqrt(rows of g))), and weights
    are brought to a sum of 1; the loss descended is the weighted sum. Weights are part of the checkpoint. The epoch that is kept
    has the smallest mean of the groups' validation losses. Source: Sagawa, Koh, Hashimoto and Liang (2020), Distributionally
    robust neural networks.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        with_class: Whether a group is also told apart by its class, where classes are predicted.
        step: How fast weights follow losses.
        adjustment: How much more small groups count, to close their gap between training and validation.
    """

    features: tuple[str, ...] | None = None
    with_class: bool = True
    step: Annotated[float, Field(gt=0)] = 0.01
    adjustment: Annotated[float, Field(ge=0)] = 0.0

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "group-dro")

    def objective(self, data: Data) -> nn.Module:
        """Return the loss of groups."""
        return GroupLoss(*self._codes(data), step=self.step, adjustment=self.adjustment)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say how many groups there were, and how large."""
        names, train, _ = self._named(data)
        sizes = np.bincount(train, minlength=len(names))
        small, large = int(np.argmin(sizes)), int(np.argmax(sizes))
        by = ", ".join(chosen_features(self.features, data.schema, "group-dro"))
        by += f" and {data.schema.target.name}" if self._crossed(data.schema) else ""
        return (
            f"The loss was that of {len(names)} groups ({by}), weighed towards the highest loss (step {self.step:g}); "
            f"the smallest is {names[small]} ({sizes[small]:,} training rows), the largest {names[large]} ({sizes[large]:,})."
        )

    def _crossed(self, schema: Schema) -> bool:
        return self.with_class and schema.target.kind == "class"

    def _codes(self, data: Data) -> tuple[np.ndarray, np.ndarray, int]:
        names, train, validation = self._named(data)
        return train, validation, len(names)

    def _named(self, data: Data) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Return the names of the groups, and the group of each training and validation row; -1 for one of no training group."""
        train, schema = data.train, data.schema
        assert isinstance(train, Split)
        assert train.groups is not None
        groups = Groups.of(train.groups, chosen_features(self.features, schema, "group-dro"))
        classes = schema.target.classes if self._crossed(schema) else ()
        crossed = _crossed_codes(groups, train, len(classes))
        kept, places = np.unique(crossed, return_inverse=True)
        every = max(len(classes), 1)
        names = [", ".join([groups.words(c // every), *([classes[c % every]] if classes else [])]) for c in kept.tolist()]
        validation = data.validation
        if not isinstance(validation, Split) or validation.groups is None:
            return names, places.astype(np.int64), np.zeros(0, dtype=np.int64)
        held_out = _crossed_codes(groups, validation, len(classes))
        found = np.searchsorted(kept, held_out).clip(max=len(kept) - 1)
        return names, places.astype(np.int64), np.where(kept[found] == held_out, found, -1)


class GroupLoss(nn.Module):
    """Weighs the losses of rows by their groups.

    Args:
        train, validation: The group of each row, int64 `(n,)`; -1 for none.
        groups: How many groups there are.
        step, adjustment: As `GroupDRO` takes them.
    """

    weights: Tensor
    train_codes: Tensor
    validation_codes: Tensor
    validation_share: Tensor
    bonus: Tensor

    def __init__(self, train: np.ndarray, validation: np.ndarray, groups: int, *, step: float, adjustment: float) -> None:
        super().__init__()
        self.step = step
        sizes = np.bincount(train[train >= 0], minlength=groups)
        held = np.bincount(validation[validation >= 0], minlength=groups)
        share = np.divide(len(validation), held * max((held > 0).sum(), 1), out=np.zeros(groups), where=held > 0)
        self.register_buffer("weights", torch.full((groups,), 1 / groups, dtype=torch.float32))
        for name, value in (("train_codes", train), ("validation_codes", validation)):
            self.register_buffer(name, torch.as_tensor(value, dtype=torch.long), persistent=False)
        self.register_buffer("validation_share", torch.as_tensor(share, dtype=torch.float32), persistent=False)
        bonus = torch.as_tensor(adjustment / np.sqrt(np.maximum(sizes, 1)), dtype=torch.float32)
        self.register_buffer("bonus", bonus, persistent=False)

    def forward(self, losses: Tensor, output: Any, batch: Batch) -> Tensor:
        """Return the losses `(n,)` whose mean is the weighted sum of the groups' mean losses."""
        if not self.training:
            codes = self.validation_codes[batch.positions]
            return losses * torch.where(codes >= 0, self.validation_share[codes.clamp(min=0)], 0).to(losses.dtype)
        codes = self.train_codes[batch.positions]
        held = torch.ones_like(losses) if batch.weight is None else batch.weight.to(losses.dtype)
        rows = torch.zeros(len(self.weights), dtype=losses.dtype, device=losses.device).index_add(0, codes, held)
        total = torch.zeros_like(rows).index_add(0, codes, losses.detach() * held)
        present = rows > 0
        mean = torch.where(present, total / rows.clamp(min=torch.finfo(losses.dtype).tiny), 0).float()
        raised = self.weights * torch.exp(self.step * (mean + self.bonus)) if bool(present.any()) else self.weights
        self.weights = torch.where(present, raised, self.weights)
        self.weights = self.weights / self.weights.sum()
        scale = torch.where(present, self.weights.to(losses.dtype) / rows.clamp(min=torch.finfo(losses.dtype).tiny), 0)
        return losses * scale[codes] * len(losses)


def _crossed_codes(groups: Groups, split: Split, classes: int) -> np.ndarray:
    """Return the group of each row, crossed with its class where there are classes; -1 for a row of no known group or class."""
    codes = groups.codes(split.groups)
    if not classes:
        return codes
    assert split.target is not None
    target = split.target.numpy().astype(np.int64)
    return np.where((codes >= 0) & (target >= 0), codes * classes + target, -1)

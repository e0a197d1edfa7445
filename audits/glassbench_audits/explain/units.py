"""What a person reads attributions on: the features, or positions where slots carry no names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.data import Feature, Schema

REST = "other inputs"


@dataclass(frozen=True, eq=False, kw_only=True)
class Units:
    """A partition of one row's elements into the things a person knows.

    Args:
        mask: Unit of each element, long, shaped like one row; numbered from 0 without gaps.
        features: The feature behind each unit; empty where the elements carry no names (pixels, tokens).
    """

    mask: Tensor
    features: tuple[Feature, ...] = ()

    def __len__(self) -> int:
        """Number of units."""
        return int(self.mask.max()) + 1 if self.mask.numel() else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the units; empty where they have none."""
        return tuple(feature.name for feature in self.features)

    def summed(self, attributions: Tensor) -> np.ndarray:
        """Return attributions `(n, ...)` of single elements summed per unit, float64 `(n, units)`."""
        flat = attributions.detach().double().flatten(1)
        return torch.zeros(len(flat), len(self), dtype=torch.float64).index_add(1, self.mask.flatten(), flat).numpy()

    def shared(self, attributions: Tensor) -> np.ndarray:
        """Return attributions `(n, ...)` whose elements already carry their whole unit's, float64 `(n, units)`."""
        _, first = np.unique(self.mask.flatten().numpy(), return_index=True)
        return attributions.detach().double().flatten(1).numpy()[:, first]

    def numeric(self) -> Tensor:
        """Return which elements hold a number itself, bool, shaped like one row.

        A number's first slot carries its value; further slots say something about it, such as that it is missing.
        """
        if not any(feature.slots for feature in self.features):
            return torch.ones_like(self.mask, dtype=torch.bool)
        first = [feature.slots[0] for feature in self.features if not feature.categorical]
        leading = torch.zeros(self.mask.shape[-1], dtype=torch.bool)
        leading[first] = True
        return leading.expand_as(self.mask)


def units_of(schema: Schema, shape: Sequence[int]) -> Units:
    """Return the units of a row of `shape`: one per feature of the schema, or one per element where it names none.

    A feature's slots lie along the last axis; elements of earlier axes (time) belong to the feature of their slot.
    Slots that no feature claims form one unit of their own.
    """
    claimed = [feature for feature in schema.features if feature.slots]
    if not claimed or not shape or max(slot for feature in claimed for slot in feature.slots) >= shape[-1]:
        return Units(mask=torch.arange(int(np.prod(shape, dtype=int))).reshape(tuple(shape)))
    owner = torch.full((shape[-1],), -1)
    for unit, feature in enumerate(claimed):
        owner[list(feature.slots)] = unit
    rest = tuple(int(slot) for slot in (owner == -1).nonzero().flatten())
    owner[list(rest)] = len(claimed)
    features = (*claimed, Feature(name=REST, kind="category", slots=rest)) if rest else tuple(claimed)
    return Units(mask=owner.expand(tuple(shape)).contiguous(), features=features)

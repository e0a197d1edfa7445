"""Feature groups, which attributions are summed over: the features, or positions where encoded columns carry no names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.schema import Feature, Schema

REST = "other inputs"


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureGroups:
    """A partition of one row's elements into the features that a person knows.

    Args:
        mask: Feature group of each element, long, shaped like one row; numbered from 0 without gaps.
        features: The feature behind each group; empty where the elements carry no names (pixels, tokens).
    """

    mask: Tensor
    features: tuple[Feature, ...] = ()

    def __len__(self) -> int:
        """Number of feature groups."""
        return int(self.mask.max()) + 1 if self.mask.numel() else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the feature groups; empty where they have none."""
        return tuple(feature.name for feature in self.features)

    def summed(self, attributions: Tensor) -> np.ndarray:
        """Return attributions `(n, ...)` of single elements summed per feature group, float64 `(n, groups)`."""
        flat = attributions.detach().double().flatten(1)
        return torch.zeros(len(flat), len(self), dtype=torch.float64).index_add(1, self.mask.flatten(), flat).numpy()

    def shared(self, attributions: Tensor) -> np.ndarray:
        """Return attributions `(n, ...)` whose elements already carry their whole group's, float64 `(n, groups)`."""
        _, first = np.unique(self.mask.flatten().numpy(), return_index=True)
        return attributions.detach().double().flatten(1).numpy()[:, first]

    def numeric(self) -> Tensor:
        """Return which elements hold a number itself, bool, shaped like one row.

        A number's first encoded column carries its value; further encoded columns say something about it, such as that it is
        missing.
        """
        if not any(feature.columns for feature in self.features):
            return torch.ones_like(self.mask, dtype=torch.bool)
        first = [feature.columns[0] for feature in self.features if not feature.categorical]
        leading = torch.zeros(self.mask.shape[-1], dtype=torch.bool)
        leading[first] = True
        return leading.expand_as(self.mask)


def feature_groups_of(schema: Schema, shape: Sequence[int]) -> FeatureGroups:
    """Return the feature groups of a row of `shape`: one per feature of the schema, or one per element where it names none.

    A feature's encoded columns lie along the last axis; elements of earlier axes (time) belong to the feature of their encoded
    column. Encoded columns that no feature claims form one group of their own.
    """
    claimed = [feature for feature in schema.features if feature.columns]
    if not claimed or not shape or max(column for feature in claimed for column in feature.columns) >= shape[-1]:
        return FeatureGroups(mask=torch.arange(int(np.prod(shape, dtype=int))).reshape(tuple(shape)))
    owner = torch.full((shape[-1],), -1)
    for group, feature in enumerate(claimed):
        owner[list(feature.columns)] = group
    rest = tuple(int(column) for column in (owner == -1).nonzero().flatten())
    owner[list(rest)] = len(claimed)
    features = (*claimed, Feature(name=REST, kind="category", columns=rest)) if rest else tuple(claimed)
    return FeatureGroups(mask=owner.expand(tuple(shape)).contiguous(), features=features)

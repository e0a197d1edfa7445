"""What a person reads attributions of an image on: patches, at most eight along each side."""

from itertools import pairwise

import numpy as np
import torch

from glassbench.contracts.schema import Feature, Schema
from glassbench_audits.attribution.feature_groups import FeatureGroups

PATCHES = 8


def image_feature_groups(schema: Schema, shape: tuple[int, ...]) -> FeatureGroups:
    """Return the feature groups of images `(channels, height, width)`: patches, named by rows and columns from the top left."""
    channels, height, width = shape
    down, across = patch_edges(height), patch_edges(width)
    row, column = (np.repeat(np.arange(len(edges) - 1), np.diff(edges)) for edges in (down, across))
    patch = torch.as_tensor(row[:, None] * (len(across) - 1) + column)
    names = [f"{_span('row', *rows)}, {_span('column', *columns)}" for rows in pairwise(down) for columns in pairwise(across)]
    return FeatureGroups(
        mask=patch.expand(channels, height, width).contiguous(), features=tuple(Feature(name=name) for name in names)
    )


def patch_edges(length: int) -> list[int]:
    """Return where patches along a side begin and the last ends, nearly even."""
    edges: list[int] = np.linspace(0, length, min(length, PATCHES) + 1).round().astype(int).tolist()
    return edges


def _span(name: str, start: int, stop: int) -> str:
    return f"{name} {start + 1}" if stop == start + 1 else f"{name}s {start + 1} to {stop}"

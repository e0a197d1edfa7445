"""What a person reads attributions of an image on: patches, at most eight along each side."""

from collections.abc import Sequence
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


def place_words(shape: tuple[int, ...], patches: Sequence[int]) -> str:
    """Return where patches of images `(channels, height, width)` lie on the whole: "the middle", "the upper left".

    Args:
        shape: Shape of an image.
        patches: Positions of the patches among all.

    Example:
        >>> place_words((1, 8, 8), [27, 28, 35]), place_words((1, 8, 8), [0, 1]), place_words((3, 64, 64), [60])
        ('the middle', 'the upper left', 'the lower part')
    """
    down, across = (len(patch_edges(length)) - 1 for length in shape[1:])
    row, column = np.divmod(np.asarray(patches), across)
    high, wide = (float((at + 0.5).mean() / whole) for at, whole in ((row, down), (column, across)))
    vertical, horizontal = _third(high, ("upper", "", "lower")), _third(wide, ("left", "", "right"))
    if not vertical and not horizontal:
        return "the middle"
    return f"the {' '.join(filter(None, (vertical, horizontal)))}" + ("" if vertical and horizontal else " part")


def _third(share: float, words: tuple[str, str, str]) -> str:
    return words[min(2, int(3 * share))]


def patch_edges(length: int) -> list[int]:
    """Return where patches along a side begin and the last ends, nearly even."""
    edges: list[int] = np.linspace(0, length, min(length, PATCHES) + 1).round().astype(int).tolist()
    return edges


def _span(name: str, start: int, stop: int) -> str:
    return f"{name} {start + 1}" if stop == start + 1 else f"{name}s {start + 1} to {stop}"

"""What a policy given from Python reads: rows of numbers turned back into the parts and choices of its observation space."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from glassbench.errors import DataError

_PICTURE = 3
"""Axes of an observation that is a picture."""

_KINDS = ["Box", "Discrete", "MultiDiscrete", "MultiBinary", "Dict of these"]


def check_observations(space: spaces.Space[Any]) -> None:
    """Refuse observations that are no row of numbers and no picture, and cannot be laid out as a row.

    Raises:
        DataError: They are of another kind, or a part among several is a picture.
    """
    parts = list(space.spaces.items()) if isinstance(space, spaces.Dict) else [("", space)]
    for name, part in parts:
        if not isinstance(part, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
            got = f"observations of the kind {type(part).__name__}{f' in the part {name}' if name else ''}"
            raise DataError("observations of this kind are not audited", where="env", got=got, available=_KINDS)
        if name and len(part.shape or ()) == _PICTURE:
            raise DataError(
                "a picture among several parts of an observation is not audited",
                where="env",
                got=f"the part {name} of the shape {part.shape}",
                fix="learn from the picture alone, or from numbers that stand for it",
            )


def as_read(space: spaces.Space[Any], rows: Tensor) -> Any:
    """From rows as `gymnasium.spaces.flatten` lays them out, `(n, width)`, to what a policy of the space reads.

    Pictures, and whatever has the space's shape already, stay as they are. Choices become whole numbers `(n,)` or `(n, k)`, a
    `Dict` a tensor for each part.
    """
    if isinstance(space, spaces.Dict):
        widths = [spaces.flatdim(part) for part in space.spaces.values()]
        ends = pairwise(np.cumsum([0, *widths]).tolist())
        cut = {name: rows[:, start:end] for name, (start, end) in zip(space.spaces, ends, strict=True)}
        return {name: as_read(part, cut[name]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Discrete):
        return rows.argmax(dim=1) + int(space.start)
    if isinstance(space, spaces.MultiDiscrete):
        return torch.stack([each.argmax(dim=1) for each in torch.split(rows, space.nvec.ravel().tolist(), dim=1)], dim=1)
    return rows.reshape(len(rows), *(space.shape or ()))


def smooth(space: spaces.Space[Any]) -> bool:
    """Whether gradients flow from what a policy does to what it sees: through numbers they do, through choices not."""
    if isinstance(space, spaces.Dict):
        return all(map(smooth, space.spaces.values()))
    return not isinstance(space, spaces.Discrete | spaces.MultiDiscrete)


def as_arrays(read: Any) -> Any:
    """Return what a policy reads as arrays, which it is asked with to decide."""
    return {name: part.numpy() for name, part in read.items()} if isinstance(read, dict) else read.numpy()

"""Which steps of a batch are padding, of tokens and of padded numbers."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

FEWEST = 2
"""Rows that must end in the same constant steps, and steps of each, for these to be padding."""


def real_steps(inputs: Sequence[Tensor], padding: Any) -> list[Tensor]:
    """Return which steps of each row are no padding, one or two masks for each input that has steps, bool `(rows, steps)`.

    Args:
        inputs: What the model is called with: tokens `(rows, steps)`, or numbers `(rows, steps)`, `(rows, steps, features)` or
            `(rows, features, steps)`.
        padding: The token that fills rows up, or None.
    """
    found = []
    for given in inputs:
        if not given.is_floating_point():
            found += [given != padding] if padding is not None else []
        elif given.ndim in (2, 3):
            steps = [given[:, :, None]] if given.ndim == 2 else [given, given.transpose(1, 2)]
            found += [mask for values in steps for mask in _filled_up(values)]
    return found


def _filled_up(values: Tensor) -> Iterator[Tensor]:
    """Yield which steps `(rows, steps, features)` come before those that fill rows up: equal values to the end."""
    if values.shape[1] < FEWEST:
        return
    last = values[:, -1:]
    run = (values == last).all(dim=2).flip(1).long().cumprod(dim=1).sum(dim=1)
    ended = run >= FEWEST
    if int(ended.sum()) < FEWEST:
        return
    kinds, counts = torch.unique(last[ended, 0], dim=0, return_counts=True)
    if int(counts.max()) < FEWEST:
        return
    filled = ended & (last[:, 0] == kinds[counts.argmax()]).all(dim=1)
    places = torch.arange(values.shape[1], device=values.device)[None]
    yield places < (values.shape[1] - torch.where(filled, run, 0))[:, None]

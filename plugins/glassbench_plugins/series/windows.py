"""Windows over a series: views, not copies."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How windows are cut.

    Args:
        length: Steps that a model sees.
        horizon: Steps that it forecasts.
        stride: Steps from one window to the next.
    """

    length: int
    horizon: int
    stride: int = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Windows:
    """Windows of one stretch of a series.

    Args:
        inputs: What a model sees `(n, length, channels)`.
        targets: What follows `(n, horizon, channels)`.
        origins: Position of the first forecast step of each window `(n,)`.
        left_out: Windows that would have spanned an unknown step.
    """

    inputs: Tensor
    targets: Tensor
    origins: np.ndarray
    left_out: int


def cut_windows(values: Tensor, cut: Cut, start: int, stop: int, known: np.ndarray | None = None) -> Windows:
    """Return the windows whose forecasts lie in [start, stop); what they see may reach back before `start`.

    Inputs and targets are strided views of `values`, so that a series of any length costs no more memory than itself; where
    unknown steps interrupt it, the windows that remain are copied.

    Args:
        values: The series `(steps, channels)`.
        cut: How windows are cut.
        start, stop: Where forecasts begin and end; `start` is put off to `cut.length` where there is nothing before.
        known: Steps whose values are known `(steps,)`; None for all.
    """
    start = max(start, cut.length)
    count = max(0, (stop - start - cut.horizon) // cut.stride + 1)
    if count == 0:
        empty = values.new_empty
        shapes = (0, cut.length, values.shape[1]), (0, cut.horizon, values.shape[1])
        return Windows(inputs=empty(shapes[0]), targets=empty(shapes[1]), origins=np.arange(0), left_out=0)
    inputs = values[start - cut.length : stop - cut.horizon].unfold(0, cut.length, cut.stride).transpose(1, 2)
    targets = values[start:stop].unfold(0, cut.horizon, cut.stride).transpose(1, 2)
    origins = start + cut.stride * np.arange(count)
    whole = np.ones(count, dtype=bool) if known is None else _whole(known, origins, cut)
    if whole.all():
        return Windows(inputs=inputs, targets=targets, origins=origins, left_out=0)
    kept = torch.as_tensor(np.flatnonzero(whole))
    return Windows(inputs=inputs[kept], targets=targets[kept], origins=origins[whole], left_out=int((~whole).sum()))


def _whole(known: np.ndarray, origins: np.ndarray, cut: Cut) -> np.ndarray:
    """Return which windows hold no unknown step, bool `(n,)`."""
    unknown = np.concatenate([[0], np.cumsum(~known)])
    whole: np.ndarray = unknown[origins + cut.horizon] == unknown[origins - cut.length]
    return whole

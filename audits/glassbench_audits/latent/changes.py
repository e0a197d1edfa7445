"""How the rows that a model restores change along each entry of their code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import percentile

_CHUNK = 4096


@dataclass(frozen=True, eq=False, kw_only=True)
class Changes:
    """What one standard deviation up along each entry of the code does.

    Args:
        mean, low, high: Mean change of each encoded column with interval, in the units of the inputs `(entries, columns)`.
        size: Root mean square change over encoded columns and rows `(entries,)`, with interval.
        size_low, size_high: Ends of that interval `(entries,)`.
        spread: Standard deviation of each entry of the code `(entries,)`.
        shape: Shape of one row.
        rows: How many rows stand behind it.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: np.ndarray
    size_low: np.ndarray
    size_high: np.ndarray
    spread: np.ndarray
    shape: tuple[int, ...]
    rows: int


def decoder_of(subject: Subject) -> Callable[[Tensor], Tensor] | None:
    """Return what restores rows `(n, ...)` from codes `(n, m)`, or None where the model's output is no code."""
    decode = getattr(subject.model, "decode", None)
    coded = subject.predictions.target_index is not None and subject.value_output is not None
    return cast(Callable[[Tensor], Tensor], decode) if callable(decode) and coded else None


def changes(subject: Subject, decode: Callable[[Tensor], Tensor], *, rows: int, replicates: int, level: float) -> Changes:
    """Move rows along each entry of their code, half a standard deviation either way, and see what is restored.

    Args:
        subject: A model whose output is a code.
        decode: Restores rows from codes.
        rows: The most held-out rows to move.
        replicates: Resamples of rows behind the intervals.
        level: Confidence level.
    """
    assert subject.model is not None
    assert subject.predictions.source is not None
    index = torch.as_tensor(subject.sample(rows, "latent.rows"))
    inputs = subject.predictions.source.batch(index).inputs
    generator = subject.generator("latent.resample")
    with torch.no_grad():
        codes: Tensor = subject.model(*inputs)
        spread = codes.std(dim=0, unbiased=False)
        moved = [_moved(decode, codes, entry, float(spread[entry])) for entry in range(codes.shape[1])]
    n = len(codes)
    weights = generator.multinomial(n, np.full(n, 1 / n), size=replicates) / n
    ends = [percentile(weights @ each, level) for each in moved]
    squared = np.stack([(each**2).mean(axis=1) for each in moved], axis=1)
    low, high = percentile(np.sqrt(weights @ squared), level)
    return Changes(
        mean=np.stack([each.mean(axis=0) for each in moved]),
        low=np.stack([pair[0] for pair in ends]),
        high=np.stack([pair[1] for pair in ends]),
        size=np.sqrt(squared.mean(axis=0)),
        size_low=low,
        size_high=high,
        spread=spread.double().numpy(),
        shape=tuple(inputs[0].shape[1:]),
        rows=n,
    )


def _moved(decode: Callable[[Tensor], Tensor], codes: Tensor, entry: int, step: float) -> np.ndarray:
    """Return how far each encoded column moves `(n, columns)`, float64."""
    move = torch.zeros_like(codes)
    move[:, entry] = step / 2
    parts = [
        decode(part + by) - decode(part - by)
        for part, by in zip(torch.split(codes, _CHUNK), torch.split(move, _CHUNK), strict=True)
    ]
    return torch.cat(parts).flatten(1).double().numpy()

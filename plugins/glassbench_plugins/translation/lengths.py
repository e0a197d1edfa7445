"""Minibatches of pairs of like length, cut to what they hold."""

from collections.abc import Iterator

import torch
from torch import Tensor

from glassbench.contracts.data import Batch


def by_length(chunk: Batch, size: int, padding: int) -> Iterator[Batch]:
    """Yield a chunk's pairs, `size` at a time, those of like length together and without the padding all of them share.

    A network otherwise spends most of its time on padding. The chunk comes in random order; its minibatches follow the order
    in which their first rows stand there, so that short and long ones mix, without a random number of their own.

    Args:
        chunk: Inputs `(source, emitted)`, each long `(n, ...)`, with the answers as target `(n, t)`.
        size: Rows per minibatch.
        padding: The token that fills up what is shorter.
    """
    read, written = held(chunk.inputs[0], padding), held(chunk.target, padding)
    order = torch.argsort(written * (int(read.max()) + 1) + read, stable=True)
    groups = torch.split(order, size)
    for group in sorted(groups, key=lambda rows: int(rows.min())):
        yield _trimmed(chunk, group, int(read[group].max()), int(written[group].max()))


def held(tokens: Tensor, padding: float) -> Tensor:
    """Return how many places of each row `(n, l)` come up to its last token that is no padding, at least 1, `(n,)`."""
    place = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    return (place * (tokens != padding)).amax(dim=1).clamp(min=1)


def _trimmed(chunk: Batch, rows: Tensor, read: int, written: int) -> Batch:
    source, emitted = chunk.inputs
    inputs = (source[rows, :read], emitted[rows, :written])
    weight = None if chunk.weight is None else chunk.weight[rows]
    return Batch(inputs, chunk.target[rows, :written], chunk.positions[rows], weight)

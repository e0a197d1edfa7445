"""Minibatches of utterances of like length, without the silence that follows all of them."""

from collections.abc import Iterator

import torch
from torch import Tensor

from glassbench.contracts.data import Batch
from glassbench_plugins.translation.lengths import held

SILENCE = 0.0
_TOGETHER = 8
"""Minibatches whose rows are sorted together; fewer leave more silence in, more give every epoch the same minibatches."""


def by_length(chunk: Batch, size: int, lead: int) -> Iterator[Batch]:
    """Yield a chunk's utterances, `size` at a time, those of like length together.

    A network otherwise spends most of its time on the silence that brings clips to one length. The chunk comes in random order;
    a few minibatches at a time are sorted, so that they hold other rows in each epoch, and follow the order in which their first
    rows stand in the chunk.

    Args:
        chunk: Clips `(n, samples)` with transcripts `(n, t)`.
        size: Rows per minibatch.
        lead: Samples of silence that stay behind the longest utterance of a minibatch.
    """
    lengths = held(chunk.inputs[0], SILENCE)
    for near in torch.split(torch.arange(len(lengths)), _TOGETHER * size):
        groups = torch.split(near[torch.argsort(lengths[near], stable=True)], size)
        for group in sorted(groups, key=lambda rows: int(rows.min())):
            yield _trimmed(chunk, group, int(lengths[group].max()) + lead)


def _trimmed(chunk: Batch, rows: Tensor, samples: int) -> Batch:
    inputs = (chunk.inputs[0][rows, :samples], *(further[rows] for further in chunk.inputs[1:]))
    weight = None if chunk.weight is None else chunk.weight[rows]
    return Batch(inputs, chunk.target[rows], chunk.positions[rows], weight)

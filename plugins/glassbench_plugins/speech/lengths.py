"""Minibatches of utterances of like length, without the silence that follows all of them."""

from collections.abc import Iterator

import torch

from glassbench.contracts.data import Batch
from glassbench_plugins.translation.lengths import held

SILENCE = 0.0


def by_length(chunk: Batch, size: int, lead: int) -> Iterator[Batch]:
    """Yield a chunk's utterances, `size` at a time, those of like length together.

    A network otherwise spends most of its time on the silence that brings clips to one length. Minibatches follow the order in
    which their first rows stand in the chunk, so that short and long ones mix, without a random number of their own.

    Args:
        chunk: Clips `(n, samples)` with transcripts `(n, t)`.
        size: Rows per minibatch.
        lead: Samples of silence that stay behind the longest utterance of a minibatch.
    """
    lengths = held(chunk.inputs[0], SILENCE)
    groups = torch.split(torch.argsort(lengths, stable=True), size)
    for group in sorted(groups, key=lambda rows: int(rows.min())):
        samples = int(lengths[group].max()) + lead
        inputs = (chunk.inputs[0][group, :samples], *(further[group] for further in chunk.inputs[1:]))
        weight = None if chunk.weight is None else chunk.weight[group]
        yield Batch(inputs, chunk.target[group], chunk.positions[group], weight)

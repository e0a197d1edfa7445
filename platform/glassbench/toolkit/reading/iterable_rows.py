"""Training rows from any iterable, such as a queue, a cursor of a database or a generator."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.learner import epoch_seed


class IterableRows:
    """Rows that an iterable gives block by block, gathered into parts; how many there are need not be known.

    A stopped training asks for the parts it has not seen, and the blocks before them are made and passed over: an iterable that
    gives the same blocks for the same seed makes it go on as if it had never been stopped.

    Args:
        blocks: From the seed of an epoch to its blocks, each with inputs and truths in memory.
        buffer: Rows of a part at least, but for the last: a network sees them in random order.
        rows: Rows of an epoch; None where that is not known.
        parts: Parts of an epoch; None where that is not known.
        version: A text that changes with what is read.

    Example:
        >>> import torch
        >>> def blocks(seed):
        ...     drawn = torch.Generator().manual_seed(seed)
        ...     for _ in range(3):
        ...         x = torch.randn(40, 2, generator=drawn)
        ...         yield Split(inputs=(x,), target=(x[:, 0] > 0).long(), rows=np.arange(40))
        >>> rows = IterableRows(blocks, buffer=60, version="made rows, 1")
        >>> [len(rows.part(0, 0, number)) for number in range(2)], rows.part(0, 0, 2)
        ([80, 40], None)
    """

    def __init__(
        self,
        blocks: Callable[[int], Iterable[Split]],
        *,
        buffer: int,
        version: str,
        rows: int | None = None,
        parts: int | None = None,
    ) -> None:
        self.rows, self.parts = rows, parts
        self._blocks, self._buffer, self._version = blocks, buffer, version
        self._place = (-1, -1, 0)
        self._left: Iterator[Split] = iter(())

    def part(self, seed: int, epoch: int, number: int) -> Split | None:
        """Return part `number` of an epoch; None behind the last."""
        if self._place != (seed, epoch, number):
            self._left = self._gathered(epoch_seed(seed, epoch))
            self._left = islice(self._left, number, None)
        self._place = (seed, epoch, number + 1)
        return next(self._left, None)

    def fingerprint(self) -> str:
        """Return the version that was given."""
        return self._version

    def _gathered(self, seed: int) -> Iterator[Split]:
        held: list[Split] = []
        for block in self._blocks(seed):
            held.append(block)
            if sum(map(len, held)) >= self._buffer:
                yield _joined(held)
                held = []
        if held:
            yield _joined(held)


def _joined(blocks: list[Split]) -> Split:
    """Return blocks as one, inputs in memory."""
    whole = [block.batch(slice(None)) for block in blocks]
    return Split(
        inputs=tuple(torch.cat(parts) for parts in zip(*(one.inputs for one in whole), strict=True)),
        target=torch.cat([one.target for one in whole]),
        rows=np.concatenate([block.rows for block in blocks]),
    )

"""The loaders that bring a split's rows to a learner."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from glassbench.contracts.data import Batch, Split
from glassbench.contracts.learner import epoch_seed

_CHUNK_ROWS = 16_384
_CHUNK_NUMBERS = 2**22
_HELD_OUT_ROWS = 4_096
_HELD_OUT_NUMBERS = 2**17
_TOKEN_NUMBERS = 16
"""What a whole number counts for: as a token it becomes a vector, and perhaps a score for each token there is."""


class TrainingRows:
    """The training rows in a new order each epoch, in chunks that hold whole optimizer steps.

    The order depends on the seed and the epoch alone. With several processes each takes its share of the rows, and as
    many steps as the others. A last minibatch of a single row is left out for that epoch: batch normalisation has
    nothing to normalise there, and another epoch's order brings the row back.

    Args:
        split: The rows.
        batch_size: Rows per forward pass and process.
        accumulate: Forward passes per optimizer step.
        seed: Seed of the order.
        workers: Processes that read rows from disk; 0 reads them here. Unused for rows in memory.
    """

    def __init__(self, split: Split, *, batch_size: int, seed: int, accumulate: int = 1, workers: int = 0) -> None:
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.workers = workers
        self.epoch = 0
        step = batch_size * accumulate
        self.chunk = step * max(1, _chunk_rows(split) // step)

    @property
    def sampler(self) -> "TrainingRows":
        """What Lightning tells the epoch to."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Number of chunks in an epoch."""
        return math.ceil(rows_per_process(len(self.split), self.batch_size, _world()) / self.chunk)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the epoch's chunks; nothing is read before the first is asked for, so `set_epoch` may come late."""
        chunks = torch.split(self.order(), self.chunk)
        yield from _read(self.split, chunks, workers=self.workers, seed=epoch_seed(self.seed, self.epoch, _rank()))

    def order(self) -> Tensor:
        """Return this process's row positions for the epoch, `(rows,)`."""
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, self.epoch))
        order = torch.randperm(len(self.split), generator=generator)
        return order[_rank() :: _world()][: rows_per_process(len(order), self.batch_size, _world())]


class HeldOutRows:
    """The validation rows in order, as many at a time as a forward pass takes well; every process sees all of them.

    Args:
        split: The rows.
        batch_size: Rows per forward pass at least.
        workers: Processes that read rows from disk.
    """

    def __init__(self, split: Split, *, batch_size: int, workers: int = 0) -> None:
        self.split = split
        self.workers = workers
        self.size = max(batch_size, min(_HELD_OUT_ROWS, _HELD_OUT_NUMBERS // _numbers(split)))
        if not isinstance(split.inputs, tuple):
            self.size = batch_size

    def __len__(self) -> int:
        """Number of batches."""
        return math.ceil(len(self.split) / self.size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches."""
        yield from _read(self.split, torch.split(torch.arange(len(self.split)), self.size), workers=self.workers, seed=0)


class _Blocks(Dataset[Batch]):
    """Blocks of rows, each read as a whole by a worker."""

    def __init__(self, split: Split, blocks: tuple[Tensor, ...]) -> None:
        # Workers get copies: spare them what a model never sees.
        self.split = replace(split, groups=None, raw=None)
        self.blocks = blocks

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, position: int) -> Batch:
        return self.split.batch(self.blocks[position])


def rows_per_process(rows: int, batch_size: int, world: int = 1) -> int:
    """Return how many training rows each of `world` processes takes per epoch."""
    share = rows // world
    return share - 1 if share % batch_size == 1 and share > batch_size else share


def steps_per_epoch(rows: int, batch_size: int, accumulate: int = 1, world: int = 1) -> int:
    """Return how many optimizer steps an epoch takes."""
    return math.ceil(rows_per_process(rows, batch_size, world) / (batch_size * accumulate))


def _read(split: Split, blocks: tuple[Tensor, ...], *, workers: int, seed: int) -> Iterator[Batch]:
    if isinstance(split.inputs, tuple):
        return map(split.batch, blocks)
    # Fresh workers each epoch: their random state then depends on the epoch alone, as a resumed training needs it.
    generator = torch.Generator().manual_seed(seed)
    pinned = torch.cuda.is_available()
    loader = DataLoader(_Blocks(split, blocks), batch_size=None, num_workers=workers, generator=generator, pin_memory=pinned)
    return iter(loader)


def _chunk_rows(split: Split) -> int:
    """Return how many rows to hold at once: many in memory, one step's from disk."""
    if not isinstance(split.inputs, tuple):
        return 1
    return max(1, min(_CHUNK_ROWS, _CHUNK_NUMBERS // _numbers(split)))


def _numbers(split: Split) -> int:
    """Return how many numbers one row's inputs hold."""
    if not isinstance(split.inputs, tuple):
        return 1
    return max(1, sum(tensor[0].numel() * (1 if tensor.is_floating_point() else _TOKEN_NUMBERS) for tensor in split.inputs))


def _world() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _rank() -> int:
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0

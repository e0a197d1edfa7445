"""Rows of any iterable in parts."""

from collections.abc import Iterator

import numpy as np
import torch

from glassbench.contracts.data import Split, Streamed
from glassbench.toolkit.reading.iterable_rows import IterableRows


def blocks(seed: int) -> Iterator[Split]:
    drawn = torch.Generator().manual_seed(seed)
    for size in (30, 50, 10, 45, 5):
        x = torch.randn(size, 3, generator=drawn)
        yield Split(inputs=(x,), target=(x.sum(dim=1) > 0).long(), rows=np.arange(size))


def values(part: Split | None) -> torch.Tensor:
    assert part is not None
    assert isinstance(part.inputs, tuple)
    return part.inputs[0]


def test_parts_hold_whole_blocks_until_the_end() -> None:
    rows = IterableRows(blocks, buffer=60, version="1")
    assert isinstance(rows, Streamed)
    assert [len(values(rows.part(0, 0, number))) for number in range(2)] == [80, 60]
    assert rows.part(0, 0, 2) is None
    assert rows.part(0, 0, 3) is None


def test_a_part_that_is_asked_for_out_of_turn_is_the_same() -> None:
    inorder, late = (IterableRows(blocks, buffer=60, version="1") for _ in range(2))
    first, second = (values(inorder.part(5, 1, number)) for number in range(2))
    assert torch.equal(values(late.part(5, 1, 1)), second)
    assert torch.equal(values(late.part(5, 1, 0)), first)
    assert not torch.equal(values(late.part(5, 2, 0)), first)

"""The loaders: every row once per epoch, in an order that the seed and the epoch fix."""

import numpy as np
import pytest
import torch
import torch.distributed
from tiny_training import tiny_split
from torch import Tensor

from glassbench.contracts.data import Batch, Split
from glassbench_plugins.training import batches
from glassbench_plugins.training.batches import HeldOutRows, TrainingRows, rows_per_process, steps_per_epoch


class OnDisk:
    """Rows that are made when asked for."""

    def __len__(self) -> int:
        return 50

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return torch.full((3,), float(index)), torch.rand(1)


def indices(rows: TrainingRows | HeldOutRows) -> list[int]:
    return torch.cat([chunk.positions for chunk in rows]).tolist()


def test_an_epoch_has_every_row_once_in_chunks_of_whole_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_CHUNK_ROWS", 100)
    rows = TrainingRows(tiny_split(300, 0), batch_size=16, accumulate=2, seed=1)
    chunks = list(rows)
    assert sorted(indices(rows)) == list(range(300))
    assert [len(chunk.positions) for chunk in chunks] == [96, 96, 96, 12]
    assert len(rows) == 4
    assert torch.equal(chunks[0].inputs[0], rows.split.inputs[0][chunks[0].positions])


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    first, again = (TrainingRows(tiny_split(99, 0), batch_size=8, seed=1) for _ in range(2))
    again.set_epoch(1)
    later = indices(again)
    torch.manual_seed(7)
    assert indices(first) != later
    first.sampler.set_epoch(1)
    assert indices(first) == later


def test_the_epoch_may_be_set_after_the_iterator_is_made() -> None:
    rows = TrainingRows(tiny_split(99, 0), batch_size=8, seed=1)
    iterator = iter(rows)
    rows.set_epoch(5)
    assert torch.equal(next(iterator).positions, rows.order())


def test_a_lone_last_row_is_left_out_and_comes_back() -> None:
    rows = TrainingRows(tiny_split(65, 0), batch_size=32, seed=1)
    seen = []
    for epoch in range(4):
        rows.set_epoch(epoch)
        seen.append(set(indices(rows)))
    assert [len(each) for each in seen] == [64] * 4
    assert set().union(*seen) == set(range(65))
    assert steps_per_epoch(65, 32) == 2
    assert rows_per_process(1, 32) == 1


def test_processes_share_the_rows_and_take_equally_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = TrainingRows(tiny_split(103, 0), batch_size=10, seed=1)
    monkeypatch.setattr(batches, "_world", lambda: 3)
    shares = []
    for rank in range(3):
        monkeypatch.setattr(batches, "_rank", lambda rank=rank: rank)
        shares.append(indices(rows))
    assert [len(share) for share in shares] == [34, 34, 34]
    assert len(set().union(*shares)) == 102
    assert steps_per_epoch(103, 10, world=3) == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_on_disk_come_in_the_same_order_whoever_reads_them(workers: int) -> None:
    split = Split(OnDisk(), np.arange(50), torch.arange(50))
    rows = TrainingRows(split, batch_size=8, seed=1, workers=workers)
    rows.set_epoch(2)
    chunks: list[Batch] = list(rows)
    assert [len(chunk.positions) for chunk in chunks] == [8] * 6 + [2]
    assert torch.cat([chunk.positions for chunk in chunks]).equal(rows.order())
    assert all(chunk.inputs[0][:, 0].long().equal(chunk.target) for chunk in chunks)


def test_workers_draw_the_same_random_numbers_in_the_same_epoch() -> None:
    split = Split(OnDisk(), np.arange(50), torch.arange(50))
    drawn = [torch.cat([chunk.inputs[1] for chunk in TrainingRows(split, batch_size=8, seed=1, workers=2)])]
    torch.manual_seed(99)
    drawn.append(torch.cat([chunk.inputs[1] for chunk in TrainingRows(split, batch_size=8, seed=1, workers=2)]))
    assert drawn[0].equal(drawn[1])


def test_held_out_rows_come_in_order() -> None:
    rows = HeldOutRows(tiny_split(5000, 0), batch_size=8)
    assert indices(rows) == list(range(5000))
    assert len(rows) == len(list(rows)) == 2

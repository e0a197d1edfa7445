"""Rows that are read part by part are learnt from as rows in memory are, and a stopped training goes on at its part."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.tree import DecisionTreeClassifier
from tiny_training import TinyTask, tiny_data, tiny_net, tiny_split

from glassbench.contracts.data import Data, Split, Streamed
from glassbench.contracts.trainer import Fitted, Workspace
from glassbench.errors import DataError
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.training.streaming import StreamedRows


class Blocks:
    """Blocks of rows in a new order each epoch; `stop_at` ends the process's patience at the n-th reading."""

    def __init__(self, sizes: tuple[int, ...], *, known: bool = True, promised: int | None = None, stop_at: int = -1) -> None:
        self.sizes, self.known, self.promised, self.left = sizes, known, promised, stop_at
        self.asked: list[tuple[int, int]] = []

    @property
    def rows(self) -> int | None:
        return (self.promised or sum(self.sizes)) if self.known else None

    @property
    def parts(self) -> int | None:
        return len(self.sizes) if self.known else None

    def part(self, seed: int, epoch: int, number: int) -> Split | None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        self.asked.append((epoch, number))
        order = np.random.default_rng([seed, epoch]).permutation(len(self.sizes))
        return tiny_split(self.sizes[order[number]], 10 + int(order[number])) if number < len(self.sizes) else None

    def fingerprint(self) -> str:
        return str(self.sizes)


def streamed(stream: Blocks) -> Data:
    return replace(tiny_data(), stream=stream)


def fit(folder: Path, data: Data, lines: list[dict[str, Any]] | None = None, **settings: Any) -> Fitted:
    workspace = Workspace(seed=3, folder=folder, record=(lines if lines is not None else []).append)
    given = {"max_epochs": 2, "batch_size": 32, "accelerator": "cpu", "checkpoint_every": 0.0, "early_stopping": None}
    return LightningTrainer(**given | settings).fit(tiny_net(), TinyTask(), data, workspace)


def weights(fitted: Fitted) -> list[torch.Tensor]:
    return list(fitted.model.state_dict().values())


def test_all_rows_of_all_epochs_are_gone_through(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    fitted = fit(tmp_path, streamed(Blocks((100, 70, 130))), lines)
    assert [line["part"] for line in lines] == list(range(6))
    assert (fitted.facts["epochs"], fitted.facts["rows"], fitted.facts["stopped"]) == (
        2,
        300,
        "it reached the 2 epochs of max_epochs",
    )
    assert fitted.facts["steps"] == 2 * (4 + 3 + 5)
    assert lines[-1]["validation_accuracy"] > 0.5


def test_one_part_is_learnt_from_as_rows_in_memory_are(tmp_path: Path) -> None:
    """With one part in an epoch, only the order of rows differs, which depends on the seed alone."""

    class Whole(Blocks):
        def part(self, seed: int, epoch: int, number: int) -> Split | None:
            return tiny_split(300, 0) if number == 0 else None

    memory = fit(tmp_path / "memory", tiny_data(), max_epochs=30)
    stream = fit(tmp_path / "stream", streamed(Whole((300,))), max_epochs=30)
    assert memory.facts["steps"] == stream.facts["steps"]
    held_out = tiny_split(2000, 5)
    right = [float((one.model(*held_out.inputs).argmax(1) == held_out.target).float().mean()) for one in (memory, stream)]
    assert min(right) > 0.9
    assert abs(right[0] - right[1]) < 0.04


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("stop_at", [3, 4, 6])
def test_a_stopped_training_goes_on_at_its_part(tmp_path: Path, known: bool, stop_at: int) -> None:
    settings = {} if known else {"max_steps": 1000}
    lines: list[dict[str, Any]] = []
    whole = fit(tmp_path / "whole", streamed(Blocks((100, 70, 130), known=known)), lines, **settings)
    twice: list[dict[str, Any]] = []
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "twice", streamed(Blocks((100, 70, 130), known=known, stop_at=stop_at)), twice, **settings)
    blocks = Blocks((100, 70, 130), known=known)
    resumed = fit(tmp_path / "twice", streamed(blocks), twice, **settings)
    assert blocks.asked[0] != (0, 0), "the first part is not read again"
    assert {line["step"]: line for line in twice} == {line["step"]: line for line in lines}
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


def test_rows_without_a_known_end_need_a_number_of_steps(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="their end only") as error:
        fit(tmp_path, streamed(Blocks((50, 50), known=False)))
    assert error.value.fix == "set trainer.max_steps"


def test_a_stream_that_ends_early_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not as many as were promised") as error:
        fit(tmp_path, streamed(Blocks((50, 50), promised=120)))
    assert error.value.got == "100 rows in epoch 0, 120 promised"


def test_an_empty_stream_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ended before the first"):
        fit(tmp_path, streamed(Blocks((), promised=1)))


def test_no_step_is_taken_beyond_the_most(tmp_path: Path) -> None:
    assert fit(tmp_path, streamed(Blocks((100, 100))), max_steps=5).facts["steps"] == 5


def test_an_estimator_refuses_rows_that_it_would_not_see(tmp_path: Path) -> None:
    workspace = Workspace(seed=3, folder=tmp_path, record=lambda line: None)
    with pytest.raises(DataError, match="all rows at once"):
        EstimatorTrainer().fit(DecisionTreeClassifier(), TinyTask(), streamed(Blocks((50, 50))), workspace)


def test_parts_are_read_ahead_and_only_once() -> None:
    blocks = Blocks((64, 64))
    rows = StreamedRows(blocks, batch_size=32, accumulate=1, seed=0, epochs=1)
    assert isinstance(blocks, Streamed)
    seen: list[torch.Tensor] = []
    while not rows.ended:
        seen += [batch.inputs[0] for batch in _all(rows)]
        rows.advance()
    rows.close()
    assert blocks.asked == [(0, 0), (0, 1), (0, 2)]
    assert torch.equal(
        torch.cat(seen).sort(dim=0).values, torch.cat([tiny_split(64, 10 + k).inputs[0] for k in (0, 1)]).sort(dim=0).values
    )


def _all(rows: StreamedRows) -> Iterator[Any]:
    yield from rows

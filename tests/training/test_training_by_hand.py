"""What trainers count by hand: weights of rows, steps, patience, the best epoch, when a state is saved, how a training ended."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.callbacks import EarlyStopping
from tiny_training import TinyTask, tiny_data, tiny_net, tiny_split
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.trainer import Workspace
from glassbench.errors import DataError
from glassbench_plugins.training import callbacks
from glassbench_plugins.training.batches import HeldOutRows, TrainingRows
from glassbench_plugins.training.callbacks import KeepBest, ResumePoint, epoch_line, shortest
from glassbench_plugins.training.estimator import EstimatorTrainer, _held_out
from glassbench_plugins.training.lightning import LightningTrainer, _trained
from glassbench_plugins.training.reproducible import reproducible
from glassbench_plugins.training.streaming import StreamedRows, StreamPlace, most_steps


class Recording:
    """An estimator that keeps what it was fitted to."""

    def __init__(self, iterations: Any = None) -> None:
        self.iterations = iterations

    def fit(self, rows: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        self.given = rows, target, sample_weight
        if self.iterations is not None:
            self.n_iter_ = self.iterations

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.zeros(len(rows), dtype=int)


def fitted(model: Any, data: Data, tmp_path: Path) -> Any:
    return EstimatorTrainer().fit(model, TinyTask(), data, Workspace(seed=0, folder=tmp_path, record=lambda line: None))


def weighted(weights: list[float]) -> Data:
    train = Split((torch.zeros(len(weights), 4),), np.arange(len(weights)), torch.zeros(len(weights)), weights=np.array(weights))
    return Data(schema=tiny_data().schema, train=train, test=train)


def test_an_estimator_gets_weights_with_a_mean_of_one_in_whatever_unit_they_were(tmp_path: Path) -> None:
    for unit in (1.0, 0.01, 500.0):
        model = Recording()
        facts = fitted(model, weighted([unit, 2 * unit, 3 * unit]), tmp_path).facts
        assert model.given[2] == pytest.approx([0.5, 1.0, 1.5])
        assert facts["weights"] == "the fit weighed each row"


@pytest.mark.parametrize(("iterations", "said"), [(None, None), (7, 7), (np.array([3, 9, 4]), 9)])
def test_iterations_are_those_of_the_longest_fit(iterations: Any, said: int | None, tmp_path: Path) -> None:
    assert fitted(Recording(iterations), weighted([1.0, 1.0]), tmp_path).facts["iterations"] == said


def test_rows_held_out_to_stop_early_are_those_whose_truth_is_known_with_their_own_weights() -> None:
    rows = torch.arange(4.0)[:, None]
    weights = np.array([9.0, 1.0, 7.0, 3.0])
    found = _held_out(Split((rows,), np.arange(4), torch.tensor([-1, 0, -1, 1]), weights=weights))
    assert found is not None
    assert (found.rows[:, 0].tolist(), found.target.tolist()) == ([1.0, 3.0], [0, 1])
    assert found.weights is not None
    assert found.weights.tolist() == [0.5, 1.5]
    values = _held_out(Split((rows,), np.arange(4), torch.tensor([float("nan"), -2.0, 5.0, float("nan")])))
    assert values is not None
    assert (values.rows[:, 0].tolist(), values.target.tolist(), values.weights) == ([1.0, 2.0], [-2.0, 5.0], None)
    assert _held_out(Split((rows,), np.arange(4), torch.full((4,), -1))) is None


def test_rows_are_held_at_once_by_how_many_numbers_they_are() -> None:
    floats = Split((torch.zeros(5, 1024),), np.arange(5))
    tokens = Split((torch.zeros(5, 1024, dtype=torch.long),), np.arange(5))
    both = Split((torch.zeros(5, 512), torch.zeros(5, 32, dtype=torch.long)), np.arange(5))
    # 2^22 numbers of training rows and 2^17 of held-out ones; a whole number counts as sixteen.
    assert [TrainingRows(split, batch_size=8, seed=0).chunk for split in (floats, tokens, both)] == [4096, 256, 4096]
    assert [HeldOutRows(split, batch_size=8).size for split in (floats, tokens, both)] == [128, 8, 128]
    assert TrainingRows(floats, batch_size=100, accumulate=3, seed=0).chunk == 3900


class Judged:
    """What a callback sees of Lightning's trainer: losses, one after the other."""

    def __init__(self) -> None:
        self.current_epoch, self.global_step, self.optimizers, self.callback_metrics = 0, 0, [], {}
        self.strategy = SimpleNamespace(lightning_module_state_dict=self._weights, broadcast=lambda due: due)
        self.saved: list[int] = []

    def _weights(self) -> dict[str, Tensor]:
        return {"w": self.weight}

    def at(self, epoch: int, loss: float | None) -> Any:
        self.current_epoch, self.weight = epoch, torch.tensor(float(epoch))
        self.callback_metrics = {} if loss is None else {"validation_loss": torch.tensor(loss)}
        return self

    def save_checkpoint(self, path: Path, weights_only: bool) -> None:
        self.saved.append(self.current_epoch)


def test_of_equally_good_epochs_the_earliest_is_kept_and_the_weights_before_training_are_one() -> None:
    seen, keep, module = Judged(), KeepBest(), None
    for epoch, loss in enumerate([0.5, 0.25, 0.25, 0.3]):
        keep.on_train_epoch_end(seen.at(epoch, loss), module)  # type: ignore[arg-type]
    assert (keep.epoch, keep.loss, keep.weights["w"].item()) == (1, 0.25, 1.0)
    again = KeepBest()
    again.load_state_dict(keep.state_dict())
    again.on_train_epoch_end(seen.at(4, 0.25), module)  # type: ignore[arg-type]
    assert again.epoch == 1
    first = KeepBest()
    first.on_sanity_check_end(seen.at(0, 0.2), module)  # type: ignore[arg-type]
    first.on_train_epoch_end(seen.at(0, 0.2), module)  # type: ignore[arg-type]
    assert (first.epoch, first.loss) == (-1, pytest.approx(0.2))
    none = KeepBest()
    none.on_train_epoch_end(seen.at(0, None), module)  # type: ignore[arg-type]
    assert none.weights == {}


def test_a_state_is_saved_once_so_many_seconds_have_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: clock.now)
    seen, point = Judged(), ResumePoint(tmp_path / "last", every=10.0)
    for epoch, now in enumerate([105.0, 110.0, 115.0, 119.9, 120.0, 131.0]):
        clock.now = now
        point.on_train_epoch_end(seen.at(epoch, 0.1), None)  # type: ignore[arg-type]
    assert seen.saved == [1, 4, 5]


def test_an_epochs_line_holds_its_numbers_with_the_digits_that_they_have() -> None:
    seen = Judged().at(3, 0.78)
    seen.global_step, seen.optimizers = 40, [SimpleNamespace(param_groups=[{"lr": 0.5}, {"lr": 9.0}])]
    assert epoch_line(seen) == {"epoch": 3, "step": 40, "learning_rate": 0.5, "validation_loss": 0.78}
    assert shortest(torch.tensor(0.1, dtype=torch.float64)) == 0.1


def test_a_training_for_so_many_epochs_is_not_cut_off_by_steps() -> None:
    trainer = LightningTrainer(max_epochs=3, max_steps=7).with_epochs(20)
    assert isinstance(trainer, LightningTrainer)
    assert (trainer.max_epochs, trainer.max_steps) == (20, None)


@pytest.mark.parametrize(
    ("settings", "world", "steps"),
    [
        ({"max_epochs": 3, "batch_size": 10}, 1, 3 * 4),
        ({"max_epochs": 3, "batch_size": 10, "max_steps": 7}, 1, 7),
        ({"max_epochs": 3, "batch_size": 10, "max_steps": 90}, 1, 12),
        ({"max_epochs": 3, "batch_size": 10, "accumulate": 3}, 1, 3 * 2),
        ({"max_epochs": 3, "batch_size": 10}, 2, 3 * 2),
        ({"max_epochs": 3, "batch_size": 17}, 1, 3 * 2),  # of 35 rows a last one alone is left out
    ],
)
def test_a_schedule_runs_over_the_steps_that_are_taken(settings: dict[str, Any], world: int, steps: int) -> None:
    data = Data(schema=tiny_data().schema, train=tiny_split(35, 0), test=tiny_split(5, 1))
    assert LightningTrainer(**settings)._total_steps(data, world) == steps


def test_patience_is_counted_in_epochs_whatever_they_are_cut_into() -> None:
    trainer = LightningTrainer(early_stopping=4)
    found = [trainer._early_stopping(parts) for parts in (1, 5)]
    assert [one.patience for one in found if one is not None] == [4, 20]
    assert LightningTrainer(early_stopping=None)._early_stopping(3) is None


@pytest.mark.parametrize(
    ("waited", "steps", "epochs", "ended"),
    [
        (4, 3, 2, "did not improve for 4 epochs"),
        (3, 9, 2, "reached the 9 steps"),
        (3, 8, 5, "reached the 5 epochs"),
        (3, 8, 4, "a callback ended it"),
    ],
)
def test_why_a_training_ended_is_what_came_to_its_end(waited: int, steps: int, epochs: int, ended: str) -> None:
    stopping = EarlyStopping("validation_loss", patience=4)
    stopping.wait_count = waited
    progress = SimpleNamespace(current=SimpleNamespace(state_dict=lambda: {"processed": epochs}))
    seen = SimpleNamespace(callbacks=[stopping], global_step=steps, fit_loop=SimpleNamespace(epoch_progress=progress))
    trainer = LightningTrainer(early_stopping=4, max_steps=9, max_epochs=5)
    assert ended in trainer._stopped(seen)  # type: ignore[arg-type]


def test_frozen_parameters_do_not_count_as_trained() -> None:
    network = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    assert _trained(network) == {}  # type: ignore[arg-type]
    network[0].requires_grad_(False)
    assert _trained(network) == {"trained_parameters": 8}  # type: ignore[arg-type]


class Parts:
    """A stream of parts of unequal size that says how many rows it has."""

    def __init__(self, *sizes: int, rows: int | None) -> None:
        self.sizes, self.rows, self.parts = sizes, rows, None if rows is None else len(sizes)
        self.asked: list[tuple[int, int]] = []

    def part(self, seed: int, epoch: int, number: int) -> Split | None:
        self.asked.append((epoch, number))
        return tiny_split(self.sizes[number], number) if number < len(self.sizes) else None


def test_the_most_steps_allow_for_a_smaller_one_at_the_end_of_each_part() -> None:
    stream = Parts(10, 10, 5, rows=25)
    assert most_steps(stream, 4, 2, None) == 2 * (7 + 3)
    assert most_steps(stream, 4, 2, 6) == 6
    assert most_steps(stream, 4, 2, 90) == 20
    assert most_steps(Parts(5, rows=None), 4, 2, 6) == 6
    with pytest.raises(DataError, match="shows at their end only"):
        most_steps(Parts(5, rows=None), 4, 2, None)


def test_parts_come_in_turn_in_an_order_of_each_epochs_own_and_their_rows_are_counted_by_epoch() -> None:
    rows = StreamedRows(Parts(12, 7, rows=19), batch_size=4, accumulate=1, seed=5, epochs=2)
    orders, places = [], []
    while not rows.ended:
        places.append((rows.epoch, rows.number))
        orders.append(torch.cat([batch.positions for batch in rows]).tolist())
        assert rows.read == (12, 19)[rows.number]
        rows.advance()
    rows.close()
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [sorted(order) for order in orders] == [[*range(12)], [*range(7)]] * 2
    assert orders[0] != orders[2]
    assert orders[1] != orders[3]
    assert StreamPlace(rows).facts(3) == {"epochs": 2, "best_epoch": None, "best_part": 3, "rows": 19, "parts": 2}


def test_a_fit_leaves_threads_as_it_found_them() -> None:
    before = torch.get_num_threads()
    with reproducible(0, threads=before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    assert tiny_net()[0].weight.equal(tiny_net()[0].weight)

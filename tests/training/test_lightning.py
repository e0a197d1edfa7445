"""The Lightning trainer descends as a plain loop does, stops when it should, and keeps what it should."""

import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import TinyTask, tiny_data, tiny_net, tiny_split
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data
from glassbench.contracts.task import forward_all
from glassbench.contracts.trainer import Fitted, Workspace
from glassbench_plugins.training import batches
from glassbench_plugins.training.batches import TrainingRows
from glassbench_plugins.training.lightning import LightningTrainer

History = list[dict[str, float]]


def fit(
    folder: Path, data: Data, task: TinyTask | None = None, model: nn.Module | None = None, **settings: object
) -> tuple[Fitted, History]:
    history: History = []
    workspace = Workspace(seed=3, folder=folder / "checkpoints", record=history.append)
    trainer = LightningTrainer(**{"max_epochs": 4, "batch_size": 32, "accelerator": "cpu"} | settings)
    return trainer.fit(model or tiny_net(), task or TinyTask(), data, workspace), history


def smooth_net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def plain_loop(data: Data, epochs: int, size: int, clip: float = math.inf, mixed: bool = False) -> nn.Module:
    net = smooth_net()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    rows = TrainingRows(data.train, batch_size=size, seed=3)
    for epoch in range(epochs):
        rows.set_epoch(epoch)
        for index in rows.order().split(size):
            optimizer.zero_grad()
            batch = data.train.batch(index)
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                loss = nn.functional.cross_entropy(net(*batch.inputs), batch.target)
            loss.backward()
            if clip < math.inf:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
    return net


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("clip", [None, 0.05])
def test_weights_equal_a_plain_loop_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: float | None) -> None:
    monkeypatch.setattr(batches, "_CHUNK_ROWS", 100)  # several chunks an epoch
    data = tiny_data(validation=0)
    fitted, _ = fit(tmp_path, data, model=smooth_net(), gradient_clip=clip)
    assert torch.equal(weights(fitted.model), weights(plain_loop(data, 4, 32, clip or math.inf)))
    assert fitted.facts["steps"] == 4 * 10


def test_accumulating_equals_a_larger_batch(tmp_path: Path) -> None:
    data = tiny_data(validation=0)
    fitted, _ = fit(tmp_path, data, model=smooth_net(), batch_size=16, accumulate=4)
    torch.testing.assert_close(weights(fitted.model), weights(plain_loop(data, 4, 64)))
    assert fitted.facts["steps"] == 4 * 5


def test_the_step_size_rises_and_falls_as_asked(tmp_path: Path) -> None:
    _, history = fit(tmp_path, tiny_data(), schedule="cosine", warmup=0.25, learning_rate=0.1)
    expected = [0.1, 0.1 * 0.5 * (1 + math.cos(math.pi / 3)), 0.1 * 0.5 * (1 + math.cos(2 * math.pi / 3)), 0.0]
    assert [line["learning_rate"] for line in history] == pytest.approx(expected)


def test_history_has_a_line_per_epoch(tmp_path: Path) -> None:
    data = tiny_data()
    fitted, history = fit(tmp_path, data, keep="last", model=smooth_net())
    assert [(line["epoch"], line["step"]) for line in history] == [(0, 10), (1, 20), (2, 30), (3, 40)]
    output = forward_all(fitted.model, data.validation)
    expected = float(nn.functional.cross_entropy(output, data.validation.target))
    assert history[-1]["validation_loss"] == pytest.approx(expected, rel=1e-6)
    assert history[-1]["validation_accuracy"] == round(TinyTask().evaluate(output, data.validation.target)["accuracy"], 2)
    assert history[0]["train_loss"] > history[-1]["train_loss"]


def test_keeps_the_weights_of_the_best_epoch_and_stops_early(tmp_path: Path) -> None:
    data = tiny_data()
    fitted, history = fit(tmp_path, data, learning_rate=0.3, max_epochs=50, early_stopping=3, model=smooth_net())
    losses = [line["validation_loss"] for line in history]
    kept = float(nn.functional.cross_entropy(forward_all(fitted.model, data.validation), data.validation.target))
    assert kept == pytest.approx(min(losses), rel=1e-6)
    assert fitted.facts["best_epoch"] == int(np.argmin(losses))
    assert fitted.facts["epochs"] == len(losses) == int(np.argmin(losses)) + 4
    assert fitted.facts["stopped"] == "the validation loss did not improve for 3 epochs"


def test_a_training_that_only_harms_leaves_the_weights_it_began_with(tmp_path: Path) -> None:
    data = tiny_data()
    good, _ = fit(tmp_path / "a", data, max_epochs=20, model=smooth_net())
    before = weights(good.model).clone()
    worse, history = fit(tmp_path / "b", data, learning_rate=30.0, max_epochs=3, optimizer="sgd", model=good.model)
    assert worse.facts["best_epoch"] == -1
    assert [line["epoch"] for line in history] == [0, 1, 2]
    assert torch.equal(weights(worse.model), before)


def test_max_steps_ends_inside_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_CHUNK_ROWS", 64)
    fitted, history = fit(tmp_path, tiny_data(), max_steps=13, early_stopping=None)
    assert fitted.facts["steps"] == 13
    assert fitted.facts["epochs"] == 2
    assert "validation_loss" in history[-1]
    assert fitted.facts["stopped"] == "it reached the 13 steps of max_steps"


def test_the_same_seed_gives_the_same_numbers_and_leaves_no_trace(tmp_path: Path) -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy(), torch.get_num_threads()
    first, history = fit(tmp_path / "a", tiny_data(), threads=1)
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1], torch.get_num_threads()
    torch.manual_seed(99)
    second, again = fit(tmp_path / "b", tiny_data(), threads=1)
    assert torch.equal(weights(first.model), weights(second.model))
    assert history == again
    assert torch.equal(before[0], after[0])
    assert before[1] == after[1]
    assert np.array_equal(before[2], after[2])
    assert before[3] == after[3]
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_model_comes_back_ready_to_use(tmp_path: Path) -> None:
    net = tiny_net()
    fitted, _ = fit(tmp_path, tiny_data(), model=net)
    assert fitted.model is net
    assert not any(module.training for module in net.modules())
    assert fitted.facts["parameters"] == sum(p.numel() for p in net.parameters())
    assert fitted.facts["device"] == "cpu"


def test_training_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    fit(tmp_path, tiny_data())
    fit(tmp_path, tiny_data())
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(2, 2)
        self.right = nn.Linear(2, 2)
        self.right.weight = self.left.weight  # tied

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.left(left) + self.right(right)


def test_several_inputs_and_tied_weights(tmp_path: Path) -> None:
    data = tiny_data()
    splits = []
    for split in (data.train, data.validation):
        x = split.inputs[0]
        splits.append(type(split)((x[:, :2], x[:, 2:]), split.rows, split.target))
    data = Data(schema=data.schema, train=splits[0], validation=splits[1], test=data.test)
    fitted, _ = fit(tmp_path, data, model=TwoInputs(), checkpoint_every=0.0)
    again, _ = fit(tmp_path, data, model=TwoInputs())
    assert again.model.right.weight is again.model.left.weight
    assert torch.equal(weights(again.model), weights(fitted.model))


class Reconstruction(TinyTask):
    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return nn.functional.mse_loss(output, batch.inputs[0])

    def evaluate(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        return {"unknown": float(len(targets))}


def test_rows_without_a_truth(tmp_path: Path) -> None:
    data = tiny_data()
    splits = [type(split)(split.inputs, split.rows) for split in (data.train, data.validation)]
    data = Data(schema=data.schema, train=splits[0], validation=splits[1], test=data.test)
    _, history = fit(tmp_path, data, Reconstruction(), nn.Linear(4, 4))
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["validation_unknown"] == 0


class OnDisk:
    def __init__(self, x: Tensor) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return (self.x[index],)


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_on_disk_train_as_rows_in_memory(tmp_path: Path, workers: int) -> None:
    data = tiny_data()
    splits = [type(split)(OnDisk(split.inputs[0]), split.rows, split.target) for split in (data.train, data.validation)]
    lazy = Data(schema=data.schema, train=splits[0], validation=splits[1], test=data.test)
    settings = {"max_epochs": 2, "batch_size": 50, "accumulate": 2}
    fitted, history = fit(tmp_path / "disk", lazy, model=smooth_net(), workers=workers, **settings)
    expected, known = fit(tmp_path / "memory", data, model=smooth_net(), **settings)
    assert torch.equal(weights(fitted.model), weights(expected.model))
    assert [line["train_loss"] for line in history] == pytest.approx([line["train_loss"] for line in known])


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "64-true"])
def test_other_precisions(tmp_path: Path, precision: str) -> None:
    fitted, history = fit(tmp_path, tiny_data(), precision=precision, gradient_clip=1.0, model=smooth_net(), learning_rate=0.01)
    assert fitted.facts["precision"] == precision
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert forward_all(fitted.model.float(), tiny_split(5, 0)).dtype == torch.float32


def test_mixed_precision_equals_a_plain_loop_that_casts_anew_at_each_step(tmp_path: Path) -> None:
    data = tiny_data(validation=0)  # one chunk an epoch: weights cast once a chunk would be stale from its second step on
    fitted, _ = fit(tmp_path, data, model=smooth_net(), precision="bf16-mixed")
    assert torch.equal(weights(fitted.model), weights(plain_loop(data, 4, 32, mixed=True)))
    assert not torch.equal(weights(fitted.model), weights(plain_loop(data, 4, 32)))


@pytest.mark.slow
def test_a_compiled_network_trains_alike_and_comes_back_plain(tmp_path: Path) -> None:
    fitted, _ = fit(tmp_path / "a", tiny_data(), model=smooth_net(), compile=True)
    plain, _ = fit(tmp_path / "b", tiny_data(), model=smooth_net())
    torch.testing.assert_close(weights(fitted.model), weights(plain.model), atol=1e-4, rtol=1e-3)
    assert fitted.model._compiled_call_impl is None
    assert list(fitted.model.state_dict()) == list(smooth_net().state_dict())

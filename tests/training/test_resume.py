"""A training killed at any moment ends as one that never was."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from tiny_training import TinyTask, tiny_data, tiny_net

from glassbench.contracts.data import Batch, Data
from glassbench.contracts.trainer import Fitted, Workspace
from glassbench_plugins.training.lightning import LightningTrainer

EPOCHS = 8


class Killed(BaseException):
    """Stands for a kill: nothing in a trainer catches it."""


class MortalTask(TinyTask):
    """Dies at one call of its loss."""

    def __init__(self, death: int) -> None:
        self.death = death

    def loss(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        self.death -= 1
        if self.death == 0:
            raise Killed
        return super().loss(output, batch)


def fit(folder: Path, task: TinyTask, data: Data, **settings: object) -> tuple[Fitted, dict[int, dict[str, float]]]:
    """Fit with a history kept on disk, where a line replaces an earlier one of the same step."""
    path = folder / "metrics.jsonl"

    def record(line: object) -> None:
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    workspace = Workspace(seed=5, folder=folder / "checkpoints", record=record)
    trainer = LightningTrainer(**{"max_epochs": EPOCHS, "batch_size": 32, "checkpoint_every": 0.0} | settings)
    fitted = trainer.fit(tiny_net(), task, data, workspace)
    return fitted, {line["step"]: line for line in map(json.loads, path.read_text().splitlines())}


def same(a: Fitted, b: Fitted) -> bool:
    pairs = zip(a.model.state_dict().values(), b.model.state_dict().values(), strict=True)
    return a.facts == b.facts and a.callbacks == b.callbacks and all(torch.equal(x, y) for x, y in pairs)


SETTINGS = {
    "plain": {},
    "schedule": {"schedule": "cosine", "warmup": 0.2, "optimizer": "adamw", "weight_decay": 0.1},
    "stops early": {"early_stopping": 2, "learning_rate": 0.3, "max_epochs": 20},
    "keeps last": {"keep": "last", "optimizer": "sgd", "learning_rate": 0.1, "schedule": "linear"},
    "accumulates": {"accumulate": 3, "gradient_clip": 0.5},
    "counts steps": {"max_steps": 55},
    "saves rarely": {"checkpoint_every": 1000.0},
}


@pytest.mark.parametrize(
    ("name", "death"),
    [("plain", 1), ("plain", 13), ("plain", 100), *((name, death) for name in SETTINGS for death in (37, 66))],
)
def test_dies_and_goes_on(tmp_path: Path, name: str, death: int) -> None:
    whole, once, twice = tiny_data(), tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    expected, history = fit(once, TinyTask(), whole, **SETTINGS[name])
    with suppress(Killed):  # a training that stopped early was over before
        fit(twice, MortalTask(death), whole, **SETTINGS[name])
    fitted, resumed = fit(twice, TinyTask(), whole, **SETTINGS[name])
    assert same(fitted, expected)
    assert resumed == history


@pytest.mark.parametrize("name", ["plain", "stops early", "counts steps", "keeps last"])
def test_killed_between_the_last_epoch_and_the_end(tmp_path: Path, name: str) -> None:
    expected, history = fit(tmp_path, TinyTask(), tiny_data(), **SETTINGS[name])
    (tmp_path / "checkpoints" / "fitted.safetensors").unlink()
    (tmp_path / "metrics.jsonl").write_text("")
    fitted, again = fit(tmp_path, MortalTask(1), tiny_data(), **SETTINGS[name])
    assert same(fitted, expected)
    assert again == {}
    assert len(history) == expected.facts["epochs"]


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    expected, history = fit(tmp_path, TinyTask(), tiny_data())
    fitted, again = fit(tmp_path, MortalTask(1), tiny_data())
    assert same(fitted, expected)
    assert again == history


def test_resumes_without_validation_rows(tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    expected, history = fit(once, TinyTask(), tiny_data(validation=0))
    with pytest.raises(Killed):
        fit(twice, MortalTask(40), tiny_data(validation=0))
    fitted, resumed = fit(twice, TinyTask(), tiny_data(validation=0))
    assert same(fitted, expected)
    assert resumed == history


def test_sigkill_at_random_moments(tmp_path: Path) -> None:
    script = Path(__file__).with_name("sigkill.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True, timeout=120)
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["kills"] >= 3
    assert outcome["same_weights"]
    assert outcome["same_facts"]
    assert outcome["same_history"]

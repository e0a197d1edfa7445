"""A learner that makes its own data, as one that learns by interaction does, is trained and resumed all the same."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from tiny_training import TinyTask, tiny_data
from torch import Tensor, nn

from glassbench.contracts.data import Data
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.task import Optimization
from glassbench.contracts.trainer import Fitted, Workspace
from glassbench.errors import FitError
from glassbench_plugins.training.lightning import LightningTrainer


class Worlds:
    """Episodes."""

    def make(self, seed: int) -> Any:
        return torch.Generator().manual_seed(seed)


class Player(pl.LightningModule):
    """Pulls the arm of a bandit it likes, four times an epoch, and likes it more when it pays."""

    def __init__(self, model: nn.Module, optimization: Optimization) -> None:
        super().__init__()
        self.model = model
        self.optimization = optimization

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.model.parameters(), lr=self.optimization.learning_rate)

    def train_dataloader(self) -> list[int]:
        return [0, 1, 2, 3]

    def training_step(self, _: int) -> Tensor:
        logits = self.model(torch.randn(16, 4))
        choice = torch.distributions.Categorical(logits=logits)
        arm = choice.sample()
        reward = (arm == 1).float()
        self.log("return", reward.mean(), on_step=False, on_epoch=True, batch_size=16)
        return -(choice.log_prob(arm) * reward).mean()


class Bandit(TinyTask):
    kind = Actions()

    def __init__(self, dies_after: int | None = None) -> None:
        self.dies_after = dies_after
        self.asked: Optimization | None = None

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        self.asked = optimization
        player = Player(model, optimization)
        if self.dies_after is not None:
            step, player.training_step = player.training_step, self.mortal  # type: ignore[method-assign]
            self.step = step
        return player

    def mortal(self, batch: int) -> Tensor:
        self.dies_after -= 1
        if self.dies_after < 0:
            raise KeyError("dead")
        return self.step(batch)


def play(folder: Path, task: Bandit, **settings: Any) -> tuple[Fitted, dict[int, dict[str, float]]]:
    data = Data(schema=tiny_data().schema, train=Worlds(), test=Worlds())
    torch.manual_seed(0)
    history: dict[int, dict[str, float]] = {}
    workspace = Workspace(seed=1, folder=folder, record=lambda line: history.update({line["step"]: line}))
    trainer = LightningTrainer(**{"learning_rate": 0.5, "max_epochs": 6, "accelerator": "cpu"} | settings)
    return trainer.fit(nn.Linear(4, 2), task, data, workspace), history


def test_it_gets_no_loaders_and_is_recorded(tmp_path: Path) -> None:
    task = Bandit()
    fitted, history = play(tmp_path, task)
    assert list(history) == [4, 8, 12, 16, 20, 24]
    assert history[24]["return"] > history[4]["return"]
    assert task.asked is not None
    assert task.asked.total_steps == 6
    assert fitted.facts["best_epoch"] is None


def test_it_resumes(tmp_path: Path) -> None:
    expected, history = play(tmp_path / "once", Bandit())
    with pytest.raises(KeyError):
        play(tmp_path / "twice", Bandit(dies_after=14), checkpoint_every=0.0)
    fitted, later = play(tmp_path / "twice", Bandit())
    assert torch.equal(fitted.model.weight, expected.model.weight)
    assert later == {step: line for step, line in history.items() if step > 12}


def test_max_steps_ends_it(tmp_path: Path) -> None:
    fitted, history = play(tmp_path, Bandit(), max_steps=10)
    assert fitted.facts["steps"] == 10
    assert list(history) == [4, 8, 10]


def test_episodes_need_such_a_learner(tmp_path: Path) -> None:
    data = Data(schema=tiny_data().schema, train=Worlds(), test=Worlds())
    with pytest.raises(FitError, match="brings no data of its own"):
        LightningTrainer().fit(nn.Linear(4, 2), TinyTask(), data, Workspace(seed=1, folder=tmp_path, record=print))

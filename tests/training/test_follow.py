"""Following a training: TensorBoard and the line on a terminal."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from tiny_training import TinyTask, tiny_data, tiny_net

from glassbench.errors import FitError
from glassbench.trainer import Fitted, Workspace
from glassbench_plugins.training import tensorboard
from glassbench_plugins.training.lightning import LightningTrainer


class Writer:
    """Takes what TensorBoard's writer takes."""

    made: ClassVar[list["Writer"]] = []

    def __init__(self, folder: str, purge_step: int) -> None:
        self.folder, self.purge_step, self.closed = folder, purge_step, False
        self.scalars: list[tuple[str, int]] = []
        self.made.append(self)

    def add_scalar(self, name: str, value: float, global_step: int) -> None:
        self.scalars.append((name, global_step))

    def close(self) -> None:
        self.closed = True


def fit(folder: Path, interactive: bool = False, **settings: Any) -> Fitted:
    workspace = Workspace(seed=0, folder=folder / "checkpoints", record=lambda line: None, interactive=interactive)
    return LightningTrainer(max_epochs=2, accelerator="cpu", **settings).fit(tiny_net(), TinyTask(), tiny_data(), workspace)


def test_tensorboard_asked_for_and_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(FitError, match="not installed") as error:
        fit(tmp_path, tensorboard=True)
    assert "pip install 'glassbench[tensorboard]'" in str(error.value.fix)
    fit(tmp_path)


def test_tensorboard_gets_every_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = ModuleType("torch.utils.tensorboard")
    vars(board)["SummaryWriter"] = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: object())
    monkeypatch.setattr(Writer, "made", [])
    assert any("WriteTensorBoard" in path for path in fit(tmp_path).callbacks)
    [writer] = Writer.made
    names = {"learning_rate", "train_loss", "validation_accuracy", "validation_loss"}
    assert set(writer.scalars) == {(name, step) for name in names for step in (5, 10)}
    assert (writer.folder, writer.purge_step, writer.closed) == (str(tmp_path / "tensorboard"), 1, True)


def test_a_person_sees_the_epochs_and_a_pipe_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path / "quiet")
    assert capsys.readouterr().out == ""
    fitted = fit(tmp_path / "watched", interactive=True)
    assert "glassbench_plugins.training.progress.ShowProgress" in fitted.callbacks

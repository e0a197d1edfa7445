"""Following a training on a terminal."""

from pathlib import Path
from typing import Any

import pytest
from tiny_training import TinyTask, tiny_data, tiny_net

from glassbench.contracts.trainer import Fitted, Workspace
from glassbench_plugins.training.lightning import LightningTrainer


def fit(folder: Path, interactive: bool = False, **settings: Any) -> Fitted:
    workspace = Workspace(seed=0, folder=folder / "checkpoints", record=lambda line: None, interactive=interactive)
    return LightningTrainer(max_epochs=2, accelerator="cpu", **settings).fit(tiny_net(), TinyTask(), tiny_data(), workspace)


def test_a_person_sees_the_epochs_and_a_pipe_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path / "quiet")
    assert capsys.readouterr().out == ""
    fitted = fit(tmp_path / "watched", interactive=True)
    assert "glassbench_plugins.training.progress.ShowProgress" in fitted.callbacks

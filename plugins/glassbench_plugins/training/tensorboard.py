"""The training history for TensorBoard, where it is installed."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from glassbench.errors import FitError
from glassbench_plugins.training.callbacks import epoch_line


class WriteTensorBoard(Checkpoint):
    """Writes every epoch's record as scalars. It derives from `Checkpoint` to be called after the learner has logged.

    Args:
        folder: Where TensorBoard is pointed to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the log; what a killed training wrote beyond the point it goes on from is marked as void."""
        if trainer.is_global_zero:
            # TensorBoard is optional, so it cannot be imported at the top.
            board = import_module("torch.utils.tensorboard")
            self.writer = board.SummaryWriter(str(self.folder), purge_step=trainer.global_step + 1)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch's values at its step."""
        if self.writer is not None:
            line = epoch_line(trainer)
            for name in line.keys() - {"epoch", "step"}:
                self.writer.add_scalar(name, line[name], global_step=line["step"])

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the log."""
        if self.writer is not None:
            self.writer.close()


def tensorboard_callback(folder: Path, wanted: bool | None) -> WriteTensorBoard | None:
    """Return the callback when it is wanted (True) or TensorBoard is installed (None).

    Raises:
        FitError: It is wanted and not installed.
    """
    installed = find_spec("tensorboard") is not None
    if wanted and not installed:
        raise FitError(
            "TensorBoard is not installed",
            where="trainer.tensorboard",
            fix="pip install 'glassbench[tensorboard]', or leave trainer.tensorboard out",
        )
    return WriteTensorBoard(folder) if installed and wanted is not False else None

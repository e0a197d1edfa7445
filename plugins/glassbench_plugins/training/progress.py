"""A line of progress for a person at a terminal."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class ShowProgress(Checkpoint):
    """Shows the epoch and its losses. It derives from `Checkpoint` to be called after the learner has logged them.

    Args:
        epochs: How many epochs there will be at most; None where nobody knows.
        place: What Lightning's epochs are: "epoch", or "part" of a stream.
    """

    def __init__(self, epochs: int | None, place: str = "epoch") -> None:
        columns = (TextColumn(place), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
        self.progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self.epochs = epochs
        self.line: TaskID | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the bar, at the epoch a resumed training goes on from."""
        if trainer.is_global_zero:
            self.progress.start()
            self.line = self.progress.add_task("", total=self.epochs, completed=trainer.current_epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Advance the bar and show the latest losses."""
        if self.line is not None:
            losses = {n: float(v) for n, v in trainer.callback_metrics.items() if n.endswith("loss")}
            said = "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in losses.items())
            self.progress.update(self.line, completed=trainer.current_epoch + 1, description=said)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Clear the bar."""
        self.progress.stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Clear the bar, so that the error can be read."""
        self.progress.stop()

    def state_dict(self) -> dict[str, Any]:
        """Nothing to keep."""
        return {}

"""What the Lightning trainer does at the end of each epoch.

Those that read what the learner logs at an epoch's end derive from Lightning's `Checkpoint`: it calls only these after
the learner.
"""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, Checkpoint
from torch import Tensor

from glassbench.contracts.learner import epoch_seed
from glassbench.contracts.trainer import Workspace
from glassbench.errors import FitError
from glassbench_plugins.training.reproducible import seed_all

WATCHED = "validation_loss"
LAST = "last.safetensors"


class Reseed(Callback):
    """Seeds everything at each epoch's start, so that a resumed training goes on with the same random numbers."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Seed Python, NumPy and PyTorch from the seed, the epoch and the process."""
        seed_all(epoch_seed(self.seed, trainer.current_epoch, trainer.global_rank))


class StopAtStep(Callback):
    """Ends the training once so many optimizer steps were taken.

    Lightning's own limit would also change how it resumes: it then expects to go on in the middle of an epoch.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ask Lightning to stop, validation included, when the steps are done."""
        if trainer.global_step >= self.steps:
            trainer.should_stop = True


class RecordHistory(Checkpoint):
    """Records one line per epoch: its number, the steps so far, the learning rate, and all the learner logged.

    Args:
        workspace: Takes the lines.
        place: What Lightning's epochs are: "epoch", or "part" of a stream.
    """

    def __init__(self, workspace: Workspace, place: str = "epoch") -> None:
        self.workspace = workspace
        self.place = place

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the epoch.

        Raises:
            FitError: The training or validation loss is not a finite number.
        """
        line = epoch_line(trainer, self.place)
        for name in ("train_loss", WATCHED):
            if not math.isfinite(line.get(name, 0.0)):
                raise not_finite(name, line, self.place)
        if trainer.is_global_zero:
            self.workspace.record(line)


class KeepBest(Checkpoint):
    """Keeps the weights of the epoch with the smallest validation loss; the earliest where several are equal.

    The weights that a training begins with count as those of epoch -1: it never leaves a model worse than it found it.
    """

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}
        self.loss = math.inf
        self.epoch = -1

    def on_sanity_check_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copy the weights before the first step; a resumed training does not come here."""
        self._consider(trainer, epoch=-1)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copy the weights when the epoch was the best so far."""
        self._consider(trainer, epoch=trainer.current_epoch)

    def _consider(self, trainer: pl.Trainer, epoch: int) -> None:
        loss = float(trainer.callback_metrics.get(WATCHED, math.inf))
        if loss < self.loss:
            weights = trainer.strategy.lightning_module_state_dict()
            self.weights = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
            self.loss, self.epoch = loss, epoch

    def state_dict(self) -> dict[str, Any]:
        """Return the best weights and where they come from."""
        return {"weights": self.weights, "loss": self.loss, "epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self.weights, self.loss, self.epoch = state_dict["weights"], state_dict["loss"], state_dict["epoch"]


class ResumePoint(Checkpoint):
    """Saves the whole training state at ends of epochs, and whether the training was to end there.

    Args:
        path: The file, replaced each time.
        every: Seconds between two savings, at least.
    """

    def __init__(self, path: Path, every: float) -> None:
        self.path = path
        self.every = every
        self.saved = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, if the last saving was long enough ago."""
        due = time.monotonic() - self.saved >= self.every
        if trainer.strategy.broadcast(due):  # all processes must agree: saving is something they do together
            trainer.save_checkpoint(self.path, weights_only=False)
            self.saved = time.monotonic()

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add whether the training was to end; Lightning forgets it."""
        checkpoint["should_stop"] = bool(trainer.should_stop)

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """End at once a training that was to end."""
        trainer.should_stop = checkpoint["should_stop"]


def epoch_line(trainer: pl.Trainer, place: str = "epoch") -> dict[str, float | int]:
    """Return the epoch's record: everything logged, in order of name, after epoch (or part), step and learning rate."""
    line: dict[str, float | int] = {place: trainer.current_epoch, "step": trainer.global_step}
    if trainer.optimizers:
        line["learning_rate"] = float(trainer.optimizers[0].param_groups[0]["lr"])
    return line | {name: shortest(value) for name, value in sorted(trainer.callback_metrics.items())}


def shortest(value: Tensor) -> float:
    """Return a logged number with no more digits than its precision has: 0.78, where float32 is nearest to that."""
    return float(str(np.float32(value))) if value.dtype == torch.float32 else float(value)


def not_finite(name: str, line: dict[str, float | int], place: str = "epoch") -> FitError:
    """Return the error for a loss that is not a finite number."""
    return FitError(
        f"the {name.replace('_', ' ').replace('train ', 'training ')} is not a finite number",
        got=f"{line[name]} after {place} {line[place]}, step {line['step']}",
        fix="lower trainer.learning_rate, or set trainer.gradient_clip (1.0 is usual)",
    )

"""The LightningModule that trains a plain network under a task's loss."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from glassbench.data import Batch
from glassbench.task import Optimization

Loss = Callable[[Any, Batch], Tensor]
Evaluate = Callable[[Tensor, Tensor], dict[str, float]]


class SupervisedLearner(pl.LightningModule):
    """Trains `model` by descending `loss`.

    A training step gets a chunk of rows and runs its minibatches itself: what Lightning does per step (hooks, progress,
    logging) then costs once per chunk instead of once per minibatch, while every minibatch still is one optimizer step that
    `global_step` counts. Randomness is reseeded from the seed and the epoch, so a training resumed at an epoch's start ends with
    the same numbers as one never stopped.

    Args:
        model: A plain network, called as `model(*batch.inputs)`.
        loss: From the model's output and its batch to the mean loss, a scalar.
        optimization: How to descend.
        evaluate: From all outputs `(n, ...)` and truths `(n, ...)` of the validation split to named metrics; None records the loss alone.
    """

    def __init__(
        self, model: nn.Module, loss: Loss, optimization: Optimization, evaluate: Evaluate | None = None
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.loss = loss
        self.optimization = optimization
        self.evaluate = evaluate
        self._run: Callable[..., Any] = model
        self._losses: list[tuple[Tensor, int]] = []
        self._held_out: list[tuple[Tensor, int]] = []
        self._outputs: list[tuple[Tensor, Tensor]] = []

    def compile_model(self) -> None:
        """Run the model through `torch.compile` from now on; its weights and names stay what they are."""
        self._run = torch.compile(self.model)

    def configure_optimizers(self) -> dict[str, Any]:
        """Return the optimizer and its per-step schedule."""
        optimizer = build_optimizer(self.model, self.optimization)
        return {"optimizer": optimizer, "lr_scheduler": build_schedule(optimizer, self.optimization)}

    def on_train_epoch_start(self) -> None:
        """Reseed, so that an epoch depends on nothing but its number and the weights it starts from."""
        torch.manual_seed(epoch_seed(self.optimization.seed, self.current_epoch, self.global_rank))
        self._losses = []

    def training_step(self, chunk: Batch, _: int) -> None:
        """Take the optimizer steps of a chunk of rows."""
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer) and isinstance(schedule, LambdaLR)
        constant = self.optimization.schedule == "constant" and self.optimization.warmup == 0
        waiting, held = self.optimization.accumulate, 0
        total = torch.zeros((), device=self.device)
        minibatches = list(_minibatches(chunk, self.optimization.batch_size))
        for position, batch in enumerate(minibatches):
            if self.global_step >= self.optimization.total_steps:
                break
            loss = self.loss(self._run(*batch.inputs), batch)
            self.manual_backward(loss if waiting == 1 else loss / waiting)
            total += loss.detach() * len(batch.index)
            held += 1
            if held == waiting or position == len(minibatches) - 1:
                if self.optimization.gradient_clip is not None:
                    self.clip_gradients(optimizer, self.optimization.gradient_clip, "norm")
                optimizer.step()
                optimizer.zero_grad()
                held = 0
                if not constant:
                    schedule.step()
        self._losses.append((total, len(chunk.index)))

    def validation_step(self, batch: Batch, _: int) -> None:
        """Collect outputs; they are judged once per epoch."""
        output = self._run(*batch.inputs)
        self._held_out.append((self.loss(output, batch) * len(batch.index), len(batch.index)))
        if self.evaluate is not None:
            self._outputs.append((output, batch.target))

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's outputs."""
        self._outputs = []
        self._held_out = []

    def on_validation_epoch_end(self) -> None:
        """Log the validation loss and metrics under names that start with `validation_`."""
        self.log("validation_loss", _mean(self._held_out), sync_dist=True)
        if self.evaluate is not None:
            outputs, targets = (torch.cat(parts) for parts in zip(*self._outputs, strict=True))
            for name, value in self.evaluate(outputs, targets).items():
                self.log(f"validation_{name}", value, sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Log the epoch's mean training loss."""
        self.log("train_loss", _mean(self._losses), sync_dist=True)


def build_optimizer(model: nn.Module, optimization: Optimization) -> Optimizer:
    """Return the optimizer `optimization` names, fused where the device allows."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    shared: dict[str, Any] = {"lr": optimization.learning_rate, "weight_decay": optimization.weight_decay}
    if optimization.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=optimization.momentum, **shared)
    kind = torch.optim.AdamW if optimization.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, fused=True, **shared)


def build_schedule(optimizer: Optimizer, optimization: Optimization) -> LambdaLR:
    """Return the per-step schedule: a rise over the warm-up, then constant, or falling to 0 by a cosine or a line."""
    warmup = round(optimization.warmup * optimization.total_steps)
    remaining = max(1, optimization.total_steps - warmup)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / remaining)
        if optimization.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))
        return 1 - done if optimization.schedule == "linear" else 1.0

    return LambdaLR(optimizer, factor)


def epoch_seed(seed: int, epoch: int, rank: int = 0) -> int:
    """Return a seed of its own for each epoch and process."""
    return (seed * 1_000_003 + epoch * 8191 + rank) % 2**63


def _minibatches(chunk: Batch, size: int) -> Iterator[Batch]:
    for start in range(0, len(chunk.index), size):
        rows = slice(start, start + size)
        yield Batch(tuple(t[rows] for t in chunk.inputs), chunk.target[rows], chunk.index[rows])


def _mean(losses: list[tuple[Tensor, int]]) -> Tensor:
    """Return the mean loss over rows, from sums and their numbers of rows."""
    rows = sum(n for _, n in losses)
    return torch.stack([loss for loss, _ in losses]).sum() / max(rows, 1)

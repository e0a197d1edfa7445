"""The LightningModule that trains a plain network under a task's loss."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.plugins.precision import Precision
from pytorch_lightning.strategies import SingleDeviceStrategy
from pytorch_lightning.utilities.model_helpers import is_overridden
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from glassbench.contracts.data import Batch
from glassbench.contracts.task import Optimization
from glassbench.errors import FitError

Loss = Callable[[Any, Batch], Tensor]
Evaluate = Callable[[Tensor, Tensor], dict[str, float]]
Minibatches = Callable[[Batch, int], Iterator[Batch]]

_BACKWARD = ("on_before_backward", "on_after_backward")
"""What Lightning calls around each backward pass."""

_FUSED = {"cpu", "cuda"}
"""Devices whose optimizers have a fused kernel in every supported version of PyTorch."""


class SupervisedLearner(pl.LightningModule):
    """Trains `model` by descending `loss`.

    A training step gets a chunk of rows and runs its minibatches itself: what Lightning does per step (hooks, progress,
    logging) then costs once per chunk instead of once per minibatch, while every minibatch still is one optimizer step
    that `global_step` counts. A chunk holds whole optimizer steps, except that the last of an epoch may be smaller; the
    gradient of an accumulated step is the mean over its rows.

    Args:
        model: A plain network, called as `model(*batch.inputs)`.
        loss: From the model's output and its batch to the loss of each row `(n,)`, which the learner weighs and averages, or to
            their mean, a scalar. A scalar for a batch with weights leaves them unused (`weighs` is False).
        optimization: How to descend.
        evaluate: From all outputs `(n, ...)` and truths `(n, ...)` of the validation split to named metrics; None
            records the loss alone.
        minibatches: From a chunk of rows and the rows per minibatch to its minibatches, as many as the numbers make
            necessary; None cuts the chunk as it comes. A task of texts puts those of like length together.

    Raises:
        FitError: While training, when the loss is not a finite number.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        optimization: Optimization,
        evaluate: Evaluate | None = None,
        minibatches: Minibatches | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.loss = loss
        self.optimization = optimization
        self.evaluate = evaluate
        self.minibatches = minibatches or cut
        self.weighs = True
        self._descended: list[tuple[Tensor, int]] = []
        self._held_out: list[tuple[Tensor, int]] = []
        self._outputs: list[tuple[Tensor, Tensor]] = []

    def configure_optimizers(self) -> Optimizer | OptimizerLRSchedulerConfig:
        """Return the optimizer and its per-step schedule, if there is one."""
        # A gradient scaler must see the gradients before a step does, which a fused step does not allow.
        scaled = getattr(self.trainer.precision_plugin, "scaler", None) is not None
        optimizer = build_optimizer(self.model, self.optimization, fused=not scaled)
        schedule = build_schedule(optimizer, self.optimization)
        return optimizer if schedule is None else {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch's losses."""
        self._descended = []

    def training_step(self, chunk: Batch, _: int) -> None:
        """Take the optimizer steps of a chunk of rows."""
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer)
        left = max(self.optimization.total_steps - self.global_step, 0)
        backward = self._backward()
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        losses: list[Tensor] = []
        rows: list[int] = []
        for batches in islice(steps(chunk, self.optimization, self.minibatches), left):
            sizes = [len(batch.positions) for batch in batches]
            for batch, size in zip(batches, sizes, strict=True):
                loss = self._mean_loss(self.model(*batch.inputs), batch)
                backward(loss if len(sizes) == 1 else loss * (size / sum(sizes)))
                losses.append(loss.detach())
            rows += sizes
            optimizer.step()
            for parameter in parameters:
                parameter.grad = None  # what zero_grad does, without the time it takes to profile itself
            if isinstance(schedule, LambdaLR):
                schedule.step()
        if losses:
            self._note(torch.stack(losses), rows)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradient; Lightning calls this when gradients are whole and unscaled."""
        limit = self.optimization.gradient_clip
        if limit is None:
            return
        sharded = getattr(self.trainer.model, "clip_grad_norm_", None)  # sharded parameters know their own norm
        if sharded is not None:
            sharded(limit)
        else:
            nn.utils.clip_grad_norm_(self.model.parameters(), limit)

    def on_train_epoch_end(self) -> None:
        """Log the epoch's mean training loss."""
        if self._descended:
            self.log("train_loss", _mean(self._descended), sync_dist=True)

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's outputs."""
        self._held_out, self._outputs = [], []

    def validation_step(self, batch: Batch, _: int) -> None:
        """Collect outputs; they are judged once per epoch."""
        for part in self.minibatches(batch, len(batch.positions)):
            output = self.model(*part.inputs)
            self._held_out.append((self._mean_loss(output, part) * len(part.positions), len(part.positions)))
            if self.evaluate is not None:
                self._outputs.append((output, part.target))

    def on_validation_epoch_end(self) -> None:
        """Log the validation loss and metrics under names that start with `validation_`."""
        self.log("validation_loss", _mean(self._held_out), sync_dist=True)
        if self.evaluate is not None:
            outputs, targets = (torch.cat(parts) for parts in zip(*self._outputs, strict=True))
            for name, value in self.evaluate(outputs, targets).items():
                self.log(f"validation_{name}", value, sync_dist=True)
        self._held_out, self._outputs = [], []

    def _mean_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the mean loss of a batch, rows weighed by their weights where they have any."""
        loss = self.loss(output, batch)
        if batch.weight is None:
            return loss if loss.ndim == 0 else loss.mean()
        self.weighs = loss.ndim > 0
        return (loss * batch.weight).mean() if self.weighs else loss

    def _backward(self) -> Callable[[Tensor], None]:
        """Return Lightning's backward pass, or PyTorch's own where Lightning's does nothing more and nobody listens to it."""
        bare = type(self.trainer.strategy) is SingleDeviceStrategy and type(self.trainer.precision_plugin) is Precision
        listeners = (self, *vars(self.trainer)["callbacks"])
        heard = any(is_overridden(hook, listener) for hook in _BACKWARD for listener in listeners)
        return torch.Tensor.backward if bare and not heard else self.manual_backward

    def _note(self, losses: Tensor, rows: list[int]) -> None:
        """Keep the sum of a chunk's losses `(k,)` over its minibatches of `rows` rows."""
        if not bool(losses.isfinite().all()):
            first = int((~losses.isfinite()).nonzero()[0])
            taken = math.ceil(len(rows) / self.optimization.accumulate)
            step = self.global_step - taken + first // self.optimization.accumulate
            raise FitError(
                "the training loss is no longer a finite number",
                got=f"{float(losses[first])} in epoch {self.current_epoch}, step {step}",
                fix="lower trainer.learning_rate, or set trainer.gradient_clip (1.0 is usual)",
            )
        precise = torch.promote_types(losses.dtype, torch.float32)  # a sum of many halves would lose the small ones
        weights = torch.tensor(rows, dtype=precise, device=losses.device)
        self._descended.append(((losses * weights).sum(), sum(rows)))


def cut(chunk: Batch, size: int) -> Iterator[Batch]:
    """Yield a chunk's rows, `size` at a time, in order."""
    positions = torch.split(chunk.positions, size)
    targets = torch.split(chunk.target, size) if len(chunk.target) else [chunk.target] * len(positions)
    inputs = zip(*(torch.split(tensor, size) for tensor in chunk.inputs), strict=True)
    if chunk.weight is None:
        return map(Batch, inputs, targets, positions)
    return map(Batch, inputs, targets, positions, torch.split(chunk.weight, size))


def steps(chunk: Batch, optimization: Optimization, minibatches: Minibatches = cut) -> Iterator[list[Batch]]:
    """Yield the minibatches of each optimizer step of a chunk of rows."""
    batches = minibatches(chunk, optimization.batch_size)
    while group := list(islice(batches, optimization.accumulate)):
        yield group


def build_optimizer(model: nn.Module, optimization: Optimization, *, fused: bool = True) -> Optimizer:
    """Return the optimizer `optimization` names, fused where the device allows and `fused` does not forbid it.

    Raises:
        FitError: The model has nothing to train.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise FitError(
            "the model has no trainable parameters",
            got=type(model).__name__,
            fix="choose a model with weights, or leave some of them trainable",
        )
    fusible = fused and all(p.device.type in _FUSED and p.is_floating_point() for p in parameters)
    shared: dict[str, Any] = {"lr": optimization.learning_rate, "weight_decay": optimization.weight_decay}
    shared["fused"] = True if fusible else None
    if optimization.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=optimization.momentum, **shared)
    kind = torch.optim.AdamW if optimization.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, **shared)


def build_schedule(optimizer: Optimizer, optimization: Optimization) -> LambdaLR | None:
    """Return the per-step schedule: a rise over the warm-up, then constant, or falling to 0 by a cosine or a line.

    None where the step size never changes.
    """
    warmup = round(optimization.warmup * optimization.total_steps)
    remaining = max(1, optimization.total_steps - warmup)
    if optimization.schedule == "constant" and warmup == 0:
        return None

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / remaining)
        if optimization.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))
        return 1 - done if optimization.schedule == "linear" else 1.0

    return LambdaLR(optimizer, factor)


def epoch_seed(seed: int, epoch: int, rank: int = 0) -> int:
    """Return a seed of its own for each epoch and process.

    A learner that draws random numbers from it alone goes on after a kill as if it had never been stopped.
    """
    return (seed * 1_000_003 + epoch * 8191 + rank) % 2**63


def _mean(losses: list[tuple[Tensor, int]]) -> Tensor:
    """Return the mean loss over rows, from sums and their numbers of rows."""
    rows = sum(n for _, n in losses)
    return torch.stack([loss for loss, _ in losses]).sum() / max(rows, 1)

"""What every learner that plays for its own data shares: rounds and epochs, the best weights, and how it descends."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.plugins.precision import Precision
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from glassbench.contracts.learner import build_optimizer, build_schedule, epoch_seed
from glassbench.contracts.task import Optimization
from glassbench.errors import FitError

EPOCHS = 20
"""Epochs a training is divided into: after each, the policy is judged, the history gets a line, and a resume point may be
kept."""

CLIP = 0.5
"""Largest norm of the gradient where the trainer sets none."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """How long a training by interaction lasts.

    Args:
        steps: Environment steps, at most.
        each: Environment steps that one training step takes.
        updates: Optimizer steps that follow them.
        stop_at: Mean return over the validation episodes at which training ends early, or None.
        keep: Which weights to keep.
    """

    steps: int
    each: int
    updates: int
    stop_at: float | None
    keep: str

    @property
    def rounds(self) -> int:
        """Training steps in all."""
        return max(1, self.steps // self.each)

    def rounds_of(self, epoch: int) -> int:
        """Return how many training steps an epoch has: as even as can be, none beyond the last epoch."""
        epochs = min(EPOCHS, self.rounds)
        if epoch >= epochs:
            return 0
        return self.rounds * (epoch + 1) // epochs - self.rounds * epoch // epochs

    def done(self, epoch: int) -> int:
        """Return how many environment steps were taken when an epoch ends."""
        return self.each * sum(self.rounds_of(i) for i in range(epoch + 1))


class PlayingLearner(pl.LightningModule, ABC):
    """Plays and learns in turn; a leaf class says what is played, and how is learnt from it.

    An epoch is a number of environment steps. Everything random is drawn from the epoch's seed, and everything else that
    matters is in the checkpoint, so that a training killed anywhere ends with the same weights.

    Args:
        model: The policy, as its task adapted it.
        optimization: How to descend.
        course: How long.
    """

    def __init__(self, model: nn.Module, optimization: Optimization, course: Course) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.optimization = replace(optimization, total_steps=course.rounds * course.updates)
        self.course = course
        self.random = np.random.default_rng(0)
        self.ended: str | None = None
        self._noted: dict[str, list[float]] = {}
        self._best: dict[str, Tensor] = {}
        self._best_return = -math.inf
        self._finished: list[tuple[float, int]] = []

    @abstractmethod
    def training_step(self, batch: Tensor, index: int) -> None:
        """Take `course.each` environment steps, then learn from them."""

    @abstractmethod
    def drain(self) -> list[tuple[float, int]]:
        """Return the return and length of every episode finished since the last call."""

    @abstractmethod
    def judge(self) -> float | None:
        """Return the mean return over the validation episodes, or None where there are none."""

    def train_dataloader(self) -> "Rounds":
        """Return the rounds of an epoch; they hold no data, since the learner plays for its own."""
        return Rounds(self)

    def configure_optimizers(self) -> Optimizer | OptimizerLRSchedulerConfig:
        """Return the optimizer and its per-step schedule, if there is one."""
        optimizer = build_optimizer(self.model, self.optimization)
        schedule = build_schedule(optimizer, self.optimization)
        return optimizer if schedule is None else {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_fit_start(self) -> None:
        """Refuse what playing and learning in turn does not do.

        Raises:
            FitError: Several processes, or another precision than 32 bits.
        """
        if self.trainer.world_size > 1:
            raise FitError("a policy is trained by one process", got=f"{self.trainer.world_size}", fix="set trainer.devices to 1")
        if type(self.trainer.precision_plugin) is not Precision:
            raise FitError("a policy is trained with 32 bits", got=str(self.trainer.precision), fix="leave out trainer.precision")

    def on_train_epoch_start(self) -> None:
        """Draw from this epoch's seed from now on."""
        self.random = np.random.default_rng(epoch_seed(self.optimization.seed, self.current_epoch))
        self._noted = {}

    def on_train_epoch_end(self) -> None:
        """Log the epoch, judge the policy on validation episodes, keep its weights if they are the best, and end if done."""
        steps = self.course.done(self.current_epoch)
        self.log("environment_steps", float(steps))
        self._finished = [*self._finished, *self.drain()][-100:]
        if self._finished:
            totals, lengths = zip(*self._finished, strict=True)
            self.log("train_return", float(np.mean(totals)))
            self.log("train_episode_length", float(np.mean(lengths)))
        for name, values in self._noted.items():
            self.log(name, float(np.mean(values)))
        reached = self._judge()
        if self.course.stop_at is not None and reached >= self.course.stop_at:
            self._end(f"the validation return reached {self.course.stop_at:g} after {steps:,} environment steps")
        elif self.course.rounds_of(self.current_epoch + 1) == 0:
            self._end(f"it reached {steps:,} environment steps of the {self.course.steps:,} the task allows")

    def on_train_end(self) -> None:
        """Take up the best weights."""
        if self._best:
            self.model.load_state_dict(self._best)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the best weights, and how episodes went."""
        checkpoint["playing"] = {
            "best": self._best,
            "best_return": self._best_return,
            "finished": [list(one) for one in self._finished],
            "ended": self.ended,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        state = checkpoint["playing"]
        self._best, self._best_return = state["best"], state["best_return"]
        self._finished = [(float(total), int(length)) for total, length in state["finished"]]
        self.ended = state["ended"]

    def note(self, **values: float) -> None:
        """Keep values to be logged as their mean over the epoch.

        Raises:
            FitError: One of them is no finite number.
        """
        for name, value in values.items():
            if not math.isfinite(value):
                raise FitError(
                    f"the {name.replace('_', ' ')} is no longer a finite number",
                    got=f"{value} in epoch {self.current_epoch}",
                    fix="lower trainer.learning_rate, or set dataset.scale_rewards to true",
                )
            self._noted.setdefault(name, []).append(value)

    def descent(self, limit: float | None = CLIP) -> Callable[[Tensor], None]:
        """Return what takes one optimizer step down a loss.

        Args:
            limit: Largest norm of the gradient where the trainer sets none; None leaves it as it is.
        """
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        most = self.optimization.gradient_clip or limit

        def descend(loss: Tensor) -> None:
            loss.backward()  # type: ignore[no-untyped-call]
            if most is not None:
                clip(parameters, most)
            optimizer.step()
            for parameter in parameters:
                parameter.grad = None
            if isinstance(schedule, LambdaLR):
                schedule.step()

        return descend

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return an array as a tensor where the model is."""
        return torch.as_tensor(array, device=self.device)

    def _judge(self) -> float:
        """Return the mean return over validation episodes, and keep the weights where none did better."""
        reached = self.judge()
        if reached is None:
            return -math.inf
        self.log("validation_return", reached)
        if reached >= self._best_return and self.course.keep == "best":
            self._best_return = reached
            self._best = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
        return reached

    def _end(self, reason: str) -> None:
        self.ended = reason
        self.trainer.should_stop = True


def clip(parameters: Sequence[nn.Parameter], limit: float) -> None:
    """Shrink the gradient to a norm of at most `limit`.

    What `torch.nn.utils.clip_grad_norm_` does, without sorting the gradients by device and type, which takes longer.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (limit / (norm + 1e-6)).clamp(max=1.0))


class Rounds:
    """As many empty batches as the current epoch has training steps.

    Args:
        learner: Knows the epoch.
    """

    def __init__(self, learner: PlayingLearner) -> None:
        self.learner = learner

    def __iter__(self) -> Iterator[Tensor]:
        """Yield one empty tensor per training step.

        The epoch is asked for each time: a resumed training fetches its first round before it knows that its epoch is a new one.
        """
        taken = 0
        while taken < self.learner.course.rounds_of(self.learner.current_epoch):
            taken += 1
            yield torch.empty(0)

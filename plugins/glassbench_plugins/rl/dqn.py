"""Deep Q-learning (Mnih et al. 2015), double (van Hasselt et al. 2016), from replay to update."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from pydantic import Field
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import GlassbenchError
from glassbench_plugins.rl.acting import preferences, preferred
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.interaction import environment_of
from glassbench_plugins.rl.layers import outputs_of
from glassbench_plugins.rl.normalized import Normalized, normalized
from glassbench_plugins.rl.off_policy import OffPolicyLearner
from glassbench_plugins.rl.playing import Course
from glassbench_plugins.rl.policy import checked, decided
from glassbench_plugins.rl.replay import Drawn
from glassbench_plugins.rl.returns import episode_metrics
from glassbench_plugins.rl.told import told_by_values, values_output

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(kw_only=True)
class DQN(Task):
    """Learns the value of each action by deep Q-learning and takes the best; actions are choices.

    The trainer's `batch_size`, `learning_rate`, `schedule`, `optimizer` and `gradient_clip` (0.5 where none is set) hold for
    the update. `steps` says how long to train; it is divided into at most 20 epochs, and `trainer.max_epochs` or `max_steps`
    (optimizer steps) can only end it earlier. The model `q-network` is duelling unless told otherwise.

    Args:
        steps: Environment steps over all lanes, at most.
        rollout: Steps in each lane between two rounds of updates.
        updates: Optimizer steps in a round, each on rows drawn from the replay buffer.
        memory: Steps the replay buffer holds; the oldest make room.
        warm_up: Steps before the first update, at random.
        discount: Weight of the next step's value (gamma).
        ahead: Steps whose rewards are counted as they came, before the value of a state stands for all others.
        target_share: How far, at every optimizer step, the weights of the network that says what is to be expected move to
            those that are learnt.
        double: Whether the best next action is chosen by the one network and valued by the other.
        explores: Share of all steps over which the chance of a random action falls from 1 to `explores_last`.
        explores_last: Chance of a random action from then on.
        stop_at: Mean return over the validation episodes at which training ends early.
        keep: Which weights to keep: those with the highest mean return over the validation episodes, or the last.
    """

    steps: Count = 100_000
    rollout: Count = 32
    updates: Count = 128
    memory: Count = 100_000
    warm_up: Annotated[int, Field(ge=0)] = 1_000
    discount: Share = 0.99
    ahead: Count = 10
    target_share: Share = 0.01
    double: bool = True
    explores: Share = 0.1
    explores_last: Share = 0.04
    stop_at: float | None = None
    keep: Literal["best", "last"] = "best"
    kind = Actions()
    attribution_output_name = "the advantage of the action taken over the mean of all actions"
    _schema: Schema | None = field(default=None, init=False, repr=False)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean return per episode first."""
        return episode_metrics(entropy=False)

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: It is no environment's, or its actions are continuous.
        """
        self._schema = checked(schema, continuous=False)

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Let the network see standardised observations."""
        return normalized(model, schema, paid=outputs_of(schema))

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Return the learner that plays and updates in turn."""
        return DQNLearner(self.adapt(model, data.schema), data, optimization, self)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Play the evaluation episodes with the actions of the highest value; one row per step."""
        assert isinstance(source, Environment)
        return decided(model, source, told_by_values, self.discount)

    def predict_rows(self, model: nn.Module, source: Split) -> Predictions:
        """Return the action of the highest value in each state."""
        assert self._schema is not None
        return preferred(model, source, lambda output: told_by_values(output).preferences, self._schema.target.classes)

    def attribution_output(self, output: Any) -> Tensor:
        """From action values `(n, k)` to the value of each action over the mean of all, and last the value of the state, that
        of its best action, `(n, k + 1)`."""
        assert isinstance(output, Tensor)
        return values_output(output)

    @property
    def further_attribution_outputs(self) -> dict[str, int]:
        """What else an explanation can explain, and at which output."""
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return {"the value of the state": len(self._schema.target.classes)}


class DQNLearner(OffPolicyLearner):
    """Learns the values of actions from what it remembers.

    Args:
        model: The policy, as the task adapted it.
        data: Episodes to learn from, and to choose the weights by.
        optimization: How to descend.
        task: The settings.
    """

    def __init__(self, model: nn.Module, data: Data, optimization: Optimization, task: DQN) -> None:
        each = task.rollout * environment_of(data).lanes
        course = Course(steps=task.steps, each=each, updates=task.updates, stop_at=task.stop_at, keep=task.keep)
        assert isinstance(model, Normalized)
        super().__init__(model, data, optimization, course, task, model.network)
        self.optimization = replace(self.optimization, total_steps=max(1, course.rounds - task.warm_up // each) * task.updates)
        self.task = task

    def training_step(self, batch: Tensor, index: int) -> None:
        """Play one round and learn from all that is remembered."""
        self.roll()
        if self.played > self.task.warm_up:
            self.update()

    def roll(self) -> None:
        """Play `rollout` steps in every lane and remember them."""
        self.play(self._explorer())

    @property
    def exploration(self) -> float:
        """The chance of a random action now."""
        if self.played < self.task.warm_up:
            return 1.0
        done = self.played / max(1.0, self.task.explores * self.task.steps)
        return max(self.task.explores_last, 1 - (1 - self.task.explores_last) * done)

    def update(self) -> None:
        """Take `updates` optimizer steps, each on steps drawn at random."""
        losses, values, descend, follow = [], [], self.descent(), self.following()
        for _ in range(self.task.updates):
            loss, value = self.loss(self.remembered())
            descend(loss)
            follow()
            losses.append(loss.detach())
            values.append(value)
        expected = float(torch.stack(values).mean()) * self.scale.value
        self.note(train_loss=float(torch.stack(losses).mean()), value_expected=expected, exploration=self.exploration)

    def loss(self, steps: Drawn) -> tuple[Tensor, Tensor]:
        """Return the Huber loss of the values of the actions taken, and the mean of these values, in scaled rewards."""
        assert isinstance(self.model, Normalized)
        network = self.model.network
        seen, reached = (self.tensor(self.model.standardized(part)) for part in (steps.seen, steps.reached))
        gained = self.tensor(steps.gained / np.float32(self.scale.value))
        with torch.no_grad():
            following = self.target[0](reached)
            chooser = network(reached) if self.task.double else following
            best = following.gather(1, chooser.argmax(dim=1, keepdim=True))[:, 0]
            wanted = gained + self.tensor(steps.weight) * best
        values = network(seen).gather(1, self.tensor(steps.actions)[:, None])[:, 0]
        return nn.functional.smooth_l1_loss(values, wanted), values.detach().mean()

    def _explorer(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return what chooses the action of the highest value in each lane, or one at random."""
        assert isinstance(self.model, Normalized)
        model, width, lanes = self.model, self.source.layout.width, len(self.lanes)
        prefer = preferences(model, width)

        def choose(seen: np.ndarray) -> np.ndarray:
            best = prefer(model.standardized(seen)).argmax(axis=1)
            strays = self.random.random(lanes) < self.exploration
            return np.where(strays, self.random.integers(width, size=lanes), best)

        return choose

"""Soft actor-critic (Haarnoja et al. 2018), from replay to update."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from pydantic import Field
from torch import Tensor, nn

from glassbench.contracts.data import Data
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import GlassbenchError
from glassbench_plugins.rl.acting import Preferences, computed
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.interaction import environment_of
from glassbench_plugins.rl.normalized import Normalized, normalized
from glassbench_plugins.rl.off_policy import OffPolicyLearner
from glassbench_plugins.rl.playing import Course
from glassbench_plugins.rl.policy import checked, decided
from glassbench_plugins.rl.replay import Drawn
from glassbench_plugins.rl.returns import episode_metrics
from glassbench_plugins.rl.soft_actor_critic import SoftActorCritic, limited
from glassbench_plugins.rl.told import Told, both_ways

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]

_TURNS = 25
"""Turns of play and learning in one training step: what the trainer does around a step takes time too."""


@dataclass(kw_only=True)
class SAC(Task):
    """Learns a policy by soft actor-critic; actions are continuous.

    The trainer's `batch_size` (256 is usual), `learning_rate`, `schedule`, `optimizer` and `gradient_clip` (none where none is
    set) hold for the update of policy, critics and temperature alike. `steps` says how long to train; it is divided into at most
    20 epochs, and `trainer.max_epochs` or `max_steps` (optimizer steps) can only end it earlier.

    Args:
        steps: Environment steps over all lanes, at most.
        rollout: Steps in each lane between two rounds of updates.
        updates: Optimizer steps in a round, each on rows drawn from the replay buffer.
        memory: Steps the replay buffer holds; the oldest make room.
        warm_up: Steps before the first update, with actions drawn evenly from their range.
        discount: Weight of the next step's value (gamma).
        ahead: Steps whose rewards are counted as they came, before the value of a state stands for all others.
        target_share: How far, at every optimizer step, the weights of the critics that say what is to be expected move to those
            that are learnt.
        entropy_per_dimension: Entropy, in nats per dimension of the action, that the temperature keeps the policy at.
        stop_at: Mean return over the validation episodes at which training ends early.
        keep: Which weights to keep: those with the highest mean return over the validation episodes, or the last.
    """

    steps: Count = 20_000
    rollout: Count = 1
    updates: Count = 1
    memory: Count = 100_000
    warm_up: Annotated[int, Field(ge=0)] = 500
    discount: Share = 0.99
    ahead: Count = 1
    target_share: Share = 0.005
    entropy_per_dimension: float = -1.0
    stop_at: float | None = None
    keep: Literal["best", "last"] = "best"
    kind = Actions()
    attribution_output_name = "the action taken, in its own direction"
    _schema: Schema | None = field(default=None, init=False, repr=False)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean return per episode first."""
        return episode_metrics(entropy=False)

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: It is no environment's, or its actions are choices.
        """
        self._schema = checked(schema, continuous=True, choices=False)

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Let the network see standardised observations."""
        return normalized(model, schema, paid=1)

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Return the learner that plays and updates in turn."""
        return SACLearner(self.adapt(model, data.schema), data, optimization, self)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Play the evaluation episodes with the actions the policy prefers; one row per step."""
        assert isinstance(source, Environment)
        return decided(model, source, self._told, self.discount)

    def attribution_output(self, output: Any) -> Tensor:
        """From outputs `(n, 2 k + 1)` to each dimension of the action, once downwards and once upwards, and last the value.

        Actions count as they are before they are squashed into their range: at its ends nothing would move them any more.
        """
        assert isinstance(output, Tensor)
        width = output.shape[1] // 2
        return torch.cat([both_ways(output[:, width : 2 * width]), output[:, -1:]], dim=1)

    @property
    def further_attribution_outputs(self) -> dict[str, int]:
        """What else an explanation can explain, and at which output."""
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return {"the value of the state": len(self._schema.target.classes)}

    def _told(self, output: Tensor) -> Told:
        width = output.shape[1] // 2
        return Told(preferences=both_ways(output[:, :width]), value=output[:, -1], more={})


class SACLearner(OffPolicyLearner):
    """Learns policy, critics and temperature from what it remembers.

    Args:
        model: The policy, as the task adapted it.
        data: Episodes to learn from, and to choose the weights by.
        optimization: How to descend.
        task: The settings.
    """

    def __init__(self, model: nn.Module, data: Data, optimization: Optimization, task: SAC) -> None:
        each = task.rollout * environment_of(data).lanes
        updates = _TURNS * task.updates
        course = Course(steps=task.steps, each=_TURNS * each, updates=updates, stop_at=task.stop_at, keep=task.keep)
        super().__init__(model, data, optimization, course, task, _within(model).critics)
        learning = max(1, course.rounds * _TURNS - task.warm_up // each)
        self.optimization = replace(self.optimization, total_steps=learning * task.updates)
        self.task = task

    def training_step(self, batch: Tensor, index: int) -> None:
        """Play and learn in turn."""
        choose, descend, follow = self._explorer(), self.descent(None), self.following()
        losses = []
        for _ in range(_TURNS):
            self.play(choose)
            for _ in range(self.task.updates if self.played > self.task.warm_up else 0):
                loss, told = self.loss(self.remembered())
                descend(loss)
                follow()
                losses.append(told)
        if losses:
            self._note(torch.stack(losses).mean(dim=0).tolist())

    def loss(self, steps: Drawn) -> tuple[Tensor, Tensor]:
        """Return the loss of critics, policy and temperature together, and what is to be noted of it.

        No gradient of the one reaches what another learns: the policy is judged by critics that hold still.
        """
        assert isinstance(self.model, Normalized)
        network, rows = _within(self.model), len(steps.actions)
        seen, reached = (self.tensor(self.model.standardized(part)) for part in (steps.seen, steps.reached))
        noise = self.tensor(self.random.standard_normal((2 * rows, steps.actions.shape[1]), dtype=np.float32))
        temperature = network.log_temperature.detach().exp()
        with torch.no_grad():
            following, density = network.drawn(reached, noise[rows:])
            later = self.target[0](reached, following).amin(dim=0) - temperature * density
            wanted = self.tensor(steps.gained / np.float32(self.scale.value)) + self.tensor(steps.weight) * later
        error = (network.critics(seen, self.tensor(steps.actions)) - wanted).square().sum(dim=0).mean()
        actions, density = network.drawn(seen, noise[:rows])
        network.critics.requires_grad_(False)
        worth = network.critics(seen, actions).amin(dim=0)
        network.critics.requires_grad_(True)
        policy = (temperature * density - worth).mean()
        entropy = -density.detach().mean()
        surplus = entropy - self.task.entropy_per_dimension * actions.shape[1]
        loss = 0.5 * error + policy + network.log_temperature * surplus
        return loss, torch.stack([error.detach(), worth.detach().mean(), entropy, temperature])

    def _explorer(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return what draws the actions of every lane: evenly at first, then from the policy."""
        assert isinstance(self.model, Normalized)
        model, draw, shape = self.model, self._policy(), (len(self.lanes), self.source.layout.width)

        def choose(seen: np.ndarray) -> np.ndarray:
            if self.played < self.task.warm_up:
                return self.random.uniform(-1, 1, shape).astype(np.float32)
            return draw(model.standardized(seen))

        return choose

    def _policy(self) -> Preferences:
        """Return the function from standardised observations `(n, d)` to actions drawn for them `(n, k)`."""
        network = _within(self.model)
        body, mean, log_deviation = (computed(part) for part in (network.body, network.mean, network.log_deviation))

        def draw(rows: np.ndarray) -> np.ndarray:
            seen = body(rows)
            middle = mean(seen)
            deviation = np.exp(limited(log_deviation(seen)))
            drawn: np.ndarray = np.tanh(middle + deviation * self.random.standard_normal(middle.shape, dtype=np.float32))
            return drawn

        return draw

    def _note(self, means: list[float]) -> None:
        error, value, entropy, temperature = means
        self.note(train_loss=error, value_expected=value * self.scale.value, entropy=entropy, temperature=temperature)


def _within(model: nn.Module) -> SoftActorCritic:
    """Return the network within the policy that the task adapted."""
    assert isinstance(model, Normalized)
    network = model.network
    assert isinstance(network, SoftActorCritic)
    return network

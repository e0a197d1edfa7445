"""Proximal policy optimisation (Schulman et al. 2017), from rollout to update."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
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
from glassbench_plugins.rl.interaction import Interaction, environment_of
from glassbench_plugins.rl.layers import observed
from glassbench_plugins.rl.normalized import Normalized, normalized
from glassbench_plugins.rl.playing import Course
from glassbench_plugins.rl.policy import checked, decided
from glassbench_plugins.rl.returns import episode_metrics
from glassbench_plugins.rl.reward_scale import RewardScale
from glassbench_plugins.rl.told import Told, numbers_output, odds_output, told_by_numbers, told_by_odds

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(kw_only=True)
class PPO(Task):
    """Learns a policy by proximal policy optimisation; actions are choices or continuous.

    The trainer's `batch_size`, `learning_rate`, `schedule`, `optimizer` and `gradient_clip` (0.5 where none is set) hold for
    the update. `steps` says how long to train; it is divided into at most 20 epochs, and `trainer.max_epochs` or `max_steps`
    (optimizer steps) can only end it earlier.

    Args:
        steps: Environment steps over all lanes, at most.
        rollout: Steps in each lane between two updates.
        passes: Passes over a rollout in an update.
        discount: Weight of the next step's return (gamma).
        trace: Weight of longer over shorter looks ahead in the advantage (lambda; Schulman et al. 2016).
        clip: How far an update may move the odds of an action.
        clip_anneals: Whether `clip` falls to 0 by a line over the training.
        entropy: Weight of the reward for staying undecided.
        value: Weight of the value function's error.
        stop_at: Mean return over the validation episodes at which training ends early.
        keep: Which weights to keep: those with the highest mean return over the validation episodes, or the last.
    """

    steps: Count = 100_000
    rollout: Count = 128
    passes: Count = 10
    discount: Share = 0.99
    trace: Share = 0.95
    clip: Amount = 0.2
    clip_anneals: bool = False
    entropy: Amount = 0.0
    value: Amount = 0.5
    stop_at: float | None = None
    keep: Literal["best", "last"] = "best"
    kind = Actions()
    _schema: Schema | None = field(default=None, init=False, repr=False)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean return per episode first."""
        return episode_metrics(entropy=True)

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: It is no environment's.
        """
        self._schema = checked(schema, continuous=True)
        choice = "the log-odds of the action taken against all others"
        self.attribution_output_name = "the action taken, in its own direction" if observed(schema).continuous else choice

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Let the network see standardised observations."""
        return normalized(model, schema, paid=1)

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Return the learner that plays and updates in turn."""
        return PPOLearner(self.adapt(model, data.schema), data, optimization, self)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Play the evaluation episodes with the actions the policy prefers; one row per step."""
        assert isinstance(source, Environment)
        return decided(model, source, lambda output: self._told(model, output), self.discount)

    def predict_rows(self, model: nn.Module, source: Split) -> Predictions | None:
        """Return the action preferred in each state; None of continuous actions, which are neither kept nor changed."""
        if observed(self._known).continuous:
            return None
        return preferred(model, source, lambda output: self._told(model, output).preferences, self._known.target.classes)

    def attribution_output(self, output: Any) -> Tensor:
        """From outputs `(n, k + 1)` to the preference for each candidate action over the others, and last the value.

        Of a choice, its log-odds against all others; of a continuous action, its mean, once downwards and once upwards.
        """
        assert isinstance(output, Tensor)
        return numbers_output(output) if observed(self._known).continuous else odds_output(output)

    @property
    def further_attribution_outputs(self) -> dict[str, int]:
        """What else an explanation can explain, and at which output."""
        return {"the value of the state": len(self._known.target.classes)}

    def _told(self, model: nn.Module, output: Tensor) -> Told:
        if not observed(self._known).continuous:
            return told_by_odds(output, self._known.target.classes)
        entropy = float((_log_deviation(model).detach() + _HALF_LOG_TAU + 0.5).sum())
        return replace(told_by_numbers(output), more={"entropy": np.full(len(output), entropy)})

    @property
    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


@dataclass(frozen=True, eq=False, kw_only=True)
class Rollout:
    """What was lived through between two updates, rows in order of time, then lane: `rollout x lanes` of them.

    Args:
        seen: Standardised observations `(n, ...)`, float32.
        actions: Choices, int64 `(n,)`, or continuous actions, float32 `(n, k)`.
        odds: Logarithm of each action's probability or density when it was taken `(n,)`.
        advantages, returns: What each action gained beyond what was expected, and in all `(n,)`, in scaled rewards.
    """

    seen: Tensor
    actions: Tensor
    odds: Tensor
    advantages: Tensor
    returns: Tensor

    def where(self, taken: np.ndarray) -> "Rollout":
        """Return the rows whose action was taken `(n,)`."""
        if taken.all():
            return self
        rows = torch.as_tensor(np.flatnonzero(taken), device=self.seen.device)
        return Rollout(**{part.name: getattr(self, part.name)[rows] for part in fields(self)})


class PPOLearner(Interaction):
    """Plays a rollout, then improves the policy on it.

    Args:
        model: The policy, as the task adapted it.
        data: Episodes to learn from, and to choose the weights by.
        optimization: How to descend.
        task: The settings.
    """

    def __init__(self, model: nn.Module, data: Data, optimization: Optimization, task: PPO) -> None:
        rows = task.rollout * environment_of(data).lanes
        updates = task.passes * math.ceil(rows / optimization.batch_size)
        course = Course(steps=task.steps, each=rows, updates=updates, stop_at=task.stop_at, keep=task.keep)
        super().__init__(model, data, optimization, course)
        self.task = task
        self.continuous = self.source.layout.continuous
        self.scale = RewardScale(len(self.lanes), task.discount)

    def training_step(self, batch: Tensor, index: int) -> None:
        """Play one rollout and learn from it."""
        self.update(self.roll())

    def roll(self) -> Rollout:
        """Play `rollout` steps in every lane."""
        assert isinstance(self.model, Normalized)
        length, lanes, layout = self.task.rollout, len(self.lanes), self.source.layout
        prefer = preferences(self.model, layout.width)
        raw = np.empty((length, lanes, *layout.shape), dtype=layout.dtype)
        reached = np.empty_like(raw)
        actions = np.empty((length, lanes, layout.width) if self.continuous else (length, lanes), dtype=np.float32)
        rewards, over, cut = (np.empty((length, lanes)) for _ in range(3))
        taken = np.empty((length, lanes), dtype=bool)
        for t in range(length):
            raw[t] = self.lanes.observations
            actions[t] = self._drawn(prefer(self.model.standardized(raw[t])))
            step = self.lanes.step(actions[t])
            reached[t], over[t], cut[t] = step.reached, step.terminated, step.truncated
            rewards[t], taken[t] = step.rewards, step.taken
            if self.source.scale_rewards:
                self.scale.observe(step.rewards, step.terminated | step.truncated, step.taken)
        rewards /= self.scale.value
        self.model.reward_scale.fill_(self.scale.value)
        judged = self._judged(raw, reached, actions, rewards, over, cut)
        self.model.observe(raw[taken])
        return judged.where(taken.reshape(-1))

    def update(self, rollout: Rollout) -> None:
        """Take several passes over a rollout in minibatches."""
        left = 1 - self.global_step / max(1, self.optimization.total_steps) if self.task.clip_anneals else 1.0
        low, high = 1 - self.task.clip * left, 1 + self.task.clip * left
        rows, size = len(rollout.seen), self.optimization.batch_size
        descend, notes = self.descent(), []
        for done in range(1, self.task.passes + 1):
            order = self.tensor(self.random.permutation(rows))
            parts = (rollout.seen, rollout.actions, rollout.odds, rollout.advantages, rollout.returns)
            shuffled = [torch.split(part[order], size) for part in parts]
            for seen, actions, odds, advantages, returns in zip(*shuffled, strict=True):
                wanted, value = self._judge_states(seen)
                now, entropy = self._odds(wanted, actions)
                ratio = (now - odds).exp()
                better = nn.functional.layer_norm(advantages, advantages.shape, eps=1e-8)
                gain = torch.minimum(ratio * better, ratio.clamp(low, high) * better).mean()
                error = (value - returns).square().mean()
                loss = self.task.value * error - gain
                if self.task.entropy:
                    loss = loss - self.task.entropy * entropy().mean()
                descend(loss)
                if done == self.task.passes:  # taking notes takes time too
                    with torch.no_grad():
                        notes.append(torch.stack([loss, (odds - now).mean(), error, entropy().mean()]))
        self._note(torch.stack(notes).mean(dim=0).tolist(), float(rollout.returns.var(correction=0)))

    def _note(self, means: list[float], spread: float) -> None:
        """Note how the last pass over a rollout went; `spread` is the variance of its returns."""
        loss, moved, error, entropy = means
        explained = 1 - error / spread if spread > 0 else 0.0
        self.note(train_loss=loss, odds_moved=moved, entropy=entropy, explained_variance=explained)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the scale of the rewards."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["reward_scale"] = self.scale.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        super().on_load_checkpoint(checkpoint)
        self.scale.load_state_dict(checkpoint["reward_scale"])

    def _drawn(self, wanted: np.ndarray) -> np.ndarray:
        """Draw an action per lane from preferences `(lanes, k)`: the largest after Gumbel noise, or a normal around the mean."""
        if not self.continuous:
            chosen: np.ndarray = np.argmax(wanted + self.random.gumbel(size=wanted.shape), axis=1)
            return chosen
        deviation = _log_deviation(self.model).detach().exp().cpu().numpy()
        drawn: np.ndarray = wanted + deviation * self.random.standard_normal(wanted.shape)
        return drawn

    def _judge_states(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the preferences `(n, k)` and the value `(n,)` of standardised observations `(n, ...)`."""
        assert isinstance(self.model, Normalized)
        apart = getattr(self.model.network, "judged", None)
        if apart is not None:  # two parts that need not be joined to be parted again
            wanted, value = apart(seen)
            return wanted, value[:, 0]
        output = self.model.network(seen)
        return output[:, :-1], output[:, -1]

    def _odds(self, wanted: Tensor, actions: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
        """Return the logarithm of each action's probability or density `(n,)`, and what computes the entropy `(n,)`."""
        if not self.continuous:
            each = wanted.log_softmax(dim=1)
            return each.gather(1, actions[:, None])[:, 0], lambda: -(each.exp() * each).sum(dim=1)
        log_deviation = _log_deviation(self.model)
        off = (actions - wanted) / log_deviation.exp()
        densities = -0.5 * off.square() - log_deviation - _HALF_LOG_TAU
        return densities.sum(dim=1), lambda: (log_deviation + _HALF_LOG_TAU + 0.5).sum().expand(len(actions))

    def _judged(
        self,
        raw: np.ndarray,
        reached: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        over: np.ndarray,
        cut: np.ndarray,
    ) -> Rollout:
        """Return the rollout with advantages, seen through the scale that held while it was played."""
        assert isinstance(self.model, Normalized)
        length, lanes = rewards.shape
        seen = self.tensor(self.model.standardized(raw.reshape(length * lanes, *raw.shape[2:])))
        after = self.tensor(self.model.standardized(reached.reshape(length * lanes, *raw.shape[2:])))
        taken = self.tensor(actions.reshape(length * lanes, *actions.shape[2:]))
        taken = taken if self.continuous else taken.long()
        with torch.no_grad():
            wanted, value = self._judge_states(seen)
            odds, _ = self._odds(wanted, taken)
            values = value.double().cpu().numpy().reshape(length, lanes)
            following = self._judge_states(after)[1].double().cpu().numpy().reshape(length, lanes)
        advantages = advantage(rewards, values, following * (1 - over), (over + cut) > 0, self.task.discount, self.task.trace)
        flat = [self.tensor(part.reshape(-1).astype(np.float32)) for part in (advantages, advantages + values)]
        return Rollout(seen=seen, actions=taken, odds=odds, advantages=flat[0], returns=flat[1])


def advantage(
    rewards: np.ndarray, values: np.ndarray, following: np.ndarray, ended: np.ndarray, discount: float, trace: float
) -> np.ndarray:
    """Return generalised advantages (Schulman et al. 2016), all arrays `(time, lanes)`.

    Args:
        rewards: What each step paid.
        values: The value of the state each step was taken in.
        following: The value of the state it led to, 0 where the episode was over; where it was cut off, the state's own.
        ended: Whether another episode began after the step.
        discount, trace: Gamma and lambda.
    """
    surprise = rewards + discount * following - values
    gained: np.ndarray = np.empty(rewards.shape)
    carried = np.zeros(rewards.shape[1])
    for t in range(len(rewards) - 1, -1, -1):
        carried = surprise[t] + discount * trace * np.where(ended[t], 0.0, carried)
        gained[t] = carried
    return gained


def _log_deviation(model: nn.Module) -> Tensor:
    """Return the logarithm of the deviation of each dimension of a continuous action `(k,)`."""
    assert isinstance(model, Normalized)
    found = model.network.log_deviation
    assert isinstance(found, Tensor)
    return found

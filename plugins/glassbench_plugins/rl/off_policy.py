"""What learners share that learn from steps they remember: the replay, the network that follows, and the scale of rewards."""

import copy
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from glassbench.contracts.data import Data
from glassbench.contracts.task import Optimization
from glassbench_plugins.rl.interaction import Interaction
from glassbench_plugins.rl.normalized import Normalized
from glassbench_plugins.rl.playing import Course
from glassbench_plugins.rl.replay import Drawn, Replay, Steps
from glassbench_plugins.rl.reward_scale import RewardScale


class Remembering(Protocol):
    """The settings of a task that learns from what it remembers."""

    rollout: int
    memory: int
    warm_up: int
    discount: float
    ahead: int
    target_share: float


class OffPolicyLearner(Interaction):
    """Plays a little, then learns from what it remembers; a leaf class says how it acts and what it descends.

    Args:
        model: The policy, as the task adapted it.
        data: Episodes to learn from, and to choose the weights by.
        optimization: How to descend.
        course: How long.
        settings: How much is remembered, and how far it looks ahead.
        learnt: The part of the policy's network that a second one follows, to say what is to be expected.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        optimization: Optimization,
        course: Course,
        settings: Remembering,
        learnt: nn.Module,
    ) -> None:
        super().__init__(model, data, optimization, course)
        self.settings = settings
        self.played = 0
        self.replay = Replay(self.source.layout, len(self.lanes), min(settings.memory, course.rounds * course.each))
        self.scale = RewardScale(len(self.lanes), settings.discount)
        # In tuples, so that neither the optimizer nor the count of parameters sees a second network, or the same one twice.
        self.learnt, self.target = (learnt,), (copy.deepcopy(learnt).requires_grad_(False),)

    def on_fit_start(self) -> None:
        """Bring the second network to where the first is."""
        super().on_fit_start()
        self.target[0].to(self.device)

    def play(self, choose: Callable[[np.ndarray], np.ndarray]) -> None:
        """Play `rollout` steps in every lane and remember them.

        Args:
            choose: From observations as the environment gives them to the action in each lane.
        """
        assert isinstance(self.model, Normalized)
        lanes = len(self.lanes)
        for _ in range(self.settings.rollout):
            seen = self.lanes.observations
            actions = choose(seen)
            step = self.lanes.step(actions)
            ended = step.terminated | step.truncated
            self.replay.add(Steps(seen, actions, step.rewards, step.reached, step.terminated, ended, step.taken))
            self.played += lanes
            if self.source.scale_rewards:
                self.scale.observe(step.rewards, ended, step.taken)
        lately = self.replay.last(self.settings.rollout * lanes)
        if lately.taken.any():
            self.model.observe(lately.seen[lately.taken])
        self.model.reward_scale.fill_(self.scale.value)

    def remembered(self) -> Drawn:
        """Return steps drawn at random, as many as an optimizer step takes."""
        size = self.optimization.batch_size
        return self.replay.draw(size, self.random, ahead=self.settings.ahead, discount=self.settings.discount)

    def following(self) -> Callable[[], None]:
        """Return what moves the second network a little towards the first."""
        follows, leads = ([p.data for p in network.parameters()] for network in (self.target[0], self.learnt[0]))
        return lambda: torch._foreach_lerp_(follows, leads, self.settings.target_share)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is remembered, the second network and the scale of the rewards."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["replay"] = self.replay.state_dict()
        checkpoint["target"] = self.target[0].state_dict()
        checkpoint["reward_scale"] = self.scale.state_dict()
        checkpoint["played"] = self.played

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        super().on_load_checkpoint(checkpoint)
        self.replay.load_state_dict(checkpoint["replay"])
        self.target[0].load_state_dict(checkpoint["target"])
        self.scale.load_state_dict(checkpoint["reward_scale"])
        self.played = checkpoint["played"]

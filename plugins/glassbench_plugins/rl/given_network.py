"""A policy of stable-baselines3 as a network from observations to preferences, so that audits can ask it."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from gymnasium import spaces
from torch import Tensor, nn

from glassbench.errors import DataError
from glassbench_plugins.rl.given_memory import Memory
from glassbench_plugins.rl.given_observations import as_read, smooth
from glassbench_plugins.rl.layout import Layout

Says = Literal["odds", "values", "numbers"]
"""What a policy's outputs are: logits of choices, values of choices, or means of the dimensions of an action."""


class GivenNetwork(nn.Module):
    """What a policy of stable-baselines3 says of observations.

    Args:
        policy: Its network (`model.policy`).
        layout: What goes in and out of the environment.
        space: The observations it learnt with.
        memory: What it keeps between steps, which then stands behind each observation, or None.
    """

    middle: Tensor
    reach: Tensor

    def __init__(self, policy: nn.Module, layout: Layout, space: spaces.Space[Any], memory: Memory | None = None) -> None:
        super().__init__()
        self.policy = policy
        self.space, self._memory = space, memory
        self.differentiable = smooth(space)
        self.register_buffer("middle", torch.as_tensor(layout.centre, dtype=torch.float32))
        self.register_buffer("reach", torch.as_tensor(layout.half, dtype=torch.float32))
        self.says, self._say = _speaking(policy, layout)
        _forget(policy)

    def forward(self, observations: Tensor) -> Tensor:
        """From observations `(n, ...)` in their own units, several parts side by side, to a preference per choice, or the mean of
        each dimension of an action in halves of its range, and last the value of the state `(n, k + 1)`; of a policy by values,
        those of all choices `(n, k)`."""
        said = self._remembered(observations) if self._memory else self._say(self, self.policy, as_read(self.space, observations))
        _forget(self.policy)
        return said

    def _remembered(self, rows: Tensor) -> Tensor:
        """Return the same from observations with the memory behind them."""
        assert self._memory is not None
        policy: Any = self.policy
        observations, actor, critic = self._memory.parted(rows)
        begun = torch.zeros(len(rows), device=rows.device)
        taken, _ = policy.get_distribution(observations, actor, begun)
        value = policy.predict_values(observations, critic, begun)
        if self.says == "odds":
            return torch.cat([taken.distribution.logits, value], dim=1)
        mean = taken.mode()
        return torch.cat([mean if policy.squash_output else (mean - self.middle) / self.reach, value], dim=1)


def _forget(policy: Any) -> None:
    """Let go of the distribution that a policy keeps of the last observations: with its gradients no copy can be made of it."""
    for holder in (policy, getattr(policy, "actor", None)):
        kept = getattr(holder, "action_dist", None)
        for name in ("distribution", "gaussian_actions"):
            if getattr(kept, name, None) is not None:
                setattr(kept, name, None)


def _speaking(policy: Any, layout: Layout) -> tuple[Says, Callable[[GivenNetwork, Any, Tensor], Tensor]]:
    """Return what a policy says and what makes it say so.

    Raises:
        DataError: It is of a kind that is not known here.
    """
    if hasattr(policy, "get_distribution") and hasattr(policy, "predict_values"):
        return ("numbers", _action_and_value) if layout.continuous else ("odds", _odds_and_value)
    if hasattr(policy, "q_net") and not layout.continuous:
        return "values", lambda _, asked, observations: asked.q_net(observations)
    if hasattr(policy, "quantile_net") and not layout.continuous:
        return "values", lambda _, asked, observations: asked.quantile_net(observations).mean(dim=1)
    if hasattr(policy, "actor") and hasattr(policy, "critic") and layout.continuous:
        return "numbers", _action_and_worth
    raise DataError(
        "a policy of this kind cannot be asked",
        got=type(policy).__name__,
        available=[
            "actor and critic (PPO, A2C)",
            "values of choices (DQN, QRDQN)",
            "actor and critic of actions (SAC, TD3, DDPG, TQC)",
        ],
    )


def _odds_and_value(_: GivenNetwork, policy: Any, observations: Tensor) -> Tensor:
    logits = policy.get_distribution(observations).distribution.logits
    return torch.cat([logits, policy.predict_values(observations)], dim=1)


def _action_and_value(network: GivenNetwork, policy: Any, observations: Tensor) -> Tensor:
    mean = policy.get_distribution(observations).mode()
    scaled = mean if policy.squash_output else (mean - network.middle) / network.reach
    return torch.cat([scaled, policy.predict_values(observations)], dim=1)


def _action_and_worth(_: GivenNetwork, policy: Any, observations: Tensor) -> Tensor:
    # Both are within -1 and 1 already: these policies squash.
    action = policy.actor(observations, deterministic=True) if _draws(policy) else policy.actor(observations)
    held = policy.critic(observations, action)
    # One tensor `(n, critics, quantiles)` is what TQC says, whose mean is the value; of several critics the least counts.
    quantiles = isinstance(held, Tensor)
    worth = held.mean(dim=(1, 2))[:, None] if quantiles else torch.cat(held, dim=1).min(dim=1, keepdim=True).values
    return torch.cat([action, worth], dim=1)


def _draws(policy: Any) -> bool:
    """Whether its actor draws actions unless told otherwise (SAC)."""
    return hasattr(policy.actor, "log_std") or hasattr(policy.actor, "action_dist")

"""An environment whose rewards a gap between groups makes smaller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium

_AT_FIRST = 0.5


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """What a gap between groups costs.

    Args:
        strength: Reward that a gap of 1 costs at each step.
        features: Entries of `info` that name the group of the observation they come with; of several the widest gap counts.
        favourable: The environment's own number of the action that is good for whom an observation is about.
        memory: Observations of a group over which its rate is remembered.
        truth: The entry of `info` that holds the place of the right action, where only observations count for which the
            favourable one is right; None counts all.
        right: The place of the favourable action.
    """

    strength: float
    features: tuple[str, ...]
    favourable: int
    memory: float
    truth: str | None = None
    right: int = 0


class Penalized(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Takes from each reward what the gap costs that its episode has come to.

    Args:
        environment: The environment.
        penalty: What a gap costs.
    """

    def __init__(self, environment: gymnasium.Env, penalty: Penalty) -> None:
        super().__init__(environment)
        self.penalty = penalty
        self._info: Mapping[str, Any] = {}
        self._rates: dict[str, dict[str, float]] = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, in which no group has come yet."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._info, self._rates = info, {feature: {} for feature in self.penalty.features}
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act, and return the environment's reward less what the gap costs."""
        self._count(int(action) == self.penalty.favourable)
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._info = info
        return observation, float(reward) - self.penalty.strength * self.gap, terminated, truncated, info

    @property
    def gap(self) -> float:
        """The largest rate less the smallest, of the groups that came in this episode; of several features the widest."""
        return max(max(rates.values()) - min(rates.values()) if rates else 0.0 for rates in self._rates.values())

    def _count(self, favoured: bool) -> None:
        """Move the rates of the groups that were decided on."""
        if self.penalty.truth is not None and int(self._info[self.penalty.truth]) != self.penalty.right:
            return
        for feature, rates in self._rates.items():
            group = str(self._info.get(feature, "missing"))
            rate = rates.get(group, _AT_FIRST)
            rates[group] = rate + (favoured - rate) / self.penalty.memory

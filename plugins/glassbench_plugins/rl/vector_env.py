"""Environments played beside each other, episode after episode, and how to take them up again where they were."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from glassbench.errors import DataError, RunError, said
from glassbench_plugins.rl.episodes import Environment

_MEND = "mend the environment and resume the run: what was learnt up to the last checkpoint is kept"


class Lane:
    """One environment, episode after episode.

    Its state is the seed of the episode and the actions taken since: played again, they lead to the same place in any
    environment that keeps Gymnasium's promise about seeds.

    Args:
        source: The episodes.
        number: Which lane; it decides the seeds.
    """

    def __init__(self, source: Environment, number: int) -> None:
        self.source = source
        self.number = number
        self.episode = -1
        self.actions: list[Any] = []
        self.total = 0.0
        self.observation = np.zeros(source.layout.shape, dtype=source.layout.dtype)
        self.info: dict[str, Any] = {}
        self._opened: dict[tuple[Any, ...], gymnasium.Env] = {}

    def begin(self, episode: int) -> None:
        """Start an episode."""
        self.episode, self.actions, self.total = episode, [], 0.0
        self.seed = self.source.seed_of(self.number, episode)
        self.context = self.source.context(self.number + episode)
        key = tuple(self.context.values())
        if key not in self._opened:
            self._opened[key] = self.source.opened(self.context)
        self.environment = self._opened[key]
        try:
            observation, self.info = self.environment.reset(seed=self.seed)
        except Exception as error:  # an environment is code of others; what it raises is said in words
            raise raised("when an episode began", self.where, error) from error
        self._see(observation)

    def step(self, action: Any) -> tuple[float, bool, bool]:
        """Take an action; return the reward, and whether the episode is over or cut off.

        Raises:
            DataError: The environment raised, or gave a reward that is no finite number.
        """
        self.actions.append(action)
        try:
            observation, reward, terminated, truncated, info = self.environment.step(self.source.layout.translated(action))
        except Exception as error:  # an environment is code of others; what it raises is said in words
            raise raised("in the middle of an episode", self.where, error) from error
        value = float(reward)
        if not math.isfinite(value):
            raise unusable("a reward", self.where, value)
        self.info, self.total = info, self.total + value
        self._see(observation)
        return value, bool(terminated), bool(truncated)

    @property
    def where(self) -> str:
        """Where the lane is, in words that lead there again."""
        context = "".join(f", {name} {value}" for name, value in self.context.items())
        return f"{self.source.id}, {self.source.purpose} episode with seed {self.seed}{context}, step {len(self.actions)}"

    def _see(self, observation: Any) -> None:
        self.observation = np.asarray(observation, dtype=self.source.layout.dtype)
        if not self.source.layout.pixels and not math.isfinite(float(self.observation.sum(dtype=np.float64))):
            raise unusable("an observation", self.where, self.observation.tolist())


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """What a step in every lane gave.

    Args:
        rewards: `(lanes,)`.
        terminated, truncated: Whether an episode is over, or cut off, `(lanes,)`.
        reached: The observation each step led to, `(lanes, ...)`, before a new episode began.
        taken: Whether a lane's action was taken `(lanes,)`, rather than the step spent on beginning an episode.
    """

    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    reached: np.ndarray
    taken: np.ndarray


class VectorEnv:
    """All lanes of a training; where an episode ends, the next begins at once.

    Args:
        source: The episodes.
    """

    def __init__(self, source: Environment) -> None:
        self.source = source
        self.lanes = [Lane(source, number) for number in range(source.lanes)]
        for lane in self.lanes:
            lane.begin(0)
        self.finished: list[tuple[float, int]] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self.lanes)

    @property
    def observations(self) -> np.ndarray:
        """What every lane sees, a new array `(lanes, ...)`."""
        return np.stack([lane.observation for lane in self.lanes])

    def step(self, actions: np.ndarray) -> Step:
        """Take an action `(lanes, ...)` in every lane."""
        results = [lane.step(action) for lane, action in zip(self.lanes, actions, strict=True)]
        reached = self.observations
        for lane, (_, terminated, truncated) in zip(self.lanes, results, strict=True):
            if terminated or truncated:
                self.finished.append((lane.total, len(lane.actions)))
                lane.begin(lane.episode + 1)
        rewards, terminated_all, truncated_all = (np.array(part) for part in zip(*results, strict=True))
        taken = np.ones(len(self), dtype=bool)
        return Step(rewards=rewards, terminated=terminated_all, truncated=truncated_all, reached=reached, taken=taken)

    def drain(self) -> list[tuple[float, int]]:
        """Return the return and length of every episode finished since the last call."""
        finished, self.finished = self.finished, []
        return finished

    def state_dict(self) -> dict[str, Any]:
        """Return where every lane is: tensors and plain values."""
        return {
            "episodes": [lane.episode for lane in self.lanes],
            "actions": [_tensor(lane.actions) for lane in self.lanes],
            "observations": torch.as_tensor(self.observations),
            "finished": [list(one) for one in self.finished],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Play every lane to where it was.

        Raises:
            RunError: The environment went another way this time.
        """
        for lane, episode, actions in zip(self.lanes, state["episodes"], state["actions"], strict=True):
            lane.begin(episode)
            for action in actions.numpy():
                lane.step(action)
        self.finished = [(float(total), int(length)) for total, length in state["finished"]]
        if not np.array_equal(self.observations, state["observations"].numpy()):
            raise RunError(
                f"the environment '{self.source.id}' does not do the same again under the same seed and actions",
                fix="start the run anew: a training in such an environment cannot be resumed",
            )


def _tensor(actions: Sequence[Any]) -> Tensor:
    return torch.as_tensor(np.array(actions)) if actions else torch.zeros(0)


def raised(when: str, where: str, error: Exception) -> DataError:
    """Return the error that an environment raised, in words that lead there again."""
    return DataError(f"the environment raised {when}", where=where, got=said(error), fix=_MEND)


def unusable(what: str, where: str, value: object) -> DataError:
    """Return the error that an environment gave a number that is not finite, in words that lead there again."""
    return DataError(f"the environment gave {what} that is no finite number", where=where, got=str(value), fix=_MEND)

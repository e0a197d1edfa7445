"""The memory of a recurrent policy of sb3-contrib, shown beside the observation so that every decision is a function of a row."""

from dataclasses import replace
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from glassbench.contracts.schema import Feature
from glassbench_plugins.rl.given_observations import as_read
from glassbench_plugins.rl.layout import Layout

State = tuple[Tensor, Tensor]
"""What an LSTM keeps, hidden and cell `(layers, n, width)` each."""

NAME = "memory"


class _States(NamedTuple):
    """The states of actor and critic, as the policy takes them."""

    pi: State
    vf: State


class Memory:
    """What a recurrent policy keeps between two steps, as a row of numbers.

    Args:
        policy: Its network (`model.policy`), with an LSTM `lstm_actor` and perhaps one of its critic.
        space: The observations it learnt with.
        seen: How many numbers of a row are the observation.
    """

    def __init__(self, policy: Any, space: spaces.Space[Any], seen: int) -> None:
        self._policy, self._space, self._seen = policy, space, seen
        lstms = [policy.lstm_actor, *([policy.lstm_critic] if policy.lstm_critic is not None else [])]
        self._shapes = [(lstm.num_layers, lstm.hidden_size) for lstm in lstms for _ in range(2)]

    @property
    def width(self) -> int:
        """How many numbers it is."""
        return sum(layers * width for layers, width in self._shapes)

    def parted(self, rows: Tensor) -> tuple[Any, State, State]:
        """Return observation, the actor's state and the critic's of rows `(n, observation + memory)`."""
        sizes = [layers * width for layers, width in self._shapes]
        parts = torch.split(rows[:, self._seen :], sizes, dim=1)
        states = [
            part.reshape(len(rows), layers, width).transpose(0, 1).contiguous()
            for part, (layers, width) in zip(parts, self._shapes, strict=True)
        ]
        actor = (states[0], states[1])
        critic = (states[2], states[3]) if len(states) > 2 else actor
        return as_read(self._space, rows[:, : self._seen]), actor, critic

    def after(self, row: np.ndarray) -> np.ndarray:
        """Return the memory `(width,)` after the policy saw one row `(observation + memory,)`."""
        rows = torch.as_tensor(row[None]).to(next(self._policy.parameters()).device)
        observation, actor, critic = self.parted(rows)
        training = self._policy.training
        self._policy.set_training_mode(False)
        with torch.no_grad():
            *_, states = self._policy(observation, _States(actor, critic), torch.zeros(1, device=rows.device), deterministic=True)
        self._policy.set_training_mode(training)
        each = [*states.pi, *(states.vf if len(self._shapes) > 2 else ())]
        return torch.cat([part.flatten() for part in each]).cpu().numpy().astype(np.float32)


class Remembering(gymnasium.Wrapper[np.ndarray, Any, np.ndarray, Any]):
    """An environment that shows what a policy remembers behind what there is to see.

    Args:
        env: The environment, its observations one row of numbers.
        memory: The policy's memory, empty when an episode begins.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], memory: Memory) -> None:
        super().__init__(env)
        self._memory = memory
        seen = int(np.prod(env.observation_space.shape or (1,)))
        self._row = np.zeros(seen + memory.width, dtype=np.float32)
        self.observation_space = spaces.Box(-np.inf, np.inf, self._row.shape, dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode without memory."""
        seen, info = self.env.reset(seed=seed, options=options)
        return self._shown(seen, np.zeros(self._memory.width, dtype=np.float32)), info

    def step(self, action: Any) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """Act, and remember what was seen before."""
        kept = self._memory.after(self._row)
        seen, reward, terminated, truncated, info = self.env.step(action)
        return self._shown(seen, kept), reward, terminated, truncated, info

    def _shown(self, seen: Any, kept: np.ndarray) -> np.ndarray:
        self._row = np.concatenate([np.asarray(seen, dtype=np.float32).ravel(), kept])
        return self._row


def has_memory(policy: Any) -> bool:
    """Whether a policy's network is one of sb3-contrib's recurrent ones."""
    return isinstance(getattr(policy, "lstm_actor", None), nn.LSTM) and hasattr(policy, "lstm_critic")


def remembering(layout: Layout, memory: Memory) -> Layout:
    """Return the layout of observations with the memory behind them, as one input."""
    start = int(np.prod(layout.shape))
    kept = Feature(name=NAME, kind="category", columns=tuple(range(start, start + memory.width)))
    return replace(layout, shape=(start + memory.width,), features=(*layout.features, kept))

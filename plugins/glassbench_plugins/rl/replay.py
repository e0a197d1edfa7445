"""The replay buffer: the last steps of all lanes, drawn in random order, each with what followed it."""

from typing import Any, NamedTuple

import numpy as np
import torch

from glassbench_plugins.rl.layout import Layout


class Steps(NamedTuple):
    """Steps lived through, one row each.

    Args:
        seen, reached: The observation an action was taken on, and the one it led to, as the environment gave them.
        actions: Choices, int64 `(n,)`, or continuous actions from -1 to 1, float32 `(n, dimensions)`.
        rewards: In the environment's own rewards `(n,)`.
        over: Whether the episode was over then, rather than cut off or going on, `(n,)`.
        ended: Whether it was over or cut off `(n,)`.
        taken: Whether the action was taken, rather than the step spent on beginning an episode, `(n,)`; others are never drawn.
    """

    seen: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    reached: np.ndarray
    over: np.ndarray
    ended: np.ndarray
    taken: np.ndarray


class Drawn(NamedTuple):
    """Steps to learn from, each with what followed it.

    Args:
        seen, actions: The observation an action was taken on, and the action, `(n, ...)`.
        gained: The discounted rewards of the steps looked ahead `(n,)`.
        reached: The observation they led to `(n, ...)`.
        weight: What the value of that counts: the discount of so many steps, 0 where the episode was over, `(n,)`.
    """

    seen: np.ndarray
    actions: np.ndarray
    gained: np.ndarray
    reached: np.ndarray
    weight: np.ndarray


class Replay:
    """The last steps lived through, to be learnt from in random order.

    Args:
        layout: What a step looks like.
        lanes: Environments played beside each other; their steps are added together.
        capacity: Steps at most, a multiple of `lanes` or cut down to one.
    """

    def __init__(self, layout: Layout, lanes: int, capacity: int) -> None:
        self.lanes, self.capacity, self.added = lanes, max(1, capacity // lanes) * lanes, 0
        capacity, wide = self.capacity, (self.capacity, *layout.shape)
        self.kept = Steps(
            seen=np.zeros(wide, dtype=layout.dtype),
            actions=_no_actions(layout, capacity),
            rewards=np.zeros(capacity, dtype=np.float32),
            reached=np.zeros(wide, dtype=layout.dtype),
            over=np.zeros(capacity, dtype=bool),
            ended=np.zeros(capacity, dtype=bool),
            taken=np.zeros(capacity, dtype=bool),
        )

    def __len__(self) -> int:
        """How many steps it holds."""
        return min(self.added, self.capacity)

    def add(self, steps: Steps) -> None:
        """Take steps in; the oldest make room."""
        count = len(steps.rewards)
        places = (self.added + np.arange(count)) % self.capacity
        for kept, new in zip(self.kept, steps, strict=True):
            kept[places] = new
        self.added += count

    def last(self, count: int) -> Steps:
        """Return the last `count` steps, or all there are."""
        places = (self.added - 1 - np.arange(min(count, len(self)))) % self.capacity
        return Steps(*(kept[places] for kept in self.kept))

    def draw(self, size: int, random: np.random.Generator, *, ahead: int, discount: float) -> Drawn:
        """Return `size` steps, drawn with replacement, each with the rewards of up to `ahead` steps of its episode."""
        ages = self._ages(size, random)
        first = last = (self.added - 1 - ages) % self.capacity
        gained, weight = self.kept.rewards[first].copy(), np.full(size, discount)
        going = ~self.kept.ended[first]
        for later in range(1, ahead):
            going = going & (ages >= later * self.lanes)
            following = (first + later * self.lanes) % self.capacity
            last = np.where(going, following, last)
            gained += np.where(going, weight * self.kept.rewards[following], 0)
            weight = np.where(going, weight * discount, weight)
            going = going & ~self.kept.ended[following]
        kept = self.kept
        weight = np.where(kept.over[last], 0, weight).astype(np.float32)
        return Drawn(kept.seen[first], kept.actions[first], gained, kept.reached[last], weight)

    def _ages(self, size: int, random: np.random.Generator) -> np.ndarray:
        """Draw how many steps ago each of `size` steps was added, of those that were taken."""
        ages = random.integers(len(self), size=size)
        while (idle := ~self.kept.taken[(self.added - 1 - ages) % self.capacity]).any():
            ages[idle] = random.integers(len(self), size=int(idle.sum()))
        return ages

    def state_dict(self) -> dict[str, Any]:
        """Return everything it holds."""
        return {"added": self.added, "kept": [torch.as_tensor(part[: len(self)]) for part in self.kept]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self.added = state["added"]
        for kept, saved in zip(self.kept, state["kept"], strict=True):
            kept[: len(self)] = saved.numpy()


def _no_actions(layout: Layout, capacity: int) -> np.ndarray:
    if layout.continuous:
        return np.zeros((capacity, layout.width), dtype=np.float32)
    return np.zeros(capacity, dtype=np.int64)

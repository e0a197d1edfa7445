"""Positions of finished games, drawn in random order and in random symmetries of the board."""

from typing import Any

import numpy as np
import torch

from glassbench_plugins.games.game import Game


class Positions:
    """The last positions of finished games, each with what is to be learnt of it.

    Args:
        game: The rules.
        capacity: Positions at most; the oldest make room.
    """

    def __init__(self, game: Game, capacity: int) -> None:
        self.capacity, self.added = capacity, 0
        squares, contents, moves = len(game.squares), len(game.contents), len(game.actions)
        self.seen = np.zeros((capacity, squares, contents), dtype=np.uint8)
        self.share = np.zeros((capacity, moves), dtype=np.float32)
        self.value = np.zeros(capacity, dtype=np.float32)
        images = [(np.arange(squares), np.arange(moves)), *game.mirrored()]
        self.places, self.actions = (np.stack(part) for part in zip(*images, strict=True))

    def __len__(self) -> int:
        """How many positions are remembered."""
        return min(self.added, self.capacity)

    def add(self, seen: np.ndarray, share: np.ndarray, value: np.ndarray) -> None:
        """Take the positions of a game in `(m, ...)`; the oldest make room."""
        places = (self.added + np.arange(len(value))) % self.capacity
        self.seen[places] = seen.reshape(len(value), *self.seen.shape[1:])
        self.share[places], self.value[places] = share, value
        self.added += len(value)

    def draw(self, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `size` positions drawn with replacement: what is seen `(size, d)`, shares of moves and values, float32."""
        rows = random.integers(len(self), size=size)
        image = random.integers(len(self.places), size=size)
        seen = self.seen[rows[:, None], self.places[image]].reshape(size, -1).astype(np.float32)
        return seen, self.share[rows[:, None], self.actions[image]], self.value[rows]

    def state_dict(self) -> dict[str, Any]:
        """Return everything it holds."""
        kept = [torch.as_tensor(part[: len(self)]) for part in (self.seen, self.share, self.value)]
        return {"added": self.added, "kept": kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self.added = state["added"]
        parts: tuple[np.ndarray, ...] = (self.seen, self.share, self.value)
        for part, kept in zip(parts, state["kept"], strict=True):
            part[: len(self)] = kept.numpy()

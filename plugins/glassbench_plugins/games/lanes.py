"""Games of self-play beside each other, and how to take them up again where they were."""

from typing import Any

import numpy as np
import torch

from glassbench_plugins.games.game import Game

Finished = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Of a finished game of m moves: what was seen `(m, d)`, the share of visits of each move `(m, actions)`, what the search found
the position to be worth `(m,)` and how the game ended `(m,)`, both for the player to move."""


class Lanes:
    """Games that a policy plays against itself; where one ends, the next begins at once.

    Where a game is, are the moves since its start.

    Args:
        game: The rules.
        count: How many.
    """

    def __init__(self, game: Game, count: int) -> None:
        self.game = game
        self.positions = game.start(count)
        self.moved = np.zeros(count, dtype=np.int64)
        self.record: list[list[tuple[np.ndarray, np.ndarray, float, int]]] = [[] for _ in range(count)]
        self.finished: list[tuple[float, int]] = []

    def move(self, actions: np.ndarray, share: np.ndarray, worth: np.ndarray) -> list[Finished]:
        """Make a move `(lanes,)` in every lane and return the games that are over.

        Args:
            actions: The moves.
            share: Of all visits, each move's `(lanes, actions)`.
            worth: What the search found the positions to be worth `(lanes,)`.
        """
        seen = self.game.seen(self.positions).astype(np.uint8)
        for lane, record in enumerate(self.record):
            record.append((seen[lane], share[lane], float(worth[lane]), int(actions[lane])))
        self.positions = self.game.play(self.positions, actions)
        self.moved += 1
        stands = self.game.outcome(self.positions)
        over = np.flatnonzero(stands.over | (self.moved >= self.game.longest))
        done = [self._ended(int(lane), float(stands.value[lane])) for lane in over]
        if len(over):
            self.positions[over], self.moved[over] = self.game.start(len(over)), 0
        return done

    def drain(self) -> list[tuple[float, int]]:
        """Return the result for who moved first, and the length, of every game finished since the last call."""
        finished, self.finished = self.finished, []
        return finished

    def state_dict(self) -> dict[str, Any]:
        """Return where the games are: tensors and plain values."""
        return {
            "moves": [[move for *_, move in record] for record in self.record],
            "share": [[torch.as_tensor(share) for _, share, *_ in record] for record in self.record],
            "worth": [[worth for _, _, worth, _ in record] for record in self.record],
            "finished": [list(one) for one in self.finished],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Play the games to where they were."""
        self.positions = self.game.start(len(self.record))
        for lane, moves in enumerate(state["moves"]):
            position, self.record[lane] = self.positions[lane : lane + 1], []
            for number, move in enumerate(moves):
                seen = self.game.seen(position).astype(np.uint8)[0]
                self.record[lane].append((seen, state["share"][lane][number].numpy(), state["worth"][lane][number], move))
                position = self.game.play(position, np.array([move]))
            self.positions[lane : lane + 1], self.moved[lane] = position, len(moves)
        self.finished = [(float(total), int(length)) for total, length in state["finished"]]

    def _ended(self, lane: int, value: float) -> Finished:
        """Return a finished game; `value` is the result for the player who would move now."""
        record, self.record[lane] = self.record[lane], []
        seen, share, worth, _ = zip(*record, strict=True)
        back = np.arange(len(record), 0, -1)
        result = np.where(back % 2 == 0, value, -value).astype(np.float32)
        self.finished.append((float(result[0]), len(record)))
        return np.stack(seen), np.stack(share), np.array(worth, dtype=np.float32), result

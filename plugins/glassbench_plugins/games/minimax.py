"""What moves are worth when both players look so many moves ahead."""

from typing import Any

import numpy as np

from glassbench_plugins.games.game import Game


def worth(game: Game, positions: Any, depth: int) -> np.ndarray:
    """Return what each move is worth to the player to move, -1, 0 or 1; -inf where it is not allowed, float32 `(n, actions)`.

    Positions that come up more than once are searched once. With a depth of the longest game this is full minimax: the
    game-theoretic value.

    Args:
        game: The rules.
        positions: n of them, in which the game goes on.
        depth: Moves ahead, the move itself counted; whatever goes on after that is worth 0.
    """
    allowed = game.legal(positions)
    which, action = np.nonzero(allowed)
    reached = game.play(positions[which], action)
    stands = game.outcome(reached)
    value = -stands.value
    if depth > 1 and not stands.over.all():
        going = np.flatnonzero(~stands.over)
        first, back = distinct(game, reached[going])
        replies = worth(game, reached[going][first], depth - 1).max(axis=1)
        value[going] = -replies[back]
    found = np.full(allowed.shape, -np.inf, dtype=np.float32)
    found[which, action] = value
    return found


def distinct(game: Game, positions: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return where each distinct position first stands `(m,)`, and which of these each position is `(n,)`."""
    _, first, back = np.unique(game.seen(positions), axis=0, return_index=True, return_inverse=True)
    return first, back.reshape(-1)

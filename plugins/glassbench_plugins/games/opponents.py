"""What a policy of a game is judged against."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from glassbench.errors import SettingsError
from glassbench_plugins.games.game import Game
from glassbench_plugins.games.minimax import worth

Opponent = Callable[[Game, Any, np.ndarray], np.ndarray]
"""From a game, n positions and random numbers from 0 to 1 `(n, actions)` to moves `(n,)`."""

_SEARCH = re.compile(r"search-([1-9])")


def opponent(name: str, game: Game) -> Opponent:
    """Return an opponent by its name: `random`, `search-1` to `search-9`, or `optimal`.

    Raises:
        SettingsError: There is none of that name, or the game is too large to be searched to its end.
    """
    if name == "random":
        return lambda game, positions, draws: np.where(game.legal(positions), draws, -1).argmax(axis=1)
    if name == "optimal":
        if not game.small:
            fix = "search-4 looks four moves ahead"
            raise SettingsError("this game is too large for optimal play", where="dataset.opponents", got=game.id, fix=fix)
        return searching(game.longest)
    found = _SEARCH.fullmatch(name)
    if found is None:
        known = ["random", "search-1 to search-9", *(["optimal"] if game.small else [])]
        raise SettingsError("there is no such opponent", where="dataset.opponents", got=name, available=known)
    return searching(int(found.group(1)))


def searching(depth: int) -> Opponent:
    """Return an opponent that looks `depth` moves ahead and draws among the moves that are worth most."""
    return lambda game, positions, draws: (worth(game, positions, depth) + 0.5 * draws).argmax(axis=1)

"""Games by the names that experiments give them."""

from glassbench.errors import DataError
from glassbench_plugins.games.game import Game
from glassbench_plugins.games.line_game import BUILT_IN
from glassbench_plugins.games.pettingzoo_game import PREFIX, pettingzoo_game


def named_game(name: str) -> Game:
    """Return a game by its name.

    Raises:
        DataError: There is no such game, or the package that brings it is missing.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name.startswith(PREFIX):
        return pettingzoo_game(name)
    available = [*BUILT_IN, f"{PREFIX}NAME, such as {PREFIX}classic/connect_four-v3"]
    raise DataError("there is no game of this name", where="dataset.id", got=name, available=available)

"""Board games of PettingZoo (Terry et al. 2021) by their names."""

import copy
import importlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from glassbench.errors import DataError
from glassbench_plugins.games.game import CONTENTS, Game, Outcome

PREFIX = "pettingzoo/"
_EXTRA = "pip install 'glassbench[games]'; for more games 'pettingzoo[classic]'"
_LONGEST, _STONES = 1_000, 2


@dataclass(frozen=True, eq=False)
class Standing:
    """A game of PettingZoo at one moment.

    Args:
        environment: PettingZoo's own, never stepped again: a move is made in a copy.
        mover: The player to move.
        value: What the game is worth to that player: 0 while it goes on.
        over: Whether it is over.
    """

    environment: Any
    mover: str
    value: float
    over: bool


class PettingZooGame(Game):
    """A game of two players of `pettingzoo.classic` whose observation is a board of planes and which says what moves are allowed.

    Positions are an array of `Standing`. A move copies the environment, so that a search takes far longer than in built-in games.

    Args:
        id: The name an experiment gives.
        environment: PettingZoo's own, begun.

    Raises:
        DataError: The game is of another kind.
    """

    longest = _LONGEST

    def __init__(self, id: str, environment: Any) -> None:
        self.id, self.environment = id, environment
        shown = environment.observe(environment.agent_selection)
        board = np.asarray(shown["observation"]) if isinstance(shown, dict) and "action_mask" in shown else np.zeros(())
        if board.ndim != 3 or len(environment.possible_agents) != 2 or not np.isin(board, (0, 1)).all():
            fix = "choose a board game of two players, such as classic/connect_four-v3"
            got = f"{len(environment.possible_agents)} players, observations {board.shape}"
            raise DataError("a game shows a board of planes to two players, who take turns", where="dataset.id", got=got, fix=fix)
        rows, columns, self.planes = board.shape
        self.shape = (rows, columns)
        self.squares = tuple(f"{row + 1},{column + 1}" for row in range(rows) for column in range(columns))
        self.actions = tuple(f"move {i}" for i in range(len(shown["action_mask"])))
        self.contents = CONTENTS if self.planes == _STONES else tuple(f"plane {i}" for i in range(self.planes))

    def start(self, count: int) -> np.ndarray:
        """Return `count` positions in which games begin."""
        return _array([Standing(self.environment, self.environment.agent_selection, 0.0, False)] * count)

    def legal(self, positions: np.ndarray) -> np.ndarray:
        """Return which moves PettingZoo allows."""
        return np.stack([np.asarray(self._shown(one)["action_mask"], dtype=bool) for one in positions])

    def play(self, positions: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the positions after legal moves.

        Raises:
            DataError: The same player moves again.
        """
        return _array([self._moved(one, int(action)) for one, action in zip(positions, actions, strict=True)])

    def outcome(self, positions: np.ndarray) -> Outcome:
        """Return where the games stand."""
        over, value = ([getattr(one, name) for one in positions] for name in ("over", "value"))
        return Outcome(over=np.array(over, dtype=bool), value=np.array(value, dtype=np.float32))

    def holds(self, positions: np.ndarray) -> np.ndarray:
        """Return what each square holds; of more than own and opposing stones, the first plane that is set."""
        planes = self._planes(positions)
        if self.planes == _STONES:
            stones: np.ndarray = planes[:, :, 0] + np.uint8(2) * planes[:, :, 1]
            return stones
        first: np.ndarray = planes.argmax(axis=2).astype(np.uint8)
        return first

    def seen(self, positions: np.ndarray) -> np.ndarray:
        """Return what a network sees: stones as in built-in games, else all planes."""
        if self.planes == _STONES:
            return super().seen(positions)
        return self._planes(positions).reshape(len(positions), -1).astype(np.float32)

    def _planes(self, positions: np.ndarray) -> np.ndarray:
        boards = [np.asarray(self._shown(one)["observation"]) for one in positions]
        return np.stack(boards).reshape(len(positions), len(self.squares), self.planes).astype(np.uint8)

    def _shown(self, standing: Standing) -> Any:
        return standing.environment.observe(standing.mover)

    def _moved(self, standing: Standing, action: int) -> Standing:
        environment = _copied(standing.environment)
        environment.step(action)
        rival = next(agent for agent in environment.possible_agents if agent != standing.mover)
        over = all(environment.terminations.values()) or all(environment.truncations.values())
        if not over and environment.agent_selection != rival:
            raise DataError("in a game the players take turns", where="dataset.id", got=f"{standing.mover} moves again")
        value = float(np.sign(environment.rewards.get(rival, 0))) if over else 0.0
        return Standing(environment, rival, value, over)


def pettingzoo_game(name: str) -> PettingZooGame:
    """Return a game that PettingZoo has registered, by its name: `pettingzoo/classic/connect_four-v3`.

    Raises:
        DataError: There is no such game, it is of another kind, or a package it needs is missing.
    """
    own = name.removeprefix(PREFIX)
    try:
        library = importlib.import_module("pettingzoo")
        known = sorted(library.aec_registry)
        if own not in known:
            near = get_close_matches(own, known, n=5, cutoff=0.4) or known
            raise DataError("PettingZoo has no game of this name", where="dataset.id", got=own, available=near)
        environment = library.make("aec", own).unwrapped
    except ImportError as error:
        got = str(error).splitlines()[0]
        raise DataError("this game needs a package that is not installed", where="dataset.id", got=got, fix=_EXTRA) from error
    environment.reset(seed=0)
    return PettingZooGame(name, environment)


def _copied(environment: Any) -> Any:
    """Return a copy with the state of the game; `copy.deepcopy` of most environments begins a new one instead (EzPickle)."""
    made = object.__new__(type(environment))
    spaces = [environment.__dict__.get(name) for name in ("observation_spaces", "action_spaces")]
    made.__dict__.update(copy.deepcopy(environment.__dict__, {id(space): space for space in spaces}))
    return made


def _array(standings: list[Standing]) -> np.ndarray:
    held = np.empty(len(standings), dtype=object)
    held[:] = standings
    return held

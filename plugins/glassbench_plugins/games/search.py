"""Tree search guided by a network (PUCT, as in AlphaZero; Silver et al. 2018), over many games at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench_plugins.games.game import Game

Judge = Callable[[Any], tuple[np.ndarray, np.ndarray]]
"""From positions, n of them, to the chances of moves `(n, actions)`, 0 for those not allowed, and what each position is worth to
the player to move, -1 to 1, `(n,)`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """What a search found of n positions.

    Args:
        visits: How often each move was looked at `(n, actions)`.
        worth: What each move is worth to the player to move, the mean over its visits, 0 without any `(n, actions)`.
        value: What the position is worth, the mean over all visits `(n,)`.
    """

    visits: np.ndarray
    worth: np.ndarray
    value: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """The move looked at most, of equals the one worth most `(n,)`."""
        chosen: np.ndarray = (self.visits + 0.25 * (self.worth + 1)).argmax(axis=1)
        return chosen


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a tree is searched.

    Args:
        simulations: Positions looked at for a move.
        exploration: Weight of the network's chances against what was found (c_puct).
        noise: Share of the chances at the root that is drawn at random, so that self-play tries other moves too.
        spread: Concentration of that draw (Dirichlet), times the number of moves allowed.
    """

    simulations: int
    exploration: float = 1.5
    noise: float = 0.0
    spread: float = 10.0

    def __call__(self, game: Game, positions: Any, judge: Judge, random: np.random.Generator | None = None) -> Found:
        """Search from positions in which the game goes on.

        Args:
            game: The rules.
            positions: n of them.
            judge: The network.
            random: Draws the noise; needed where there is any.
        """
        tree = _Tree(game, positions, judge, self)
        if self.noise and random is not None:
            tree.stir(random)
        for number in range(1, self.simulations + 1):
            tree.simulate(number)
        visits, total = tree.visits[:, 0], tree.total[:, 0]
        worth = total / np.maximum(visits, 1)
        return Found(visits=visits, worth=worth, value=total.sum(axis=1) / np.maximum(visits.sum(axis=1), 1))


class _Tree:
    """A tree for each of n games, grown by one position at a time; node 0 is the root."""

    def __init__(self, game: Game, positions: Any, judge: Judge, search: Search) -> None:
        self.game, self.judge, self.search = game, judge, search
        count, nodes, moves = len(positions), search.simulations + 1, len(game.actions)
        self.games = np.arange(count)
        self.positions = np.empty((count, nodes, *positions.shape[1:]), dtype=positions.dtype)
        self.positions[:, 0] = positions
        self.chances = np.zeros((count, nodes, moves), dtype=np.float32)
        self.visits = np.zeros((count, nodes, moves), dtype=np.float32)
        self.total = np.zeros((count, nodes, moves), dtype=np.float32)
        self.child = np.zeros((count, nodes, moves), dtype=np.int32)
        self.over = np.zeros((count, nodes), dtype=bool)
        self.value = np.zeros((count, nodes), dtype=np.float32)
        self.chances[:, 0], self.value[:, 0] = judge(positions)

    def stir(self, random: np.random.Generator) -> None:
        """Mix the chances at the roots with draws from a Dirichlet distribution over the moves allowed."""
        allowed = self.game.legal(self.positions[:, 0])
        shape = self.search.spread / allowed.sum(axis=1, keepdims=True)
        drawn = np.where(allowed, random.standard_gamma(np.broadcast_to(shape, allowed.shape)), 0)
        drawn = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-30)
        self.chances[:, 0] += self.search.noise * (drawn - self.chances[:, 0]).astype(np.float32)

    def simulate(self, number: int) -> None:
        """Walk down from every root to a position not seen yet or the end of a game, judge it, count it on the way back."""
        path = self._walk()
        games, node, action = (np.concatenate(part) for part in zip(*_last(path), strict=True))
        leaf = self.child[games, node, action]
        fresh = leaf == 0
        leaf[fresh] = number
        self._grow(games[fresh], node[fresh], action[fresh], number)
        value = np.zeros(len(self.games), dtype=np.float32)
        value[games] = self.value[games, leaf]
        sign = np.zeros(len(self.games), dtype=np.float32)
        sign[games] = -1
        for games, node, action in reversed(path):
            self.visits[games, node, action] += 1
            self.total[games, node, action] += sign[games] * value[games]
            sign[games] *= -1

    def _walk(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return the moves of the walk, level by level: the games still walking, the node each is at, and its move."""
        path = []
        games, node = self.games, np.zeros(len(self.games), dtype=np.int32)
        while len(games):
            action = self._preferred(games, node)
            path.append((games, node, action))
            child = self.child[games, node, action]
            on = (child > 0) & ~self.over[games, child]
            games, node = games[on], child[on]
        return path

    def _preferred(self, games: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Return the move of the highest upper bound; one not looked at yet counts as the position itself."""
        visits, chances = self.visits[games, node], self.chances[games, node]
        counted = visits.sum(axis=1, keepdims=True)
        unseen = self.value[games, node][:, None]
        worth = np.where(visits > 0, self.total[games, node] / np.maximum(visits, 1), unseen)
        bound = worth + self.search.exploration * chances * np.sqrt(counted + 1) / (1 + visits)
        action: np.ndarray = np.where(chances > 0, bound, -np.inf).argmax(axis=1)
        return action

    def _grow(self, games: np.ndarray, node: np.ndarray, action: np.ndarray, number: int) -> None:
        """Add the positions that moves lead to as node `number`."""
        if not len(games):
            return
        reached = self.game.play(self.positions[games, node], action)
        stands = self.game.outcome(reached)
        self.child[games, node, action] = number
        self.positions[games, number], self.over[games, number] = reached, stands.over
        self.value[games, number] = stands.value
        going = ~stands.over
        if going.any():
            self.chances[games[going], number], self.value[games[going], number] = self.judge(reached[going])


def _last(path: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return of each game the last move of its walk, in whatever order."""
    ended = []
    for (games, node, action), later in zip(path, [*(games for games, _, _ in path[1:]), np.zeros(0, dtype=int)], strict=True):
        still = np.isin(games, later, assume_unique=True, invert=True)
        ended.append((games[still], node[still], action[still]))
    return ended

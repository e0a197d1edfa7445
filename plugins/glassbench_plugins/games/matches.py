"""Games as a data set: matches against opponents, each with a seed of its own, and the lanes of self-play."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from glassbench_plugins.games.board_picture import board_picture
from glassbench_plugins.games.game import Game
from glassbench_plugins.games.opponents import opponent

SIDES = ("first", "second")
Policy = Callable[[Any], tuple[np.ndarray, np.ndarray]]
"""From n positions to moves `(n,)` and what is told of each move `(n, columns)`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Matches:
    """Games of a policy against opponents, in turns, each opponent and side equally often.

    Args:
        game: The rules.
        opponents: Names of opponents.
        purpose: What the games are for; no two purposes share a seed.
        seed: Seed of the data set.
        games: How many are played to judge a policy.
        lanes: Games played beside each other while learning.
    """

    game: Game
    opponents: tuple[str, ...]
    purpose: str
    seed: int
    games: int
    lanes: int

    def fingerprint(self) -> str:
        """Return what the games are made from."""
        made = [self.game.id, self.game.shape, self.opponents, self.purpose, self.seed, self.games, self.lanes]
        return json.dumps(made)

    def make(self, seed: int) -> "Match":
        """Return one match with a seed of its own."""
        return Match(number=0, seed=seed, opponent=self.opponents[0], first=True)

    def matches(self) -> list["Match"]:
        """Return the matches by which a policy is judged, not begun yet."""
        count = len(self.opponents)
        return [
            Match(number=i, seed=self.seed_of(i), opponent=self.opponents[i % count], first=(i // count) % 2 == 0)
            for i in range(self.games)
        ]

    def seed_of(self, number: int) -> int:
        """Return the seed of a match; it depends on the data set's seed, the purpose and the number alone."""
        purpose = int.from_bytes(self.purpose.encode(), "big") % 2**32
        return int(np.random.SeedSequence([self.seed, purpose, number]).generate_state(1)[0] >> 1)

    def render(self, rows: pd.DataFrame, frames: int) -> list[np.ndarray]:
        """Play a match again from its predictions and return some positions as pictures `(height, width, 3)`, evenly spread."""
        told = rows.iloc[0]
        match = Match(
            number=0, seed=int(told["seed"]), opponent=str(told["group.opponent"]), first=told["group.side"] == SIDES[0]
        )
        moves = iter([self.game.actions.index(str(name)) for name in rows["y_pred"]])
        play(self.game, [match], lambda positions: (np.array([next(moves)]), np.zeros((1, 0))))
        wanted = np.linspace(0, len(rows) - 1, min(frames, len(rows))).round().astype(int)
        return [board_picture(self.game, match.positions[i]) for i in wanted]


@dataclass(eq=False, kw_only=True)
class Match:
    """One game of a policy against an opponent.

    Args:
        number: Which one.
        seed: Seed of what the opponent draws.
        opponent: Its name.
        first: Whether the policy moves first.
        positions: What the policy saw at each of its moves, one position each.
        actions: Its moves.
        told: What it told of them.
        result: 1 won, 0 drawn, -1 lost, for the policy.
    """

    number: int
    seed: int
    opponent: str
    first: bool
    positions: list[Any] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    told: list[np.ndarray] = field(default_factory=list)
    result: float = 0.0


def play(game: Game, matches: Sequence[Match], policy: Policy) -> Sequence[Match]:
    """Play matches to their end, all beside each other, and return them."""
    generators = {match.number: np.random.default_rng(match.seed) for match in matches}
    rivals = {name: opponent(name, game) for name in {match.opponent for match in matches}}
    positions, playing, moved = game.start(len(matches)), list(matches), 0
    while playing:
        own = np.array([match.first == (moved % 2 == 0) for match in playing])
        actions = np.zeros(len(playing), dtype=np.int64)
        if own.any():
            actions[own] = _decide(_where(playing, own), positions[own], policy)
        for name, rival in rivals.items():
            theirs = ~own & np.array([match.opponent == name for match in playing])
            if theirs.any():
                draws = [generators[match.number].random(len(game.actions)) for match in _where(playing, theirs)]
                actions[theirs] = rival(game, positions[theirs], np.stack(draws))
        positions, moved = game.play(positions, actions), moved + 1
        stands = game.outcome(positions)
        over = stands.over | (moved >= game.longest)
        for match, ended, value, mine in zip(playing, over, stands.value, own, strict=True):
            if ended:
                match.result = float(-value if mine else value)
        positions, playing = positions[~over], _where(playing, ~over)
    return matches


def _decide(matches: Sequence[Match], positions: Any, policy: Policy) -> np.ndarray:
    actions, told = policy(positions)
    for i, match in enumerate(matches):
        match.positions.append(positions[i : i + 1])
        match.actions.append(int(actions[i]))
        match.told.append(told[i])
    return actions


def _where(matches: Sequence[Match], chosen: np.ndarray) -> list[Match]:
    return [match for match, one in zip(matches, chosen, strict=True) if one]

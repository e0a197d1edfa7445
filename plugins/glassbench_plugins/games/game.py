"""What a two-player game is: rules over many positions at once, always seen by the player to move."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

CONTENTS = ("empty", "own", "opponent")
"""What a square holds, as the player to move sees it."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where n games stand.

    Args:
        over: Whether the game is over `(n,)`.
        value: What that is worth to the player to move then: 1 won, 0 drawn or going on, -1 lost, float32 `(n,)`.
    """

    over: np.ndarray
    value: np.ndarray


class Game(ABC):
    """Rules of a game of two players who move in turns and of whom one wins what the other loses.

    Positions are an array whose first axis counts them; what they hold is the game's own affair.

    Attributes:
        id: The name an experiment gives.
        actions: Name of each move.
        squares: Name of each place that the board shows, row by row.
        shape: Rows and columns of the board.
        longest: Moves that a game lasts at most.
        contents: What a square can hold.
        small: Whether all positions can be searched to the end of the game.
    """

    id: str
    actions: tuple[str, ...]
    squares: tuple[str, ...]
    shape: tuple[int, int]
    longest: int
    contents: tuple[str, ...] = CONTENTS
    small: bool = False

    @abstractmethod
    def start(self, count: int) -> Any:
        """Return `count` positions in which games begin."""

    @abstractmethod
    def legal(self, positions: Any) -> np.ndarray:
        """Return which moves are allowed `(n, actions)`."""

    @abstractmethod
    def play(self, positions: Any, actions: np.ndarray) -> Any:
        """Return the positions after legal moves `(n,)`, seen by the other player."""

    @abstractmethod
    def outcome(self, positions: Any) -> Outcome:
        """Return where the games stand."""

    @abstractmethod
    def holds(self, positions: Any) -> np.ndarray:
        """Return what each square holds, numbers of `contents`, uint8 `(n, squares)`."""

    def seen(self, positions: Any) -> np.ndarray:
        """Return what a network sees: a 1 at what each square holds, float32 `(n, squares x contents)`."""
        return one_hot(self.holds(positions), len(self.contents))

    def mirrored(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Return the symmetries of the board besides itself: which square and which action take each one's place."""
        return ()


def one_hot(holds: np.ndarray, contents: int) -> np.ndarray:
    """From numbers of what squares hold `(n, squares)` to a 1 at each, float32 `(n, squares x contents)`."""
    seen: np.ndarray = np.eye(contents, dtype=np.float32)[holds].reshape(len(holds), -1)
    return seen

"""`glassbench/Maze-v0`: grids with walls drawn at random, with the length of the shortest path to a goal."""

from collections import deque
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

ID = "glassbench/Maze-v0"
FREE, WALL, GOAL, AGENT = range(4)
CONTENTS = ("free", "wall", "goal", "agent")
MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
STEP, ARRIVAL = -0.01, 1.0
"""What a step costs and what reaching the goal pays."""

_SHIFTS = tuple(MOVES.values())
_LARGEST_WALLS, _SMALLEST_SIZE, _LIMIT, _CELL = 0.5, 3, 100, 12
_META = {"render_modes": ["rgb_array"], "render_fps": 5}
_COLOURS = np.array([(255, 255, 255), (60, 60, 60), (44, 160, 44), (31, 119, 180)], dtype=np.uint8)


def register() -> None:
    """Make the environment known to Gymnasium."""
    if ID not in gymnasium.registry:
        gymnasium.register(id=ID, entry_point=f"{__name__}:Maze", max_episode_steps=_LIMIT)


def distances(walls: np.ndarray, goal: tuple[int, int]) -> np.ndarray:
    """Return the steps of the shortest path from every cell to a goal, by breadth-first search (Moore 1959); -1 where there is
    none.

    Args:
        walls: Where walls stand `(rows, columns)`, boolean.
        goal: Row and column of a free cell.

    Example:
        >>> distances(np.array([[False, True], [False, False]]), (0, 0)).tolist()
        [[0, -1], [1, 2]]
    """
    rows, columns = walls.shape
    found = np.full(walls.shape, -1, dtype=np.int64)
    found[goal] = 0
    waiting = deque([goal])
    while waiting:
        row, column = waiting.popleft()
        for down, right in _SHIFTS:
            cell = row + down, column + right
            inside = 0 <= cell[0] < rows and 0 <= cell[1] < columns
            if inside and not walls[cell] and found[cell] < 0:
                found[cell] = found[row, column] + 1
                waiting.append(cell)
    return found


class Maze(gymnasium.Env[np.ndarray, int]):
    """An agent looks for the shortest way to a goal.

    Each of `size x size` cells is a wall with the chance `walls`; the goal is a free cell, and the start any cell from which it
    can be reached in at least 2 steps. An episode whose grid has no such start draws another. A move into a wall, or off the
    board, leaves the agent where it is. A step pays -0.01, the one that reaches the goal 1 on top, which ends the episode.

    The observation says what each cell of the board holds, row by row: 0 free, 1 wall, 2 goal, 3 agent. `info` says `shortest`,
    the length of the shortest path from where the agent is, by breadth-first search.

    Args:
        size: Rows and columns of the maze.
        board: Rows and columns that are shown; what lies beyond the maze is wall. By default `size`.
        walls: Chance of a wall.
        render_mode: `rgb_array` draws the board.
    """

    metadata: ClassVar[dict[str, Any]] = _META  # type: ignore[misc]  # Gymnasium itself reads it from the class

    def __init__(
        self,
        *,
        size: int = 8,
        board: int | None = None,
        walls: float = 0.3,
        render_mode: Literal["rgb_array"] | None = None,
    ) -> None:
        self.size, self.board, self.walls, self.render_mode = size, board or size, walls, render_mode
        if not _SMALLEST_SIZE <= size <= self.board:
            raise ValueError(f"size lies between {_SMALLEST_SIZE} and board, {self.board}, not at {size}")
        if not 0 <= walls <= _LARGEST_WALLS:
            raise ValueError(f"walls lies between 0 and {_LARGEST_WALLS}, not at {walls}")
        self.metadata = _META | {"names": _names(self.board)}  # type: ignore[misc]  # the words of a cell depend on the board
        self.observation_space = spaces.MultiDiscrete([len(CONTENTS)] * self.board**2)
        self.action_space: spaces.Space[Any] = spaces.Discrete(len(MOVES))
        self.blocked = np.ones((self.board, self.board), dtype=bool)
        self.steps = np.zeros((self.board, self.board), dtype=np.int64)
        self.place, self.goal = (0, 0), (0, 0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Draw walls, goal and start anew."""
        super().reset(seed=seed)
        starts = np.zeros((0, 2), dtype=np.int64)
        while not len(starts):
            self.blocked[: self.size, : self.size] = self.np_random.random((self.size, self.size)) < self.walls
            free = np.argwhere(~self.blocked)
            if not len(free):
                continue
            self.goal = self._drawn(free)
            self.steps = distances(self.blocked, self.goal)
            starts = np.argwhere(self.steps >= 2)
        self.place = self._drawn(starts)
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move up (0), right (1), down (2) or left (3)."""
        down, right = _SHIFTS[int(action)]
        row, column = self.place[0] + down, self.place[1] + right
        if 0 <= row < self.board and 0 <= column < self.board and not self.blocked[row, column]:
            self.place = row, column
        arrived = self.place == self.goal
        return self._observation(), STEP + ARRIVAL * arrived, arrived, False, self._info()

    def render(self) -> np.ndarray:
        """Return the board as bytes `(12 board, 12 board, 3)`: walls dark, the goal green, the agent blue."""
        cells = _COLOURS[self._observation().reshape(self.board, self.board)]
        picture: np.ndarray = cells.repeat(_CELL, axis=0).repeat(_CELL, axis=1)
        return picture

    def _drawn(self, cells: np.ndarray) -> tuple[int, int]:
        row, column = cells[int(self.np_random.integers(len(cells)))]
        return int(row), int(column)

    def _observation(self) -> np.ndarray:
        cells = self.blocked.astype(np.int64)
        cells[self.goal] = GOAL
        cells[self.place] = AGENT
        return cells.ravel()

    def _info(self) -> dict[str, Any]:
        return {"shortest": int(self.steps[self.place])}


def _names(board: int) -> dict[str, Any]:
    cells = tuple((f"row {row + 1} column {column + 1}", None) for row in range(board) for column in range(board))
    return {
        "observations": cells,
        "contents": CONTENTS,
        "grid": (board, board),
        "actions": tuple(MOVES),
        "failure": "truncated",
        "shortest": "shortest",
    }

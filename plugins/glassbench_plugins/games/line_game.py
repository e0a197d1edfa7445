"""Games in which so many stones in a line win: tic-tac-toe and connect-four."""

import numpy as np

from glassbench_plugins.games.game import Game, Outcome


class LineGame(Game):
    """Stones are set on free squares; the first line of `line` own stones, in any direction, wins; a full board is a draw.

    A position is two whole numbers `(n, 2)`, the stones of the player to move and those of the other, one bit a square. Columns
    lie behind each other, each with a bit to spare on top, so that a line is found by shifting (a bitboard).

    Args:
        id: The name an experiment gives.
        shape: Rows and columns.
        line: Stones in a line that win.
        drops: Whether a stone falls to the lowest free square of a column, rather than staying where it is set.
    """

    def __init__(self, id: str, shape: tuple[int, int], line: int, *, drops: bool) -> None:
        self.id, self.shape, self.line, self.drops = id, shape, line, drops
        rows, columns = shape
        self.high = rows + 1
        letters = "abcdefghijklmnopqrstuvwxyz"[:columns]
        self.squares = tuple(f"{letters[column]}{rows - row}" for row in range(rows) for column in range(columns))
        self.actions = tuple(f"column {letter}" for letter in letters) if drops else self.squares
        self.longest = rows * columns
        self.small = self.longest <= 9
        places = [(rows - 1 - row) + self.high * column for row in range(rows) for column in range(columns)]
        self.bits = np.int64(1) << np.array(places, dtype=np.int64)
        self.full = np.bitwise_or.reduce(self.bits)
        bottoms = [self.high * column for column in range(columns)]
        self.bottoms = np.int64(1) << np.array(bottoms, dtype=np.int64)
        self.tops = self.bottoms << (rows - 1)
        self.columns = self.bottoms * ((1 << rows) - 1)
        self.steps = (1, self.high, self.high - 1, self.high + 1)

    def start(self, count: int) -> np.ndarray:
        """Return empty boards `(count, 2)`."""
        return np.zeros((count, 2), dtype=np.int64)

    def legal(self, positions: np.ndarray) -> np.ndarray:
        """Return which squares are free, or which columns are not full."""
        taken = positions[..., 0] | positions[..., 1]
        free: np.ndarray = (taken[..., None] & (self.tops if self.drops else self.bits)) == 0
        return free

    def play(self, positions: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the boards with one more stone, seen by the other player."""
        own, other = positions[:, 0], positions[:, 1]
        taken = own | other
        stone = (taken + self.bottoms[actions]) & self.columns[actions] & ~taken if self.drops else self.bits[actions]
        return np.stack([other, own | stone], axis=1)

    def outcome(self, positions: np.ndarray) -> Outcome:
        """Return where the games stand; the player who has just moved may have won."""
        lost = self.lines(positions[:, 1])
        full = (positions[:, 0] | positions[:, 1]) == self.full
        return Outcome(over=lost | full, value=np.where(lost, np.float32(-1), np.float32(0)))

    def lines(self, stones: np.ndarray) -> np.ndarray:
        """Return whether stones `(n,)` hold a line `(n,)`."""
        found = np.zeros(len(stones), dtype=bool)
        for step in self.steps:
            run = stones
            for further in range(1, self.line):
                run = run & (stones >> np.int64(step * further))
            found |= run != 0
        return found

    def holds(self, positions: np.ndarray) -> np.ndarray:
        """Return what each square holds `(n, squares)`."""
        own, other = ((positions[:, side, None] & self.bits) != 0 for side in (0, 1))
        holds: np.ndarray = own.astype(np.uint8) + np.uint8(2) * other.astype(np.uint8)
        return holds

    def mirrored(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Return the board's mirror image, and where stones do not fall all eight images of a square board but itself."""
        board = np.arange(self.longest).reshape(self.shape)
        if self.drops:
            return ((board[:, ::-1].ravel(), np.arange(self.shape[1])[::-1]),)
        turned = [np.rot90(board, k) for k in (range(4) if self.shape[0] == self.shape[1] else (0, 2))]
        images = [image.ravel() for one in turned for image in (one, one[:, ::-1])]
        return tuple((image, image) for image in images[1:])


TIC_TAC_TOE = LineGame("tic-tac-toe", (3, 3), 3, drops=False)
CONNECT_FOUR = LineGame("connect-four", (6, 7), 4, drops=True)
BUILT_IN: dict[str, LineGame] = {game.id: game for game in (TIC_TAC_TOE, CONNECT_FOUR)}

"""A position as a picture."""

from typing import Any

import numpy as np

from glassbench_plugins.games.game import Game

_SIZE, _RADIUS = 20, 7
_COLOURS = np.array([(255, 255, 255), (31, 119, 180), (214, 96, 30)], dtype=np.uint8)


def board_picture(game: Game, position: Any) -> np.ndarray:
    """Return one position as bytes `(height, width, 3)`: own stones blue, the opponent's orange."""
    rows, columns = game.shape
    holds = game.holds(position)[0].reshape(rows, columns)
    canvas = np.full((rows * _SIZE + 1, columns * _SIZE + 1, 3), 200, dtype=np.uint8)
    across, down = np.meshgrid(np.arange(_SIZE - 1), np.arange(_SIZE - 1))
    disc = (across - _SIZE // 2 + 1) ** 2 + (down - _SIZE // 2 + 1) ** 2 <= _RADIUS**2
    for row in range(rows):
        for column in range(columns):
            square = np.full((_SIZE - 1, _SIZE - 1, 3), 255, dtype=np.uint8)
            square[disc] = _COLOURS[min(int(holds[row, column]), len(_COLOURS) - 1)]
            canvas[row * _SIZE + 1 : (row + 1) * _SIZE, column * _SIZE + 1 : (column + 1) * _SIZE] = square
    return canvas

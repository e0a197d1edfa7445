"""A network of boards: which move, and who will win."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count
from glassbench_plugins.rl.layers import observed, outputs_of


class BoardNetwork(nn.Module):
    """Convolutions over the board, each added to what it sees (He et al. 2016), then a head for moves and one for the value.

    Args:
        schema: What the game shows and takes.
        channels: Numbers kept for each square.
        layers: Convolutions of 3 x 3 squares.
        hidden: Units between the board and the value.

    Raises:
        FitError: The observation shows no grid of squares.
    """

    def __init__(self, schema: Schema, *, channels: Count = 32, layers: Count = 3, hidden: Count = 64) -> None:
        super().__init__()
        grid = observed(schema).grid
        if grid is None:
            raise FitError("this network sees a board", got="an observation without a grid", fix="use the data set 'game'")
        self.grid = grid
        squares = grid[0] * grid[1]
        contents = int(schema.shape[0] or 1) // squares
        self.first = nn.Conv2d(contents, channels, 3, padding=1)
        self.body = nn.ModuleList([nn.Conv2d(channels, channels, 3, padding=1) for _ in range(layers - 1)])
        self.move = nn.Linear(channels * squares, outputs_of(schema))
        self.value = nn.Sequential(nn.Linear(channels * squares, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Tanh())
        nn.init.normal_(self.move.weight, std=1e-3)

    def forward(self, observations: Tensor) -> Tensor:
        """From boards `(n, squares x contents)` to a preference for each move, and last what the position is worth to the player
        to move, -1 to 1, `(n, actions + 1)`."""
        planes = observations.reshape(len(observations), *self.grid, -1).permute(0, 3, 1, 2)
        seen = self.first(planes).relu()
        for layer in self.body:
            seen = (seen + layer(seen)).relu()
        flat = seen.flatten(1)
        return torch.cat([self.move(flat), self.value(flat)], dim=1)

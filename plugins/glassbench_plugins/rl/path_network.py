"""A network that plans a path over a grid."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, CountOrZero
from glassbench_plugins.rl.layers import observed, outputs_of

_SIDES = 4


class PathNetwork(nn.Module):
    """What each step on a grid is worth, from values that spread from cell to cell (Nardelli et al. 2019, MVProp).

    What a cell holds decides its own worth `r` and how much of a neighbour's worth it passes on, `p` from 0 to 1. With `v = r` at
    first, each round takes `v = max(v, r + p (v' - r))`, `v'` the largest value among the four cells beside it. The worth of a
    step is read from the value and the `p` of the cell that it leads to and the value of the cell that it leaves. What walls and
    goals are must be learnt; that worth spreads to cells beside is built in.

    Args:
        schema: What the environment shows and takes.
        rounds: How often values spread, which bounds the length of paths that are seen; 0 stands for twice rows and columns.
        hidden: Units between values and the worth of a step.
        agent: Which of the contents of a cell is the agent, counted from 0.

    Raises:
        FitError: The observation shows no grid, or there are other than four actions.
    """

    def __init__(self, schema: Schema, *, rounds: CountOrZero = 0, hidden: Count = 16, agent: CountOrZero = 3) -> None:
        super().__init__()
        grid = observed(schema).grid
        if grid is None or outputs_of(schema) != _SIDES:
            got = "no grid" if grid is None else f"{outputs_of(schema)} actions"
            raise FitError("this network plans on a grid with the steps up, right, down and left", got=got, fix="use 'q-network'")
        self.grid, self.agent = grid, agent
        self.rounds = rounds or 2 * sum(grid)
        self.cell = nn.Linear(int(schema.shape[0] or 1) // (grid[0] * grid[1]), 2)
        last = nn.Linear(hidden, 1)
        self.step = nn.Sequential(nn.Linear(3, hidden), nn.ReLU(), last)
        with torch.no_grad():  # at first a step is worth what the cell that it leads to is, and all cells pass on alike
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            self.cell.weight.mul_(0.1)
            self.cell.bias.copy_(torch.tensor([0.0, 2.0]))

    def forward(self, observations: Tensor) -> Tensor:
        """From boards `(n, cells x contents)` to the worth of a step up, right, down and left `(n, 4)`."""
        cells = observations.reshape(len(observations), *self.grid, -1)
        own, passed = self.cell(cells).unbind(dim=3)
        passed = passed.sigmoid()
        value, kept = own, own * (1 - passed)
        for _ in range(self.rounds):
            up, right, down, left = _beside(value)
            largest = torch.maximum(torch.maximum(up, right), torch.maximum(down, left))
            value = torch.maximum(value, torch.addcmul(kept, passed, largest))
        here = cells[..., self.agent]
        around = [
            torch.stack([side, open_side, value], dim=3) for side, open_side in zip(_beside(value), _beside(passed), strict=True)
        ]
        seen = torch.einsum("ncdsf,ncd->nsf", torch.stack(around, dim=3), here)
        worth: Tensor = seen[:, :, 0] + self.step(seen)[:, :, 0]
        return worth


def _beside(values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the value above, to the right of, below and to the left of each cell `(n, rows, columns)`, 0 off the board."""
    padded = nn.functional.pad(values, (1, 1, 1, 1))
    return padded[:, :-2, 1:-1], padded[:, 1:-1, 2:], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2]

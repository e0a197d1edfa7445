"""A network whose layers add to what they are given."""

from torch import Tensor, nn

from glassbench import ModelSpec, Schema, hookimpl


@hookimpl
def glassbench_models() -> list[ModelSpec]:
    return [ModelSpec(name="residual", summary="Layers that add.", target="glassbench_residual:Residual")]


class Residual(nn.Module):
    """Layers whose results are added to what came in.

    Args:
        schema: Tells how many numbers come in and how many classes there are.
        width: Numbers between layers.
        depth: Layers.
    """

    def __init__(self, schema: Schema, *, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        self.first = nn.Linear(schema.shape[0] or 1, width)
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(depth))
        self.last = nn.Linear(width, max(1, len(schema.target.classes)))

    def forward(self, rows: Tensor) -> Tensor:
        hidden: Tensor = self.first(rows)
        for layer in self.layers:
            hidden = hidden + layer(hidden)
        scores: Tensor = self.last(hidden)
        return scores

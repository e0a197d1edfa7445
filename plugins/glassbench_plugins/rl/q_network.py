"""A network of action values."""

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench_plugins.rl.layers import Activation, head, outputs_of, stack


class QNetwork(nn.Module):
    """The expected return of each action.

    Args:
        schema: What the environment shows and takes.
        hidden: Units of each hidden layer.
        activation: What stands between the layers.
        duelling: Whether the value of the state and the advantage of each action have layers of their own (Wang et al.
            2016).
    """

    def __init__(
        self, schema: Schema, *, hidden: tuple[int, ...] = (128, 128), activation: Activation = "relu", duelling: bool = True
    ) -> None:
        super().__init__()
        layers, width = stack(schema, hidden, activation)
        self.body = nn.Sequential(*layers)
        self.advantage = head(width, outputs_of(schema), 0.1)
        self.value = head(width, 1, 1.0) if duelling else None

    @property
    def preferring(self) -> nn.Module:
        """The part that alone decides what to do: the state's own value is the same for every action."""
        return nn.Sequential(*self.body, self.advantage)

    def forward(self, observations: Tensor) -> Tensor:
        """From observations `(n, ...)` to the value of each action `(n, actions)`."""
        seen = self.body(observations)
        advantage: Tensor = self.advantage(seen)
        if self.value is None:
            return advantage
        value: Tensor = self.value(seen)
        return value + advantage - advantage.mean(dim=1, keepdim=True)

"""An actor and a critic."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import PositiveNumber
from glassbench_plugins.rl.layers import Activation, head, observed, outputs_of, stack


class ActorCritic(nn.Module):
    """Two networks side by side: what to do, and how good it is to be here.

    Args:
        schema: What the environment shows and takes.
        hidden: Units of each hidden layer, of the actor and of the critic.
        activation: What stands between the layers.
        deviation: Standard deviation of a continuous action at the start, as a share of half its range.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: tuple[int, ...] = (64, 64),
        activation: Activation = "tanh",
        deviation: PositiveNumber = 1.0,
    ) -> None:
        super().__init__()
        outputs = outputs_of(schema)
        layers, width = stack(schema, hidden, activation)
        self.policy = nn.Sequential(*layers, head(width, outputs, 0.01))
        layers, width = stack(schema, hidden, activation)
        self.value = nn.Sequential(*layers, head(width, 1, 1.0))
        if observed(schema).continuous:
            self.log_deviation = nn.Parameter(torch.full((outputs,), deviation).log())

    @property
    def preferring(self) -> nn.Module:
        """The part that alone decides what to do."""
        return self.policy

    def judged(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """From observations `(n, ...)` to the preferences `(n, outputs)` and the value of the state `(n, 1)`."""
        return self.policy(observations), self.value(observations)

    def forward(self, observations: Tensor) -> Tensor:
        """From observations `(n, ...)` to a preference per choice, or the mean of each dimension of an action, and last the
        value of the state, `(n, outputs + 1)`."""
        return torch.cat(self.judged(observations), dim=1)

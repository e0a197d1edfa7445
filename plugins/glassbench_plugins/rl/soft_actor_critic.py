"""A policy of continuous actions and two critics."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench_plugins.rl.layers import Activation, head, observed, outputs_of, stack
from glassbench_plugins.rl.twin_critics import TwinCritics

_LOWEST, _HIGHEST = -20.0, 2.0
"""Between which the logarithm of an action's deviation is kept, as in the authors' code."""

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class SoftActorCritic(nn.Module):
    """A normal distribution over actions, squashed into their range, and two critics of state and action (Haarnoja et al. 2018).

    Args:
        schema: What the environment shows and takes.
        hidden: Units of each hidden layer, of the policy and of both critics.
        activation: What stands between the layers.

    Raises:
        FitError: Actions are choices, or observations are pictures.
    """

    def __init__(self, schema: Schema, *, hidden: tuple[int, ...] = (256, 256), activation: Activation = "relu") -> None:
        super().__init__()
        facts = observed(schema)
        if facts.pixels or not facts.continuous:
            shown = "pictures" if facts.pixels else "choices"
            raise FitError("this model takes rows of numbers and gives continuous actions", got=shown, fix="use the task 'ppo'")
        outputs = outputs_of(schema)
        layers, width = stack(schema, hidden, activation)
        self.body = nn.Sequential(*layers)
        self.mean = head(width, outputs, 0.01)
        self.log_deviation = head(width, outputs, 0.01)
        self.critics = TwinCritics(schema, hidden, activation)
        self.log_temperature = nn.Parameter(torch.zeros(()))

    @property
    def preferring(self) -> nn.Module:
        """The part that alone decides what to do, `(n, outputs)` from -1 to 1."""
        return nn.Sequential(*self.body, self.mean, nn.Tanh())

    def drawn(self, observations: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return an action for each observation, `(n, outputs)` from -1 to 1, and the logarithm of its density `(n,)`.

        Args:
            observations: `(n, d)`.
            noise: Standard normal numbers `(n, outputs)`.
        """
        seen = self.body(observations)
        log_deviation = self.log_deviation(seen).clamp(_LOWEST, _HIGHEST)
        free = self.mean(seen) + log_deviation.exp() * noise
        # The density of tanh(u) is that of u divided by 1 - tanh(u)^2 = 4 / (e^u + e^-u)^2.
        squashed = 2 * (math.log(2) - free - nn.functional.softplus(-2 * free))
        density = -0.5 * noise.square() - log_deviation - _HALF_LOG_TAU - squashed
        return free.tanh(), density.sum(dim=1)

    def forward(self, observations: Tensor) -> Tensor:
        """From observations `(n, d)` to the preferred action from -1 to 1, the same before it is squashed, and last the value of
        the state, what the more doubtful critic expects of that action, `(n, 2 x outputs + 1)`."""
        mean: Tensor = self.mean(self.body(observations))
        action = mean.tanh()
        value = self.critics(observations, action).amin(dim=0)
        return torch.cat([action, mean, value[:, None]], dim=1)


def limited(log_deviation: np.ndarray) -> np.ndarray:
    """Return the logarithms of deviations within their limits."""
    kept: np.ndarray = np.clip(log_deviation, _LOWEST, _HIGHEST)
    return kept

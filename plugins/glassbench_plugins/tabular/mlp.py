"""Fully connected layers."""

from typing import Literal

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.tabular.sizes import inputs_of, outputs_of

Activation = Literal["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Mlp(nn.Module):
    """A multilayer perceptron.

    Every activation is a module of its own, since DeepLift follows each module's input once.

    Args:
        schema: Tells how many inputs and outputs there are.
        hidden: Width of each hidden layer; empty makes a linear model.
        activation: What follows each hidden layer.
        dropout: Share of a hidden layer's outputs set to 0 while training.
        batch_norm: Whether each hidden layer is normalised over the batch before its activation.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: tuple[Count, ...] = (64, 64),
        activation: Activation = "relu",
        dropout: ShareBelowOne = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        if any(units < 1 for units in hidden) or not 0 <= dropout < 1:
            got = f"hidden {list(hidden)}, dropout {dropout:g}"
            raise SettingsError("layers need a unit at least, and dropout is a share below 1", got=got, where="model")
        width, layers = inputs_of(schema), list[nn.Module]()
        for units in hidden:
            layers.append(nn.Linear(width, units))
            layers += [nn.BatchNorm1d(units)] if batch_norm else []
            layers.append(_ACTIVATIONS[activation]())
            layers += [nn.Dropout(dropout)] if dropout else []
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, outputs_of(schema)))

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, d)` to logits `(n, classes)` or values `(n, 1)`."""
        output: Tensor = self.layers(inputs)
        return output

"""Logistic or linear regression as a network."""

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench_plugins.tabular.sizes import inputs_of, outputs_of


class Linear(nn.Module):
    """Weighs each input once: logistic regression for classes, linear regression for a value.

    Args:
        schema: Tells how many inputs and outputs there are.
        bias: Whether to add a constant per output.
    """

    def __init__(self, schema: Schema, *, bias: bool = True) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs_of(schema), outputs_of(schema), bias=bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, d)` to logits `(n, classes)` or values `(n, 1)`."""
        output: Tensor = self.layer(inputs)
        return output

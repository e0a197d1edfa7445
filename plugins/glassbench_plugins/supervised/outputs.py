"""What a network's output must look like: a width that does not fit is refused, never cut or broadcast."""

from typing import Any

from torch import Tensor

from glassbench.errors import FitError


def checked_logits(output: Any, classes: int) -> Tensor:
    """Return logits `(n, classes)` as they are.

    Args:
        output: What the network gave.
        classes: How many classes there are.

    Raises:
        FitError: They are none, or of another number of classes.
    """
    if isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] == classes:
        return output
    raise FitError(
        "the model's output does not fit the classes",
        got=_shape(output),
        available=[f"(rows, {classes}): a logit for each class"],
        fix="let the last layer of the model give schema.target.outputs numbers",
    )


def checked_values(output: Any) -> Tensor:
    """Return values `(n,)` from an output `(n,)` or `(n, 1)`.

    Raises:
        FitError: It is of another shape.
    """
    if isinstance(output, Tensor) and (output.ndim == 1 or (output.ndim == 2 and output.shape[1] == 1)):
        return output.reshape(len(output))
    raise FitError(
        "the model's output is not one number per row",
        got=_shape(output),
        available=["(rows,)", "(rows, 1)"],
        fix="let the last layer of the model give one number",
    )


def _shape(output: Any) -> str:
    return f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__

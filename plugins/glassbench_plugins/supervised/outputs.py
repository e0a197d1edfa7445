"""What a network's output must look like: a width that does not fit is refused, never cut or broadcast."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassbench.errors import FitError


def checked_width(
    output: Any, width: int, of: str, *, fix: str = "let the last layer of the model give schema.target.outputs numbers"
) -> Tensor:
    """Return outputs `(n, width)` as they are.

    Args:
        output: What the model gave.
        width: How many numbers a row must have.
        of: What each of them is of, in the singular ("class").
        fix: What to do where they do not fit.

    Raises:
        FitError: They are of another shape.
    """
    if isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] == width:
        return output
    problem = f"the task asks the model for an output of {width} numbers per row, one for each {of}"
    raise FitError(problem, got=_shape(output), fix=fix)


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


def softmax(logits: Tensor) -> Tensor:
    """Return probabilities `(n, classes)` of logits, in double precision.

    By NumPy's exponential function, which exported models use too, so that theirs are the same to the last digit.
    """
    values = logits.double().numpy()
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return torch.from_numpy(raised / raised.sum(axis=1, keepdims=True))


def _shape(output: Any) -> str:
    return f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__

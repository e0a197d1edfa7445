"""How wide a model of encoded tables must be."""

from math import prod

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError


def inputs_of(schema: Schema) -> int:
    """Return the number of encoded columns of one encoded row, `d`.

    Raises:
        FitError: The rows have no fixed width.
    """
    sizes = [size for size in schema.shape if size is not None]
    if len(sizes) < len(schema.shape) or len(sizes) != 1:
        raise FitError("this model needs rows of a fixed width", got=f"{schema.modality} rows of shape {schema.shape}")
    return prod(sizes)


def outputs_of(schema: Schema) -> int:
    """Return one output per class, or one for a value."""
    return schema.target.outputs

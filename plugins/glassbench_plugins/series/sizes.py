"""What a model of series must know of its rows."""

from dataclasses import dataclass
from math import prod

from torch import Tensor

from glassbench.contracts.facts import SeriesFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of a model of series.

    Args:
        length: Steps of one row.
        channels: Channels of one row.
        output: `(horizon, channels)` of a forecast, `(classes,)` of a classification.
    """

    length: int
    channels: int
    output: tuple[int, ...]

    @property
    def outputs(self) -> int:
        """How many numbers the model answers."""
        return prod(self.output)

    def answer(self, flat: Tensor) -> Tensor:
        """From `(n, outputs)` to a forecast `(n, horizon, channels)` or logits `(n, classes)`."""
        return flat.reshape(flat.shape[0], *self.output)


def shape_of(schema: Schema, model: str) -> Shape:
    """Return the sizes that rows ask of a model.

    Args:
        schema: What the rows are.
        model: The model's name, for the message.

    Raises:
        FitError: The rows are no series of a fixed length, or there is neither a horizon nor a class.
    """
    sizes = [size for size in schema.shape if size is not None]
    if schema.modality != "series" or len(schema.shape) != 2 or len(sizes) != 2:
        raise FitError(
            f"'{model}' needs series of a fixed length, rows of shape (steps, channels)",
            got=f"{schema.modality} rows of shape {schema.shape}",
            fix="choose a data set of series, or another model",
        )
    if schema.target.kind == "class":
        return Shape(length=sizes[0], channels=sizes[1], output=(len(schema.target.classes),))
    facts = schema.facts_of(SeriesFacts)
    if facts is None or facts.forecast is None:
        raise FitError(f"'{model}' needs classes or a horizon to forecast", got=f"a target of kind '{schema.target.kind}'")
    return Shape(length=sizes[0], channels=sizes[1], output=(facts.forecast.horizon, sizes[1]))


def forecast_of(schema: Schema, model: str) -> Shape:
    """Return the sizes that rows ask of a model that forecasts only.

    Raises:
        FitError: The rows are no series, or nothing is to be forecast.
    """
    shape = shape_of(schema, model)
    if schema.target.kind == "class":
        raise FitError(f"'{model}' forecasts", got="a target of classes", fix="use series-cnn or series-lstm")
    return shape

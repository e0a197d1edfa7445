"""Types of settings with a range: a value out of it is refused before anything is trained."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def _written(given: Any) -> Any:
    """Return a number or a truth value as it is written."""
    return str(given) if isinstance(given, bool | int | float) else given


Name = Annotated[str, BeforeValidator(_written, json_schema_input_type=str | float | bool)]
"""The name of a class or a group: text, or a number or truth value that is its name."""

Level = Annotated[float, Field(ge=0.5, lt=1.0)]
"""A confidence level: at least 0.5, below 1 (0.95, not 95)."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share or a probability, from 0 to 1."""

OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]
"""A share of which something must remain on both sides: above 0, below 1."""

PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]
"""A share above 0, at most 1."""

ShareBelowOne = Annotated[float, Field(ge=0.0, lt=1.0)]
"""A share from 0, below 1, such as a dropout rate."""

Count = Annotated[int, Field(ge=1)]
"""A whole number, at least 1."""

CountOrZero = Annotated[int, Field(ge=0)]
"""A whole number, at least 0."""

Replicates = Annotated[int, Field(ge=10, le=1_000_000)]
"""A number of resamples or random draws behind intervals and p-values: at least 10, and 1,000 for
figures to be relied on."""

PositiveNumber = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
"""A finite number above 0."""

NonNegativeNumber = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
"""A finite number, at least 0."""

"""Data frames of other libraries than pandas: read as pandas, and given back to the model as they came."""

from collections.abc import Callable
from typing import Any

import narwhals as nw
import pandas as pd

from glassbench.errors import DataError


def as_pandas(given: Any) -> Any:
    """Return a data frame or series of another library as pandas; anything else as it is.

    Args:
        given: Anything; frames and series that narwhals knows, such as those of polars and pyarrow, are read, and data sets of
            Hugging Face.

    Raises:
        DataError: It is a lazy frame, whose rows have no order yet.
    """
    if type(given).__module__.partition(".")[0] == "datasets" and hasattr(given, "to_pandas"):  # Hugging Face
        return given.with_format(None).to_pandas()
    found = _foreign(given)
    return given if found is None else found.to_pandas()


def giver_of(given: Any) -> Callable[[Any], Any] | None:
    """Return what turns pandas rows into a frame of the library that `given` is of; None where they may stay pandas."""
    found = _foreign(given)
    if not isinstance(found, nw.DataFrame):
        return None
    if found.implementation.is_polars():
        return lambda rows: nw.from_native(rows, eager_only=True).to_polars()
    if found.implementation.is_pyarrow():
        return lambda rows: nw.from_native(rows, eager_only=True).to_arrow()
    return None


def _foreign(given: Any) -> "nw.DataFrame[Any] | nw.Series[Any] | None":
    if isinstance(given, pd.DataFrame | pd.Series | pd.Index):
        return None
    found = nw.from_native(given, allow_series=True, pass_through=True)
    if isinstance(found, nw.LazyFrame):
        raise DataError(
            "the rows of a lazy frame have no order yet", got=type(given).__name__, fix="collect it first: .collect()"
        )
    return found if isinstance(found, nw.DataFrame | nw.Series) else None

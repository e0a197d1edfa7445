"""One group-by, written once, for whatever holds the rows."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from glassbench.errors import DataError

COUNT = "glassbench count"
"""The column of counts; a data set's own column of this name is refused by the engines."""

MOST = 1_000_000
"""The most different rows; beyond, they are no counts any more."""


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Return names that no engine takes for more than names: a dot would be a field within a column."""
    return {name: f"column_{place}" for place, name in enumerate(names)}


def grouped(table: Any, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return the different rows of a native lazy table and how many there are of each, in the column `COUNT`.

    Args:
        table: The table.
        columns: The columns that tell rows apart, and what the table calls them.

    Raises:
        DataError: There are no rows, or too many different ones.
    """
    by = list(columns.values())
    counted = nw.from_native(table).group_by(*by).agg(nw.len().alias(COUNT)).sort(*by).head(MOST + 1)
    frame: pd.DataFrame = counted.collect(backend="pyarrow").to_native().to_pandas()
    if len(frame) > MOST:
        raise DataError(
            f"more than {MOST:,} rows are different: these are no groups to count",
            got=", ".join(columns),
            fix="cut numbers into bands in the file, or leave a column out",
        )
    if frame.empty:
        raise DataError("the table is empty", got="0 rows", where="dataset.path")
    return frame.rename(columns={plain: name for name, plain in columns.items()})


def unreadable(said: str) -> DataError:
    """Return the error that says of an engine's words what a person needs."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next((m.group(1) for text in lines if (m := re.search(r"CSV Error on Line: (\d+)", text))), None)
    telling = (text for text in lines if re.search("Expected Number|[Mm]alformed", text))
    wrong = next(telling, lines[0] if lines else "")
    return DataError(
        "the file cannot be read" if line is None else "a row has another number of cells than there are columns",
        got=wrong[:200],
        where="dataset.path" if line is None else f"dataset.path, line {line}",
    )

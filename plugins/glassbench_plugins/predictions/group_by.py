"""One group-by, written once, for whatever holds the rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd

from glassbench.errors import DataError

COUNT = "glassbench count"
"""The column of counts; a data set's own column of this name is refused by the engines."""

MOST = 1_000_000
"""The most different rows; beyond, they are no counts any more."""


@dataclass(frozen=True, kw_only=True)
class OpenTable:
    """A table that an engine holds open.

    Args:
        table: The engine's own lazy table, its columns under plain names.
        names: The plain name of each column.
        distinct: Returns how many different values columns have, by plain names, estimated in one pass over the rows.
    """

    table: Any
    names: Mapping[str, str]
    distinct: Callable[[Sequence[str]], Sequence[int]]


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Return names that no engine takes for more than names: a dot would be a field within a column."""
    return {name: f"column_{place}" for place, name in enumerate(names)}


def distinct_values(columns: Sequence[str]) -> str:
    """Return the expressions that estimate how many values columns have (HyperLogLog), as DuckDB and Spark both write them."""
    return ", ".join(f"approx_count_distinct({name}) AS {name}" for name in columns)


def grouped(opened: OpenTable, columns: Sequence[str]) -> pd.DataFrame:
    """Return the different rows of an open table and how many there are of each, in the column `COUNT`.

    Args:
        opened: The table.
        columns: The columns that tell rows apart.

    Raises:
        DataError: There are no rows, or too many different ones.
    """
    by = [opened.names[name] for name in columns]
    counted = nw.from_native(opened.table).group_by(*by).agg(nw.len().alias(COUNT)).sort(*by).head(MOST + 1)
    frame: pd.DataFrame = counted.collect(backend="pyarrow").to_native().to_pandas()
    if len(frame) > MOST:
        raise DataError(
            f"more than {MOST:,} rows are different: these are no groups to count",
            got=", ".join(columns),
            fix="cut numbers into bands in the file, or leave a column out",
        )
    if frame.empty:
        raise DataError("the table is empty", got="0 rows", where="dataset.path")
    return frame.rename(columns=dict(zip(by, columns, strict=True)))


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

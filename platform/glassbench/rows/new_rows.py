"""Rows that a finished model is asked about: what may be given, and what in them the training rows did not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import pandas as pd

from glassbench.errors import DataError, shorten
from glassbench.rows.foreign_frames import as_pandas

_WORDS = {
    "missing": "cells are missing",
    "unseen": "cells hold a category that the model has no input for",
    "outside": "values lie outside the range of the training rows",
}
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Unusual:
    """Cells of one column that the training rows do not prepare a model for.

    Args:
        column: The column.
        kind: `missing` cells, categories `unseen` in training, or values `outside` the training range.
        count: How many cells.
        rows: How many rows were looked at.
        examples: A few of the cells; none where they are missing.
        usual: What the training rows held.
    """

    column: str
    kind: Literal["missing", "unseen", "outside"]
    count: int
    rows: int
    examples: tuple[str, ...] = ()
    usual: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        shown = f", such as {', '.join(self.examples[:_SHOWN])}" if self.examples else ""
        return f"{self.column}: {self.count:,} of {self.rows:,} {_WORDS[self.kind]}{shown} (training rows: {self.usual})"


@runtime_checkable
class RowChecking(Protocol):
    """An encoder that remembers what the training rows held."""

    def unusual(self, raw: pd.DataFrame) -> tuple[Unusual, ...]:
        """Return what raw rows hold that the training rows did not.

        Raises:
            DataError: A column is missing or a value cannot be read.
        """
        ...


def unusual(encoder: object, rows: pd.DataFrame) -> tuple[Unusual, ...]:
    """Return what rows hold that the training rows did not; nothing where the encoder does not remember them."""
    return encoder.unusual(rows) if isinstance(encoder, RowChecking) else ()


def refuse_unusual(found: Sequence[Unusual]) -> None:
    """Raise `DataError` where rows hold what the training rows did not."""
    if found:
        raise DataError(
            f"{len(found)} columns hold cells that the training rows did not",
            got=shorten([str(one) for one in found], 5),
            fix="correct the rows, or decide them all the same without strict",
        )


def raw_rows(given: Any) -> pd.DataFrame:
    """Return rows as a frame.

    Raises:
        DataError: They are given in another form, or there is none.
    """
    frame = as_pandas(given)
    if not isinstance(frame, pd.DataFrame):
        raise DataError("rows to decide are a DataFrame", got=type(given).__name__, fix=_fix(given))
    if frame.empty:
        raise DataError("there are no rows to decide", got=f"{len(frame)} rows, {frame.shape[1]} columns")
    return frame


def _fix(given: Any) -> str:
    if isinstance(given, str | Path):
        return f"read the file first: run.predict(run.read_rows({str(given)[:100]!r}))"
    if isinstance(given, Mapping):
        columns = any(isinstance(value, list | tuple) for value in given.values())
        return "pandas.DataFrame(columns)" if columns else "pandas.DataFrame([row]) for one row"
    if isinstance(given, pd.Series):
        return "frame.loc[[label]] for one row of a frame, or row.to_frame().T"
    if isinstance(given, list | tuple):
        return "pandas.DataFrame(rows, columns=[...]), with the columns of the training rows"
    return "pandas.DataFrame(rows, columns=[...]), with the names of the training columns in their order"

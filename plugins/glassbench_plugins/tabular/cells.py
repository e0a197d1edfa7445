"""Reading the cells of a raw table: as text or as numbers, missing marks as absent."""

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from glassbench.errors import DataError

MARKS = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""Texts that mean a value is missing, unless a data set says otherwise."""


def texts(column: pd.Series, marks: Collection[str] = MARKS) -> pd.Series:
    """Read a column as text without surrounding blanks, absent where it is empty or a missing mark.

    Whole numbers read without a fraction, whatever their type, so that 1 and 1.0 are the same category.
    """
    codes, distinct = pd.factorize(column)
    named = [_text(value) for value in distinct]
    lookup = np.array([None if name in marks else name for name in named] + [None], dtype=object)
    return pd.Series(lookup[codes], index=column.index, name=column.name, dtype=object)


def numbers(column: pd.Series, marks: Collection[str] = MARKS) -> pd.Series:
    """Read a column as numbers, float64, NaN where it is missing.

    Raises:
        DataError: A value is no number, or infinite.
    """
    values = parsed(column, marks)
    _refuse_infinite(values)
    given = texts(column, marks) if values.isna().any() else None
    if given is not None and (unread := values.isna() & given.notna()).any():
        raise DataError(
            f"column '{column.name}' was read as numbers, but {int(unread.sum())} values are none",
            got=", ".join(repr(text) for text in list(dict.fromkeys(given[unread]))[:5]),
            where=f"row {given.index[unread][0]}",
            fix=f"name them in dataset.missing, or set dataset.types to {{{column.name}: category}}",
        )
    return values


def parsed(column: pd.Series, marks: Collection[str] = MARKS) -> pd.Series:
    """Read what can be read as numbers, float64, and leave NaN elsewhere."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.astype(np.float64)
        return values.mask(values.isin(_numeric(marks)))
    codes, distinct = pd.factorize(texts(column, marks))
    read = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    return pd.Series(np.append(read, np.nan)[codes], index=column.index, name=column.name)


def is_dated(column: pd.Series) -> bool:
    """Whether nearly every value reads as a calendar date."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return True
    given = pd.Series(column.dropna().unique(), dtype=object).astype(str)
    return len(given) > 0 and bool(given.str.match(_DATE).mean() > 0.9)


_DATE = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ]\d{1,2}:\d{2}.*)?$"


def _text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _numeric(marks: Iterable[str]) -> list[float]:
    read = pd.to_numeric(pd.Series(list(marks), dtype=object), errors="coerce")
    return [float(value) for value in read.dropna()]


def _refuse_infinite(values: pd.Series) -> None:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        raise DataError(
            f"column '{values.name}' holds infinite values",
            got=f"{int(infinite.sum())} of {len(values)}",
            where=f"row {values.index[infinite][0]}",
            fix="correct them, or name 'inf' and '-inf' in dataset.missing",
        )

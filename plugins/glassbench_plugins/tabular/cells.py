"""Reading the cells of a raw table: as text or as numbers, missing marks as absent."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.errors import DataError

MARKS = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""Texts that mean a value is missing, unless a data set says otherwise."""

_DATE = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ]\d{1,2}:\d{2}.*)?$"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """How raw cells read.

    Args:
        missing: Texts that mean a value is missing.
        strip_end: Characters taken off the end of every text, besides blanks on both sides.
    """

    missing: tuple[str, ...] = MARKS
    strip_end: str = ""

    def texts(self, column: pd.Series) -> pd.Series:
        """Read a column as text, absent where it is missing.

        Whole numbers read without a fraction, whatever their type, so that 1 and 1.0 are the same category.
        """
        codes, distinct = pd.factorize(column)
        named = [self._text(value) for value in distinct]
        lookup = np.array([None if name in self.missing else name for name in named] + [None], dtype=object)
        return pd.Series(lookup[codes], index=column.index, name=column.name, dtype=object)

    def numbers(self, column: pd.Series) -> pd.Series:
        """Read a column as numbers, float64, NaN where it is missing.

        Raises:
            DataError: A value is no number, or infinite.
        """
        values = self.parsed(column)
        _refuse_infinite(values)
        if values.isna().any():
            given = self.texts(column)
            _refuse_unread(given[values.isna() & given.notna()])
        return values

    def parsed(self, column: pd.Series) -> pd.Series:
        """Read what can be read as numbers, float64, and leave NaN elsewhere."""
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            values = column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
            known = np.where(np.isin(values, _to_numbers(self.missing)), np.nan, values)
            return pd.Series(known, index=column.index, name=column.name)
        codes, distinct = pd.factorize(self.texts(column))
        read = np.append(_to_numbers(distinct), np.nan)
        return pd.Series(read[codes], index=column.index, name=column.name)

    def are_dates(self, column: pd.Series) -> bool:
        """Whether nearly every value reads as a calendar date."""
        if pd.api.types.is_datetime64_any_dtype(column):
            return True
        given = self.texts(pd.Series(column.unique())).dropna().astype(str)
        return len(given) > 0 and bool(given.str.match(_DATE).mean() > 0.9)

    def _text(self, value: object) -> str:
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        return str(value).strip().rstrip(self.strip_end or None).strip()


def _to_numbers(named: tuple[str, ...] | np.ndarray | pd.Index) -> np.ndarray:
    read = pd.to_numeric(pd.Series(list(named), dtype=object), errors="coerce")
    return np.asarray(read.to_numpy(dtype=np.float64))


def _refuse_unread(unread: pd.Series) -> None:
    if len(unread):
        raise DataError(
            f"column '{unread.name}' holds numbers, but {len(unread)} values are none",
            got=", ".join(repr(text) for text in list(dict.fromkeys(unread))[:5]),
            where=f"row {unread.index[0]}",
            fix=f"name them in dataset.missing, or set dataset.types to {{{unread.name}: category}}",
        )


def _refuse_infinite(values: pd.Series) -> None:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        raise DataError(
            f"column '{values.name}' holds infinite values",
            got=f"{int(infinite.sum())} of {len(values)}",
            where=f"row {values.index[infinite][0]}",
            fix="correct them, or name 'inf' and '-inf' in dataset.missing",
        )

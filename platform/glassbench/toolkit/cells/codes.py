"""How one column becomes encoded columns of an encoded row."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from glassbench.contracts.schema import MISSING
from glassbench.errors import shorten
from glassbench.rows.new_rows import Unusual
from glassbench.toolkit.cells.cells import Cells

_SHOWN = 5
_MAY_BE_A_NUMBER = re.compile(r"\d|inf", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class NumberCode:
    """A column of numbers: standardised, the median in place of what is missing.

    Args:
        name: The column.
        median: Of the training rows.
        mean: Of the training rows, after missing values were replaced.
        std: Likewise, with n in the denominator; 1 where the column does not vary.
        indicator: Whether a second encoded column says 1 where the value was missing: when the training rows miss any.
        low, high: Least and greatest value of the training rows.
    """

    name: str
    median: float
    mean: float
    std: float
    indicator: bool
    low: float
    high: float

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return 1 + self.indicator

    def unusual(self, column: pd.Series, cells: Cells) -> list[Unusual]:
        """Return missing cells, and values outside the range of the training rows."""
        values = cells.numbers(column)
        beyond = (values < self.low) | (values > self.high)
        usual = "some missing too" if self.indicator else "none missing"
        found = [_counted(self.name, "missing", values.isna(), usual)]
        shown = tuple(f"{value:.6g}" for value in values[beyond].drop_duplicates()[:_SHOWN])
        found.append(_counted(self.name, "outside", beyond, f"{self.low:.6g} to {self.high:.6g}", shown))
        return [one for one in found if one.count]


@dataclass(frozen=True, kw_only=True)
class CategoryCode:
    """A column of categories: one encoded column each, 1 where the row has it.

    A category that the training rows do not have leaves every encoded column 0. Missing values are the category "missing" when
    the training rows miss any, and leave every encoded column 0 otherwise.

    Args:
        name: The column.
        categories: In column order.
    """

    name: str
    categories: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, counted: Mapping[str, int], rows: int, most: int = 50) -> Self:
        """Take the categories of the training rows, the `most` frequent ones where there are more.

        Args:
            name: The column.
            counted: How many of the training rows hold each text.
            rows: How many training rows there are; those that hold no text are missing.
            most: Most categories.
        """
        counts, absent = Counter(counted), rows - sum(counted.values())
        counts += Counter({MISSING: absent})
        order = sorted(counts, key=lambda text: (-counts[text], text))
        return cls(name=name, categories=in_order(order[:most]))

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return len(self.categories)

    def encode(self, codes: np.ndarray, texts: Sequence[str | None]) -> np.ndarray:
        """Return the encoded columns `(n, width)`, float32, of a column as `Cells.coded` returns it."""
        column_of = {name: encoded_column for encoded_column, name in enumerate(self.categories)}
        encoded_columns = np.array([column_of.get(MISSING if text is None else text, -1) for text in (*texts, None)])[codes]
        known = np.flatnonzero(encoded_columns >= 0)
        encoded = np.zeros((len(codes), self.width), dtype=np.float32)
        encoded[known, encoded_columns[known]] = 1
        return encoded

    def unusual(self, column: pd.Series, cells: Cells) -> list[Unusual]:
        """Return missing cells, and categories that have no encoded column."""
        texts = cells.texts(column)
        unseen = texts.notna() & ~texts.isin(self.categories)
        shown = tuple(texts[unseen].drop_duplicates()[:_SHOWN])
        usual = "some missing too" if MISSING in self.categories else "none missing"
        found = [_counted(self.name, "missing", texts.isna(), usual)]
        found.append(_counted(self.name, "unseen", unseen, shorten(self.categories, _SHOWN), shown))
        return [one for one in found if one.count]


def _counted(
    column: str, kind: Literal["missing", "unseen", "outside"], where: Any, usual: str, examples: tuple[str, ...] = ()
) -> Unusual:
    held = np.asarray(where, dtype=bool)
    return Unusual(column=column, kind=kind, count=int(held.sum()), rows=len(held), usual=usual, examples=examples)


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Sort names as numbers where all are, as text otherwise; "missing" comes last.

    Example:
        >>> in_order(["10", "9", "missing"])
        ('9', '10', 'missing')
    """
    present = sorted(name for name in names if name != MISSING)
    if all(_MAY_BE_A_NUMBER.search(name) for name in present):
        values = Cells().parsed(pd.Series(present, dtype=object))
        if len(present) and values.notna().all():
            present = [present[i] for i in np.argsort(values.to_numpy(), kind="stable")]
    return (*present, *([MISSING] if MISSING in names else []))

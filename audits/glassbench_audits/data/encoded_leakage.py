"""Columns that carry the answer in a part of their values: a digit of a number, a decimal, the beginning or length of a text."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

MANY = 20
"""Different values beyond which parts of a column are looked at; fewer are decided by as they are."""

FEW_PARTS = 40
"""Different parts of all values beyond which a part is no code."""


def parts_of(known: pd.Series, seen: pd.Series) -> Iterator[tuple[str, pd.Series, pd.Series]]:
    """Yield what may be coded in a column of many values: the words for it, and the parts of training and held-out rows as texts.

    Args:
        known, seen: The column: floats, or texts.
    """
    if known.nunique() <= MANY:
        return
    cut = _of_numbers if pd.api.types.is_float_dtype(known) else _of_texts
    for (words, part), (_, theirs) in zip(cut(known), cut(seen), strict=True):
        if 1 < part.nunique() <= FEW_PARTS:
            yield words, part, theirs


def _of_numbers(column: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    whole = np.floor(column.abs() + 1e-9)
    yield "the parity", _text(whole % 2)
    yield "the last digit", _text(whole % 10)
    yield "the decimals", _text((column.abs() - whole).clip(lower=0).round(6))
    size = np.floor(np.log10(whole.where(whole > 0)))
    yield "the first digit", _text(np.floor(whole / 10.0**size))


def _of_texts(column: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    texts = column.astype(object).where(column.notna()).map(str, na_action="ignore")
    yield "the first character", texts.str[0]
    yield "the last character", texts.str[-1]
    yield "the first part", texts.str.split(r"[^0-9A-Za-z]", n=1, regex=True).str[0]
    yield "the last part", texts.str.split(r"[^0-9A-Za-z]", regex=True).str[-1]
    yield "the length", texts.map(len, na_action="ignore").astype(object)


def _text(part: pd.Series) -> pd.Series:
    return part.astype(object).where(part.notna())

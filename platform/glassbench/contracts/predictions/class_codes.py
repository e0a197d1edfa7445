"""Classes of rows as numbers: columns of categories are read once per category, columns of text once per row."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd


def class_codes(column: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Return the place of each row's class among names `(n,)`, -1 where it is none of them or absent.

    Args:
        column: Classes by name, text or categories `(n,)`.
        names: The names.
    """
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(pd.Index(names).get_indexer(pd.Index(column.astype(str))))
    places = pd.Index(names).get_indexer(pd.Index([str(name) for name in column.cat.categories]))
    return np.asarray(np.append(places, -1)[_codes(column)])


def shared_codes(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, np.ndarray] | None:
    """Return two columns of categories as numbers that mean the same in both, -1 where absent; None for other columns."""
    if not all(isinstance(column.dtype, pd.CategoricalDtype) for column in (first, second)):
        return None
    if not first.cat.categories.equals(second.cat.categories):  # types of the same categories in another order are equal too
        return None
    return _codes(first), _codes(second)


def _codes(column: pd.Series) -> np.ndarray:
    """Return the codes of a column of categories as they are: `column.cat.codes` would copy them."""
    return np.asarray(cast(pd.Categorical, column.array).codes)


def unlike(first: pd.Series, second: pd.Series) -> np.ndarray:
    """Return which rows two columns name differently, bool `(n,)`.

    Args:
        first, second: Classes by name, text or categories `(n,)`, none absent.
    """
    codes = shared_codes(first, second)
    if codes is None:
        return np.asarray(first.astype(str).to_numpy() != second.astype(str).to_numpy())
    return np.asarray(codes[0] != codes[1])

"""Concepts as a person writes them: which values of which columns a row must have."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glassbench.errors import SettingsError

BOUNDS = ("at_least", "at_most")


def chosen(frame: pd.DataFrame, conditions: Mapping[str, Any], where: str) -> np.ndarray:
    """Return which rows meet every condition, bool `(n,)`; a missing value meets none.

    Args:
        frame: Rows in a person's own units.
        conditions: Per column a value, a list of values, or bounds `{at_least: 30, at_most: 40}`.
        where: Path of the setting, for errors.

    Raises:
        SettingsError: A column is unknown, or a condition cannot be read.

    Example:
        >>> frame = pd.DataFrame({"age": [20, 35, 50], "sex": ["f", "m", "f"]})
        >>> chosen(frame, {"age": {"at_least": 30}, "sex": "f"}, "").tolist()
        [False, False, True]
    """
    if not conditions:
        raise SettingsError("a concept needs a condition at least", where=where, fix="name a column and its value")
    met = np.ones(len(frame), dtype=bool)
    for column, condition in conditions.items():
        if column not in frame.columns:
            raise SettingsError("there is no such column", got=column, available=[str(c) for c in frame.columns], where=where)
        met &= _meets(frame[column], condition, f"{where}.{column}")
    return met


def _meets(values: pd.Series, condition: Any, where: str) -> np.ndarray:
    if isinstance(condition, Mapping):
        return _within(values, condition, where)
    accepted = [str(value) for value in (condition if isinstance(condition, list) else [condition])]
    texts = values.astype(str)
    numeric = pd.api.types.is_numeric_dtype(values)
    same = texts.isin(accepted) | (values.isin([_number(text) for text in accepted]) if numeric else False)
    return (same & values.notna()).to_numpy(dtype=bool)


def _within(values: pd.Series, bounds: Mapping[str, Any], where: str) -> np.ndarray:
    unknown = [key for key in bounds if key not in BOUNDS]
    if unknown or not bounds or not all(isinstance(value, int | float) for value in bounds.values()):
        raise SettingsError("bounds are numbers", got=str(dict(bounds)), available=list(BOUNDS), where=where)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    inside: np.ndarray = (numbers >= bounds.get("at_least", -np.inf)) & (numbers <= bounds.get("at_most", np.inf))
    return inside


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

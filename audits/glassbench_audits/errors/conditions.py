"""Single conditions on a feature, of which slices are made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.readable import with_decimals

CUTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Quantiles at which numbers are cut; a condition is any run of neighbouring bins."""

MOST_VALUES = 60
"""The commonest values of a category that become conditions."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition on one feature.

    Args:
        feature: The feature.
        words: The condition as a person would say it ("age at least 45").
        bins: How many neighbouring bins of a number it joins; 1 for anything that does not consist of others.
    """

    feature: str
    words: str
    bins: int = 1


def conditions(
    features: pd.DataFrame, fewest: int, decimals: Mapping[str, int | None] | None = None
) -> tuple[tuple[Condition, ...], np.ndarray]:
    """Return every condition that at least `fewest` rows, and not all, meet; and which rows meet each, bool `(n, conditions)`.

    Args:
        features: Numbers as floats, categories as text; absent values are a condition of their own.
        fewest: The fewest rows.
        decimals: Digits after the point with which numbers of features are shown.
    """
    shown = decimals or {}
    found, rows = [], []
    for name in features.columns:
        column = features[name]
        number = pd.api.types.is_float_dtype(column)
        each = _of_number(str(name), column, shown.get(str(name))) if number else _of_category(str(name), column)
        for condition, met in each:
            if fewest <= int(met.sum()) <= len(met) - fewest:
                found.append(condition)
                rows.append(met)
    return tuple(found), np.array(rows, dtype=bool).reshape(len(rows), len(features)).T


def _of_category(name: str, column: pd.Series) -> Iterator[tuple[Condition, np.ndarray]]:
    for value in column.value_counts().index[:MOST_VALUES]:
        yield Condition(feature=name, words=f"{name} “{value}”"), (column == value).to_numpy(dtype=bool)
    yield from _absent(name, column)


def _of_number(name: str, column: pd.Series, decimals: int | None) -> Iterator[tuple[Condition, np.ndarray]]:
    values = column.to_numpy(dtype=float)
    present = np.isfinite(values)
    if present.any():
        edges = np.unique(np.quantile(values[present], CUTS, method="inverted_cdf"))
        bins = np.searchsorted(edges, values, side="left")  # bin i holds what lies above edge i - 1, up to edge i
        last = int(bins[present].max())
        for low in range(last + 1):
            for high in range(low, last + 1):
                met = present & (bins >= low) & (bins <= high)
                words = _between(name, values[met], decimals, low == 0, high == last)
                yield Condition(feature=name, words=words, bins=high - low + 1), met
    yield from _absent(name, column)


def _between(name: str, inside: np.ndarray, decimals: int | None, from_start: bool, to_end: bool) -> str:
    if not len(inside):
        return name
    if from_start and to_end:
        return f"{name} known"
    low, high = (with_decimals(float(bound), decimals) for bound in (inside.min(), inside.max()))
    if low == high:
        return f"{name} {low}"
    if from_start:
        return f"{name} at most {high}"
    return f"{name} at least {low}" if to_end else f"{name} {low} to {high}"


def _absent(name: str, column: pd.Series) -> Iterator[tuple[Condition, np.ndarray]]:
    yield Condition(feature=name, words=f"{name} missing"), column.isna().to_numpy(dtype=bool)

"""The encoded columns of an encoded row as a person knows them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject

_LARGEST = 1_200
"""Cells of a picture beyond which it is not drawn."""


@dataclass(frozen=True, eq=False, kw_only=True)
class EncodedColumns:
    """Names, units and places of encoded columns.

    Args:
        names: Name of each encoded column `(columns,)`.
        units: Its unit, None where it is as the model sees it.
        factors: What a change in the model's scale is in that unit `(columns,)`.
        grid: How encoded columns lie on a plane, rows first; None where they do not.
        axes: What runs across and down.
    """

    names: tuple[str, ...]
    units: tuple[str | None, ...]
    factors: np.ndarray
    grid: tuple[int, int] | None
    axes: tuple[str, str] = ("column", "row")


def encoded_columns_of(subject: Subject, shape: tuple[int, ...]) -> EncodedColumns:
    """Return the encoded columns of rows of a shape: columns of a table, pixels of an image, steps of channels."""
    count = int(np.prod(shape))
    if len(shape) == 1:
        return _of_table(subject, count)
    names = tuple(", ".join(str(part + 1) for part in place) for place in np.ndindex(*shape))
    none: tuple[str | None, ...] = (None,) * count
    ones = np.ones(count)
    drawn = count <= _LARGEST
    if subject.schema.layout.channels == "first" and shape[0] == 1:
        pixels = tuple(f"row {i + 1} column {j + 1}" for i in range(shape[1]) for j in range(shape[2]))
        return EncodedColumns(names=pixels, units=none, factors=ones, grid=(shape[1], shape[2]) if drawn else None)
    if subject.schema.layout.channels == "last" and len(shape) == 2:
        channels = [feature.name for feature in subject.schema.features] or [f"channel {k + 1}" for k in range(shape[1])]
        steps = tuple(f"{channels[c]}, step {t + 1}" for t in range(shape[0]) for c in range(shape[1]))
        return EncodedColumns(names=steps, units=none, factors=ones, grid=shape if drawn else None, axes=("channel", "step"))
    return EncodedColumns(names=names, units=none, factors=ones, grid=None)


def _of_table(subject: Subject, count: int) -> EncodedColumns:
    names = [f"input {k + 1}" for k in range(count)]
    units: list[str | None] = [None] * count
    factors = np.ones(count)
    source = subject.predictions.source
    for feature in subject.schema.features:
        for position, encoded_column in enumerate(feature.columns):
            names[encoded_column] = (
                feature.name if len(feature.columns) == 1 else f"{feature.name}: {_part(feature.categories, position)}"
            )
        if feature.numeric and source is not None and source.raw is not None:
            factor = _factor(source, feature.name, feature.columns[0])
            if factor is not None:
                factors[feature.columns[0]], units[feature.columns[0]] = factor, feature.unit
    return EncodedColumns(names=tuple(names), units=tuple(units), factors=factors, grid=None)


def _part(categories: tuple[str, ...], position: int) -> str:
    return categories[position] if position < len(categories) else "missing"


def _factor(source: Split, name: str, encoded_column: int) -> float | None:
    """Return how much of a column's own unit one unit of its encoded column is, None where the column holds no numbers."""
    assert source.raw is not None
    if name not in source.raw or not _holds_numbers(source.raw[name]) or source.raw[name].isna().any():
        return None
    seen = source.batch(slice(None)).inputs[0][:, encoded_column].double().numpy()
    spread = float(seen.std())
    return float(source.raw[name].to_numpy(dtype=np.float64).std()) / spread if spread > 0 else None


def _holds_numbers(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)

"""All columns of numbers of a table at once: reading, measuring and encoding them costs no frame for each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.codes import NumberCode


def number_block(frame: pd.DataFrame, names: Sequence[str], cells: Cells) -> np.ndarray:
    """Return columns of numbers `(columns, rows)`, float64, NaN where they are missing.

    Raises:
        DataError: A value is no number, or infinite.
    """
    if not names:
        return np.empty((0, len(frame)))
    block = frame[list(names)]
    if (block.dtypes == np.float64).all():
        values = np.ascontiguousarray(block.to_numpy().T)
        if not np.isinf(values).any():
            marks = cells.missing_numbers
            return np.where(np.isin(values, marks), np.nan, values) if len(marks) else values
    if all(dtype.kind == "O" for dtype in set(block.dtypes)):
        return np.stack([_numbers(frame, name, texts, cells) for name, texts in zip(names, block.to_numpy().T, strict=True)])
    return np.stack([cells.numbers(column).to_numpy() for _, column in block.items()])


def _numbers(frame: pd.DataFrame, name: str, texts: np.ndarray, cells: Cells) -> np.ndarray:
    """Return one column of texts as numbers, without a series where every text is plainly one."""
    written = cells.plain(name, texts.tolist())
    return cells.numbers(frame[name]).to_numpy() if written is None else written


def fit_numbers(names: Sequence[str], values: np.ndarray) -> list[NumberCode]:
    """Measure columns on the training rows.

    Args:
        names: The columns.
        values: Their numbers in the training rows `(columns, rows)`, NaN where missing.
    """
    absent = np.isnan(values)
    indicator = absent.any(axis=1)
    median = np.zeros(len(names))
    median[~indicator] = np.median(values[~indicator], axis=1)
    for place in np.flatnonzero(indicator & ~absent.all(axis=1)):
        median[place] = np.median(values[place][~absent[place]])
    filled = np.where(absent, median[:, None], values)
    std = filled.std(axis=1)
    measured = (median, filled.mean(axis=1), np.where(std > 0, std, 1.0), filled.min(axis=1), filled.max(axis=1))
    return [
        NumberCode(name=name, median=middle, mean=mean, std=spread, indicator=lacks, low=low, high=high)
        for name, lacks, middle, mean, spread, low, high in zip(
            names, indicator.tolist(), *(of_each.tolist() for of_each in measured), strict=True
        )
    ]


def encode_numbers(codes: Sequence[NumberCode], values: np.ndarray) -> np.ndarray:
    """Return the encoded columns of all codes side by side `(rows, encoded_columns)`, float32.

    Args:
        codes: What was measured of each column.
        values: Their numbers `(columns, rows)`, NaN where missing.
    """
    median, mean, std = (np.array([[getattr(code, of)] for code in codes]) for of in ("median", "mean", "std"))
    widths = np.array([code.width for code in codes], dtype=np.int64)
    absent = np.isnan(values)
    scaled = (np.where(absent, median, values) if absent.any() else values) - mean
    scaled /= std
    if (widths == 1).all():
        return np.ascontiguousarray(scaled.T, dtype=np.float32)
    places = np.cumsum(widths) - widths
    encoded_columns = np.empty((values.shape[1], int(widths.sum())), dtype=np.float32)
    encoded_columns[:, places] = scaled.T
    encoded_columns[:, places[widths > 1] + 1] = absent[widths > 1].T
    return encoded_columns

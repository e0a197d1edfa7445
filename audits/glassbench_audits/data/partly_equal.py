"""A column that is the value to predict itself in a part of the rows, in its own unit or another, and elsewhere is not."""

import numpy as np
import pandas as pd

from glassbench.stats.intervals import wilson

LEAST, CHANCE = 0.2, 0.05
"""Share of the rows that must lie on one line with the value, and that may do so once values are shuffled."""

PAIRS, FEWEST, DISTINCT = 4000, 50, 20
"""Pairs of rows whose slopes are looked at, rows below which nothing is said, and values that must differ on the line."""

CLOSE = 1e-4
"""How near to the line a row must lie, in standard deviations of the value; slopes are equal within so much of themselves."""


def partly_equal(
    known: pd.Series, seen: pd.Series, learnt: np.ndarray, truth: np.ndarray, generator: np.random.Generator
) -> tuple[int, int] | None:
    """Return how many held-out rows lie on the line that many training rows share with the value, of all rows; else None.

    The line's slope is the commonest among pairs of training rows, as in Theil's estimator, with the mode for the median.

    Args:
        known, seen: The column in training and held-out rows.
        learnt, truth: Their values.
        generator: Draws pairs of rows.
    """
    if not pd.api.types.is_float_dtype(known):
        return None
    x, y = known.to_numpy(float), learnt.astype(float)
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < FEWEST or np.std(y[there]) == 0:
        return None
    x, y, close = x[there], y[there], CLOSE * float(np.std(y[there]))
    line = _line(x, y, close, generator)
    if line is None:
        return None
    on = _on(line, x, y, close)
    by_chance = _on(line, x, generator.permutation(y), close).mean()
    if on.mean() < LEAST or by_chance > CHANCE or len(np.unique(y[on])) < DISTINCT:
        return None
    held = _on(line, seen.to_numpy(float), truth.astype(float), close)
    low = float(wilson(np.array(held.sum()), np.array(max(len(held), 1)))[0])
    return (int(held.sum()), len(held)) if low > CHANCE and held.mean() >= LEAST / 2 else None


def _on(line: tuple[float, float], x: np.ndarray, y: np.ndarray, close: float) -> np.ndarray:
    return np.asarray(np.abs(y - line[0] * x - line[1]) <= close)


def _line(x: np.ndarray, y: np.ndarray, close: float, generator: np.random.Generator) -> tuple[float, float] | None:
    """Return slope and height of the line that most rows share."""
    one, other = generator.integers(0, len(x), (2, PAIRS))
    apart = (np.abs(x[one] - x[other]) > 0) & (np.abs(y[one] - y[other]) > close / CLOSE * 0.1)
    if apart.sum() < FEWEST:
        return None
    one, other = one[apart], other[apart]
    slopes = (y[one] - y[other]) / (x[one] - x[other])
    slope = _commonest(np.log(np.abs(slopes)), CLOSE)
    signs = slopes[np.abs(np.log(np.abs(slopes)) - slope) <= CLOSE]
    if not len(signs):
        return None
    slope = float(np.median(signs[np.sign(signs) == np.sign(np.median(signs))]))
    return slope, _commonest(y - slope * x, close)


def _commonest(numbers: np.ndarray, within: float) -> float:
    """Return the middle of the numbers around which most lie."""
    ordered = np.sort(numbers)
    ends = np.searchsorted(ordered, ordered + within, side="right")
    first = int(np.argmax(ends - np.arange(len(ordered))))
    return float(np.median(ordered[first : ends[first]]))

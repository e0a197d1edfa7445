"""What is measured of the inputs in the training rows of a table, at once or part by part."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.codes import NumberCode
from glassbench.toolkit.cells.kinds import Kind
from glassbench.toolkit.table.number_block import fit_numbers, number_block


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """What was measured of the inputs.

    Args:
        rows: How many training rows there are.
        numbers: How each column of numbers is encoded.
        counts: How many training rows hold each text of a column of categories.
        lacking: In how many training rows each column is missing.
    """

    rows: int
    numbers: Mapping[str, NumberCode]
    counts: Mapping[str, Mapping[str, int]]
    lacking: Mapping[str, int]

    @property
    def still(self) -> set[str]:
        """Columns with one value in all training rows, or with none."""
        numbers = {
            name
            for name, code in self.numbers.items()
            if self.lacking[name] == self.rows or (code.low == code.high and not self.lacking[name])
        }
        return numbers | {name for name, counts in self.counts.items() if len(counts) + (self.lacking[name] > 0) <= 1}

    def number(self, name: str, scale: str) -> NumberCode:
        """Return how a column of numbers is encoded: standardised, or in its own unit (`none`)."""
        code = self.numbers[name]
        return replace(code, mean=0.0, std=1.0) if scale == "none" else code


def measure(rows: pd.DataFrame, kinds: Mapping[str, Kind], cells: Cells) -> Measured:
    """Measure inputs on training rows in memory.

    Raises:
        DataError: A value is no number.
    """
    names = [name for name, kind in kinds.items() if kind == "number"]
    numbers = number_block(rows, names, cells)
    counts = {name: cells.counted(rows[name]) for name, kind in kinds.items() if kind == "category"}
    lacking = dict(zip(names, np.isnan(numbers).sum(axis=1).tolist(), strict=True))
    lacking |= {name: len(rows) - sum(of_texts.values()) for name, of_texts in counts.items()}
    codes = {code.name: code for code in fit_numbers(names, numbers)}
    return Measured(rows=len(rows), numbers=codes, counts=counts, lacking=lacking)


class Measuring:
    """Measures inputs part by part, in one pass and in float64 (Chan, Golub and LeVeque 1983).

    Args:
        kinds: The inputs, and whether they are numbers or categories.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = dict(kinds)
        self.names = [name for name, kind in kinds.items() if kind == "number"]
        self.counts: dict[str, Counter[str]] = {name: Counter() for name, kind in kinds.items() if kind == "category"}
        self.rows = 0
        self.held, self.mean, self.squares = (np.zeros(len(self.names)) for _ in range(3))
        self.low, self.high = np.full(len(self.names), np.inf), np.full(len(self.names), -np.inf)

    def add(self, rows: pd.DataFrame, cells: Cells) -> None:
        """Look at further training rows.

        Raises:
            DataError: A value is no number.
        """
        self.rows += len(rows)
        for name, counts in self.counts.items():
            counts.update(cells.counted(rows[name]))
        values = number_block(rows, self.names, cells)
        if not values.size:
            return
        held = (~np.isnan(values)).sum(axis=1)
        some = held > 0
        mean, squares = np.zeros(len(held)), np.zeros(len(held))
        whole = np.flatnonzero(held == values.shape[1])
        if len(whole) == len(held):
            mean, squares = values.mean(axis=1), values.var(axis=1) * held
            low, high = values.min(axis=1), values.max(axis=1)
        else:
            low, high = np.full(len(held), np.inf), np.full(len(held), -np.inf)
            given = values[some]
            mean[some], squares[some] = np.nanmean(given, axis=1), np.nanvar(given, axis=1) * held[some]
            low[some], high[some] = np.nanmin(given, axis=1), np.nanmax(given, axis=1)
        self.held, self.mean, self.squares = merged(self.held, self.mean, self.squares, held, mean, squares)
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def measured(self, sample: Mapping[str, NumberCode]) -> Measured:
        """Return what was measured; the medians, which take the place of missing values, are those of a sample.

        Args:
            sample: How the columns of numbers would be encoded by a sample of the training rows.
        """
        median = np.array([sample[name].median for name in self.names])
        missing = self.rows - self.held
        _, mean, squares = merged(self.held, self.mean, self.squares, missing, median, np.zeros(len(median)))
        std = np.sqrt(squares / max(self.rows, 1))
        lows, highs = (
            np.where(missing > 0, np.minimum(self.low, median), self.low),
            np.where(missing > 0, np.maximum(self.high, median), self.high),
        )
        codes = _codes(self.names, median, mean, np.where(std > 0, std, 1.0), missing > 0, lows, highs)
        lacking = dict(zip(self.names, missing.astype(int).tolist(), strict=True))
        lacking |= {name: self.rows - counts.total() for name, counts in self.counts.items()}
        return Measured(rows=self.rows, numbers=codes, counts=self.counts, lacking=lacking)


def merged(n: Any, mean: Any, squares: Any, others: Any, their_mean: Any, their_squares: Any) -> tuple[Any, Any, Any]:
    """Return count, mean and sum of squared deviations of two sets of numbers together, each an array `(columns,)`."""
    total = n + others
    share = np.divide(others, total, out=np.zeros(np.shape(total)), where=total > 0)
    apart = their_mean - mean
    return total, mean + apart * share, squares + their_squares + apart**2 * n * share


def _codes(names: Sequence[str], *columns: Collection[Any]) -> dict[str, NumberCode]:
    parts = ("median", "mean", "std", "indicator", "low", "high")
    values = (np.asarray(column).tolist() for column in columns)
    return {
        name: NumberCode(name=name, **dict(zip(parts, of_one, strict=True))) for name, *of_one in zip(names, *values, strict=True)
    }

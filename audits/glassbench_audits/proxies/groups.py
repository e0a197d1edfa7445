"""A sensitive feature as marks, and the shuffles that say what chance does."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST = 10
"""Rows below which a group is left out of these tests."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Groups:
    """Which group of one sensitive feature each row belongs to.

    Args:
        feature: The sensitive feature.
        names: The groups that have enough rows, two at least.
        rows: Positions of the rows that belong to one of them `(n,)`.
        marks: One column per group, 0 or 1 `(n, groups)`.
        small: Groups left out because they have too few rows.
    """

    feature: str
    names: tuple[str, ...]
    rows: np.ndarray
    marks: np.ndarray
    small: tuple[str, ...]

    def shuffled(self, permutations: int, generator: np.random.Generator) -> np.ndarray:
        """Return the marks under shuffled membership, `(permutations, n, groups)`: what they would be by chance alone."""
        return np.stack([self.marks[generator.permutation(len(self.marks))] for _ in range(permutations)])


def groups_of(feature: str, members: pd.Series) -> Groups | None:
    """Return the groups of a sensitive feature, or None where fewer than two have enough rows."""
    counts = members.value_counts().sort_index()
    names = tuple(str(name) for name in counts.index[counts >= FEWEST])
    if len(names) < 2:
        return None
    rows = np.flatnonzero(members.astype(str).isin(names).to_numpy())
    own = members.astype(str).to_numpy()[rows]
    marks = np.stack([own == name for name in names], axis=1).astype(np.float64)
    small = tuple(str(name) for name in counts.index[counts < FEWEST])
    return Groups(feature=feature, names=names, rows=rows, marks=marks, small=small)


def p_value(observed: float, null: np.ndarray) -> float:
    """Return the share of the null at least as large as what was observed, itself counted in; ties by rounding count."""
    slack = 1e-9 * max(1.0, abs(observed))
    return float((1 + (null >= observed - slack).sum()) / (1 + len(null)))

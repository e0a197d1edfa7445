"""Which inputs give the groups away, each on its own."""

from dataclasses import dataclass

import numpy as np

from glassbench_audits.proxies.groups import Groups

BINS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class ProxyFeatures:
    """How much each input has to do with membership, each array `(inputs,)`.

    Args:
        strength: Cramér's V without the bias of small samples, 0 to 1.
        p: Chance of as strong a relation in any of the inputs where none has to do with membership.
    """

    strength: np.ndarray
    p: np.ndarray


def proxy_features(
    cells: list[np.ndarray], groups: Groups, generator: np.random.Generator, *, permutations: int
) -> ProxyFeatures:
    """Return which inputs go with the groups, by chi-square over their cells, corrected by the largest of shuffled ones.

    Args:
        cells: For each input, which cell of its own each row falls into `(n,)`, numbered from 0 without gaps.
        groups: The groups.
        generator: Draws the shuffles.
        permutations: Shuffles behind the p-values (Westfall and Young 1993, single step).
    """
    observed = np.array([_chi_square(_counts(cell, groups.marks)) for cell in cells])
    degrees = np.array([(cell.max() * (len(groups.names) - 1)) for cell in cells], dtype=float)
    null = np.array(
        [
            _standardised(np.array([_chi_square(_counts(cell, marks)) for cell in cells]), degrees).max()
            for marks in groups.shuffled(permutations, generator)
        ]
    )
    reached = null[:, None] >= _standardised(observed, degrees) - 1e-9
    return ProxyFeatures(
        strength=np.array([_cramers_v(value, cell, groups) for value, cell in zip(observed, cells, strict=True)]),
        p=(1 + reached.sum(axis=0)) / (1 + permutations),
    )


def cells_of(values: np.ndarray) -> np.ndarray:
    """Return which of at most eight cells each row falls into `(n,)`: cells of equal mass, or the distinct values where few.

    Args:
        values: An input's numbers `(n, encoded_columns)`; several encoded columns (a category's marks) are told apart by their
            combinations.
    """
    if values.shape[1] > 1:
        return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)
    column = values[:, 0]
    if len(np.unique(column)) <= BINS:
        return np.unique(column, return_inverse=True)[1].reshape(-1)
    edges = np.unique(np.quantile(column, np.arange(1, BINS) / BINS))
    return np.unique(np.searchsorted(edges, column, side="right"), return_inverse=True)[1].reshape(-1)


def _counts(cell: np.ndarray, marks: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(cell, weights=column, minlength=cell.max() + 1) for column in marks.T], axis=1)


def _chi_square(counts: np.ndarray) -> float:
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(((counts - expected) ** 2 / expected).sum())


def _standardised(values: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Return chi-squares on one scale, whatever their degrees of freedom; those of a constant input never count."""
    scale = np.sqrt(2 * np.maximum(degrees, 1))
    standard: np.ndarray = np.where(degrees > 0, (values - degrees) / scale, -np.inf)
    return standard


def _cramers_v(value: float, cell: np.ndarray, groups: Groups) -> float:
    """Return Cramér's V with the correction of Bergsma (2013)."""
    n, rows, columns = len(cell), int(cell.max()) + 1, len(groups.names)
    if rows < 2:
        return 0.0
    association = max(0.0, value / n - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(association / least))

"""How small a distance to the nearest row is, against those to the further neighbours.

Where rows have a density, logarithms of a row's distances to its nearest training rows are order statistics of an exponential
distribution whose rate is the local dimension (Levina and Bickel 2005), which the further neighbours tell.
"""

from collections.abc import Callable

import numpy as np

NEIGHBOURS, LEFT_OUT = 60, 12
"""Neighbours whose distances are compared; the nearest ones of them may be duplicates themselves and tell no dimension."""

MORE = 30
"""Further neighbours by principal components, among which the nearest are looked for."""

WIDEST_DIMENSION = 50.0
"""The local dimension is at most so large."""

BLOCK = 512
"""Rows that are compared at once."""


def p_values(distances: np.ndarray) -> np.ndarray:
    """Return the chance that the nearest row of each is as near, given its further neighbours.

    Args:
        distances: Distances to the nearest rows, ascending `(m, k)`.
    """
    spread = np.log(distances[:, -1:] / np.maximum(distances, 1e-12))
    kept = distances.shape[1] - 1 - LEFT_OUT
    total = spread[:, LEFT_OUT:-1].sum(axis=1) + LEFT_OUT * spread[:, LEFT_OUT]
    total = np.maximum(total, kept / WIDEST_DIMENSION)
    return np.asarray(np.minimum(1.0, LEFT_OUT * (1 + (spread[:, 0] - spread[:, LEFT_OUT]) / total) ** -float(kept)))


def neighbours(
    known: np.ndarray, seen: np.ndarray, distances: Callable[[int, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's distances to its nearest training rows, ascending, and the nearest; candidates by components."""
    count = min(NEIGHBOURS, len(known) - 1)
    wide = min(count + MORE, len(known) - 1)
    squares, found, nearest = (known**2).sum(axis=1), [], []
    for start in range(0, len(seen), BLOCK):
        apart = squares[None] - 2 * seen[start : start + BLOCK] @ known.T
        candidates = np.argpartition(apart, wide, axis=1)[:, : wide + 1]
        for i, others in enumerate(candidates):
            distance = distances(start + i, others)
            order = np.argsort(distance, kind="stable")
            found.append(distance[order[: count + 1]])
            nearest.append(others[order[0]])
    return np.array(found), np.array(nearest)

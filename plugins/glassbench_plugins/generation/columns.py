"""The columns of predictions that hold generated pictures against held-out ones, class by class."""

import numpy as np

from glassbench.contracts.predictions.generated import COVERED, DENSITY, PRECISE, REACH, RECALLED
from glassbench.stats.manifold import manifold


def manifold_columns(real: np.ndarray, made: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is measured of each held-out and each generated picture, those of each class among themselves.

    Args:
        real, made: Features of held-out and generated pictures `(n, d)`.
        wanted: The class of both `(n,)`.
    """
    columns = {name: np.full(len(wanted), np.nan) for name in (REACH, COVERED, RECALLED, DENSITY, PRECISE)}
    for number in np.unique(wanted):
        rows = np.flatnonzero(wanted == number)
        found = manifold(real[rows], made[rows])
        for name, values in zip(columns, (found.reach, found.covered, found.recalled, found.density, found.precise), strict=True):
            columns[name][rows] = values
    return columns

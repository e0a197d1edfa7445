"""Near-duplicates by the numbers of a table: noise in every number leaves a row much nearer to one row than rows are by nature.

Counting columns that agree sees no noise that is as large as the bins; distances do, as soon as there are three numbers of many
values. A row is a near-duplicate where its nearest training row is an outlier among its neighbours' distances, all other columns
agree, and more rows are so than chance gives.
"""

import numpy as np
import pandas as pd
from scipy.stats import poisson

from glassbench_audits.data.neighbour_distances import neighbours, p_values

FEWEST_COLUMNS, MANY = 3, 20
"""Columns of numbers that are needed, and different values beyond which a number is compared by its distance."""

ALPHA, SURE, LEAST = 1e-4, 5e-4, 3
"""Chance of so small a distance below which a row is counted, chance of so many such rows, and how many there must be."""

ROWS, CELLS = 5000, 3e8
"""Held-out rows that are compared at most, and pairs of rows."""

LOOSE = 0.1
"""Share of its spread within which a number of few values agrees."""


def near_numbers(known: pd.DataFrame, seen: pd.DataFrame, examined: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the held-out rows that were compared, those that are near-duplicates by their numbers, and the training row of each.

    Args:
        known, seen: Features of the training and the held-out rows: floats, or texts for categories.
        examined: Positions of the held-out rows that may be compared, in the order in which they are drawn.
    """
    none = np.empty(0, dtype=np.int64)
    names = [name for name in known if pd.api.types.is_float_dtype(known[name]) and known[name].nunique() > MANY]
    rows = examined[: min(ROWS, max(1, int(CELLS / len(known))))]
    if len(names) < FEWEST_COLUMNS or len(known) < FEWEST_COLUMNS or not len(rows):
        return none, none, none
    learnt, judged = _scaled(known[names], seen[names].iloc[rows])

    def distances(row: int, others: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(learnt[others].astype(np.float64) - judged[row], axis=1))

    distance, nearest = neighbours(learnt, judged, distances)
    mine, theirs = known[names].to_numpy()[nearest], seen[names].to_numpy()[rows]
    unequal = ((mine != theirs) & ~(np.isnan(mine) & np.isnan(theirs))).sum(axis=1)
    chosen = (p_values(distance) < ALPHA) & (distance[:, 0] > 0) & (unequal > 1)
    for name in known.columns.difference(names):
        chosen &= _agree(known[name], known[name].iloc[nearest], seen[name].iloc[rows])
    if chosen.sum() < LEAST or poisson.sf(chosen.sum() - 1, ALPHA * len(rows)) >= SURE:
        return rows, none, none
    return rows, rows[chosen], nearest[chosen]


def _scaled(known: pd.DataFrame, seen: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers in units of their spread, long tails drawn in; absent ones lie in the middle."""
    low, middle, high = known.quantile([0.25, 0.5, 0.75]).to_numpy()
    spread = np.minimum(np.where(high > low, high - low, np.inf), known.std().to_numpy())
    parts = [np.nan_to_num(np.arcsinh((part.to_numpy(dtype=float) - middle) / spread)) for part in (known, seen)]
    return parts[0].astype(np.float32), parts[1].astype(np.float32)


def _agree(known: pd.Series, mine: pd.Series, theirs: pd.Series) -> np.ndarray:
    """Return where two columns agree: categories are equal, numbers nearly; absent values agree with each other."""
    absent = mine.isna().to_numpy() & theirs.isna().to_numpy()
    if not pd.api.types.is_float_dtype(known):
        return np.asarray(absent | (mine.to_numpy(dtype=object) == theirs.to_numpy(dtype=object)))
    return np.asarray(absent | (np.abs(mine.to_numpy() - theirs.to_numpy()) <= LOOSE * float(known.std())))

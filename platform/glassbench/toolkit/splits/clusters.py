"""What each row of a table belongs to: a person with several rows, a household, a hospital."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.splits import Division

FEWEST = 2
"""Clusters below which nothing can be said of how much they differ."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Clusters:
    """What each row of a table belongs to.

    Args:
        names: The cluster of each row, text `(n,)`; None where rows are independent.
        notes: How they were read.
    """

    names: pd.Series | None = None
    notes: tuple[str, ...] = ()

    def of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the clusters of some rows, by position `(k,)`."""
        return None if self.names is None else self.names.iloc[rows].to_numpy()


def clusters_of(frame: pd.DataFrame | None, column: str | None, cells: Cells) -> Clusters:
    """Return the clusters that a column names; none where no column does.

    Args:
        frame: The rows; None where nothing is known of them.
        column: The column of clusters, or None.
        cells: How cells read.

    Raises:
        DataError: No row has a value, or all rows are of one cluster.
    """
    if frame is None or column is None:
        return Clusters()
    names, notes = _names(frame[column], cells)
    return Clusters(names=names, notes=notes)


def kept_together(
    frame: pd.DataFrame | None, clusters: Clusters, column: str | None, division: Division, cells: Cells
) -> pd.Series | None:
    """Return the values whose rows stay in one part `(n,)`: of the column that the division names, else the clusters.

    Args:
        frame: The rows; None where nothing is known of them.
        clusters: Their clusters.
        column: The column of clusters, or None.
        division: How the rows are divided.
        cells: How cells read.
    """
    if frame is None or division.together in (None, column):
        return clusters.names
    return cells.texts(frame[division.together])


def _names(column: pd.Series, cells: Cells) -> tuple[pd.Series, tuple[str, ...]]:
    """Return the name of each row's cluster, text `(n,)`, and notes on how they were read.

    A row without a value is a cluster of its own, named after its place: nothing says that two such rows belong together.

    Args:
        column: The cells of the column that names clusters.
        cells: How cells read.

    Raises:
        DataError: All rows are of one cluster.
    """
    names = cells.texts(column)
    absent = names.isna()
    if absent.all():
        raise DataError(f"no row has a value of '{column.name}'", got=f"{len(column)} rows", where="dataset.cluster")
    if absent.any():
        own = [f"row {place + 1} without {column.name}" for place in np.flatnonzero(absent)]
        names[absent] = pd.Series(own, index=names.index[absent], dtype=object)
    many = int(names.nunique())
    if many < FEWEST:
        raise DataError(
            f"all rows are of one cluster, '{names.iloc[0]}'",
            got=f"column '{column.name}'",
            where="dataset.cluster",
            fix="name the column that tells apart what is independent, or leave cluster out",
        )
    notes = [f"Rows with the same {column.name} are one cluster: {len(column):,} rows of {many:,} clusters."]
    if absent.any():
        notes.append(f"{int(absent.sum()):,} rows without a value of {column.name} are each a cluster of their own.")
    return names, tuple(notes)

"""What each row of a table belongs to: a person with several rows, a household, a hospital."""

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench_plugins.tabular.cells import Cells

FEWEST = 2
"""Clusters below which nothing can be said of how much they differ."""


def cluster_names(column: pd.Series, cells: Cells) -> tuple[pd.Series, tuple[str, ...]]:
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

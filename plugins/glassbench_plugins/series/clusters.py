"""Windows that are not independent: those of one campaign, one shift, one week."""

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.clusters import FEWEST, Clusters, clusters_of
from glassbench_plugins.series.chronology import Regular

PERIODS = {"day": "D", "week": "W", "month": "M"}
"""Periods of the calendar that may stand for a column, as pandas writes them."""


def step_clusters(frame: pd.DataFrame, column: str | None, series: Regular, cells: Cells) -> Clusters:
    """Return the cluster of each step of a regular series: what a column says, or the period of the calendar.

    Args:
        frame: The rows of the table.
        column: The column, or a period where no column is called so; None where windows are independent.
        series: The regular series.
        cells: How cells read.

    Raises:
        DataError: All steps are of one cluster, or no row has a value.
    """
    if column is None:
        return Clusters()
    if column in frame.columns:
        found = clusters_of(frame, column, cells)
        assert found.names is not None
        held = found.names.to_numpy(dtype=object)[series.rows]
        alone = np.array([f"step of {time}" for time in series.times], dtype=object)
        return Clusters(names=pd.Series(np.where(series.rows >= 0, held, alone)), notes=found.notes)
    names = pd.Series(series.times.to_period(PERIODS[column]).astype(str), dtype=object)
    many = int(names.nunique())
    if many < FEWEST:
        fix = f"choose a shorter period than the {column}, or leave cluster out"
        raise DataError(f"the whole series lies in one {column}", got=str(names.iloc[0]), where="dataset.cluster", fix=fix)
    note = f"Windows whose forecasts start in the same {column} are one cluster: {many:,} {column}s."
    return Clusters(names=names, notes=(note,))

"""Counting rows once more where they are, by each of their other columns in turn."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench_plugins.predictions.engines import Engine, open_table
from glassbench_plugins.predictions.files import Files
from glassbench_plugins.predictions.group_by import COUNT, MOST, OpenTable, grouped

MOST_COLUMNS = 12
"""The most columns that rows are counted by, those of the fewest values first: each is a pass over the rows."""

_ROW = "glassbench row"


@dataclass(frozen=True, eq=False, kw_only=True)
class CountedStrata:
    """The other columns of files whose rows were counted.

    Args:
        files: The files.
        engine: Who counted them.
        cells: How cells read.
        keys: The columns that told rows apart, as the engine gave them `(n, columns)`.
        frequency: How many rows each stands for `(n,)`.
    """

    files: Files
    engine: Engine
    cells: Cells
    keys: pd.DataFrame
    frequency: np.ndarray

    def counted(self, most: int) -> Mapping[str, pd.DataFrame]:
        """Return how the rows spread over each further column of 2 to `most` values; at most twelve columns."""
        with open_table(self.files, self.engine) as opened:
            return {name: self._spread(opened, name) for name in self._columns(opened, most)}

    def _columns(self, opened: OpenTable, most: int) -> list[str]:
        others = [name for name in opened.names if name not in self.keys.columns]
        if not others:
            return []
        values = dict(zip(others, opened.distinct([opened.names[name] for name in others]), strict=True))
        few = [name for name in others if 2 <= values[name] <= most and len(self.keys) * (values[name] + 1) <= MOST]
        return sorted(few, key=lambda name: values[name])[:MOST_COLUMNS]

    def _spread(self, opened: OpenTable, name: str) -> pd.DataFrame:
        columns = list(self.keys.columns)
        known = self.keys.assign(**{_ROW: np.arange(len(self.keys))})
        found = grouped(opened, [*columns, name]).merge(known, on=columns)
        total = np.bincount(found[_ROW], weights=found[COUNT], minlength=len(self.keys))
        if not np.array_equal(total, self.frequency):
            raise DataError(
                "the rows have changed since they were counted",
                got=f"{int(total.sum()):,} rows with {name}, {int(self.frequency.sum()):,} before",
                where="dataset.path",
                fix="start again, and leave the files as they are while an audit runs",
            )
        return pd.DataFrame({"row": found[_ROW], "value": self.cells.texts(found[name]), "count": found[COUNT]})

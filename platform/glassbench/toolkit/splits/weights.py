"""What each row of a table weighs: survey or sample weights."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError
from glassbench.stats.clusters import effective_clusters
from glassbench.toolkit.cells.cells import Cells, Strange
from glassbench.toolkit.cells.columns import read_columns
from glassbench.toolkit.cells.kinds import Asked
from glassbench.toolkit.cells.numerals import Mark

_NAMED = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Weights:
    """What each row of a table weighs.

    Args:
        values: The weight of each row, float64 `(n,)`; 0 leaves a row out. None where rows count alike.
        treatments: Which rows were left out because they weigh nothing.
        column: The column they come from.
    """

    values: np.ndarray | None = None
    treatments: tuple[Treatment, ...] = ()
    column: str = ""

    def of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights of some rows, by position `(k,)`."""
        return None if self.values is None else self.values[rows]

    def weighing(self, rows: np.ndarray) -> np.ndarray:
        """Return those of some rows, by position `(k,)`, that weigh something."""
        return rows if self.values is None else rows[self.values[rows] > 0]

    def notes(self, judged: np.ndarray) -> tuple[str, ...]:
        """Say that rows have weights, and how many the rows to be judged, by position, are worth; nothing without weights.

        Raises:
            DataError: None of them weighs anything.
        """
        if self.values is None:
            return ()
        weight = self.values[judged]
        if not weight.any():
            raise DataError("no row to be judged weighs anything", got=f"{len(judged)} rows", where="dataset.weight")
        return (
            f"Rows are weighted by {self.column}: the {len(judged):,} rows to be judged say as much as "
            f"{effective_clusters(weight):,.0f} of equal weight (Kish 1965).",
        )


def weights_of(
    frame: pd.DataFrame | None, column: str | None, cells: Cells, *, decimal: Mark | None = None, strange: Strange | None = None
) -> Weights:
    """Return the weights that a column holds; none where no column is named.

    Args:
        frame: The rows; None where nothing is known of them.
        column: The column of weights, or None.
        cells: How cells read.
        decimal: What stands before fractions, where the column does not tell.
        strange: What becomes of rows without a weight: `missing` leaves them out, else they are refused; None where a data set
            has no such setting.

    Raises:
        DataError: A weight is missing, no number, infinite or negative, or all are 0.
    """
    if frame is None or column is None:
        return Weights()
    asked = Asked(kinds={column: "number"}, decimal=decimal, strange="missing")
    read = read_columns(frame[[column]], cells, asked, {column}).cells
    values, written = read.parsed(frame[column]).to_numpy(dtype=np.float64), cells.texts(frame[column])
    absent = written.isna().to_numpy()
    _refuse(written[~np.isfinite(values) & ~absent], f"the weights in '{column}' are finite numbers")
    _refuse(
        written[values < 0], f"the weights in '{column}' are 0 or above", "a negative weight has no meaning here; 0 leaves out"
    )
    if strange != "missing":
        fix = "give each row a weight; 0 leaves a row out" + ("" if strange is None else ", as dataset.strange=missing does")
        _refuse(written[absent], f"rows have no weight in '{column}'", fix)
    values = np.where(absent, 0.0, values)
    if not values.any():
        raise DataError(f"all weights in '{column}' are 0", got=f"{len(values)} rows", where="dataset.weight")
    said = ((absent, f"without a value of '{column}'"), ((values == 0) & ~absent, f"with a weight of 0 in '{column}'"))
    treatments = tuple(
        Treatment(action="rows left out", sentence=f"{int(rows.sum())} rows {words} were left out", count=int(rows.sum()))
        for rows, words in said
        if rows.any()
    )
    return Weights(values=values, treatments=treatments, column=column)


def _refuse(wrong: pd.Series, problem: str, fix: str = "correct them, or leave these rows out") -> None:
    """Raise `DataError` that names rows and what they hold, where there are any."""
    if not len(wrong):
        return
    shown = [f"'{text}'" for text in dict.fromkeys(wrong.dropna().astype(str))][:_NAMED]
    rows = ", ".join(map(str, wrong.index[:_NAMED])) + (", ..." if len(wrong) > _NAMED else "")
    raise DataError(
        problem,
        got=f"{len(wrong)} cells{': ' + ', '.join(shown) if shown else ' without a value'}",
        where=f"row{'s' if len(wrong) > 1 else ''} {rows} (the first is row 0)",
        fix=fix,
    )

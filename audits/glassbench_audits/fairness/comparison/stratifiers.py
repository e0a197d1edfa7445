"""Columns that may explain a gap: what the rows hold beside the sensitive features, as categories or cut into bands."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from glassbench.contracts.subject import Subject
from glassbench_audits.fairness.frames.groups import Column, columns

MOST_LEVELS = 20
"""Values up to which a column is a stratifier whatever its rows, and up to which one that is counted where its rows are is."""

_MANY_LEVELS, _ROWS_OF_EACH = 200, 10
"""A column of text with more values than these is no stratifier, nor one of more than 20 with fewer rows of each on average."""

BANDS = 5
_FEW_NUMBERS = 10
_PRESENT = 0.5
"""Share of the rows that must have a value: the others are in no stratum."""
_MOSTLY = 0.95
"""Share of a text column's cells that must be numbers for it to be cut into bands."""


def raw_columns(subject: Subject) -> pd.DataFrame:
    """Return the columns that rows hold beside target, decision, scores and sensitive features `(n, columns)`; maybe none."""
    source, frame = subject.predictions.source, subject.predictions.frame
    if source is None or source.raw is None or len(source.raw) != len(frame):
        return pd.DataFrame(index=frame.index)
    taken = {subject.schema.target.name, "y_true", "y_pred", "score", *map(str, subject.predictions.groups.columns)}
    return source.raw[[name for name in source.raw.columns if str(name) not in taken]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Stratifier:
    """A column as strata, with the rows looked through.

    Args:
        column: The column; its codes say which stratum each line is in `(k,)`.
        rows: The row of the predictions that each line is of `(k,)`.
        held: What each line counts for `(k,)`, rows of the data or weights, or None where each counts as one.
        missing: Share of the lines that were left out, for they have no value.
    """

    column: Column
    rows: np.ndarray
    held: np.ndarray | None
    missing: float


def stratifiers(subject: Subject, rows: np.ndarray) -> Iterator[Stratifier]:
    """Yield the columns that are categories or numbers, each as strata: its values, or five bands of equally many rows.

    Rows that were counted where they are come by those values of further columns that their data set counts; numbers of many
    values are not among these.

    Args:
        subject: What is examined.
        rows: Positions of the rows to look through `(k,)`.
    """
    raw, held, source = raw_columns(subject), subject.predictions.held, subject.predictions.source
    for name in raw.columns:
        cells = _without_blanks(raw[name])
        found = stratified_column(cells)
        if found is not None:
            looked, there = replace(found, codes=found.codes[rows]), cells.notna().to_numpy()[rows]
            yield from _where_known(looked, there, rows, None if held is None else held[rows])
    spread = {} if source is None or source.strata is None else source.strata.counted(MOST_LEVELS)
    for name, lines in spread.items():
        found = stratified_column(lines["value"].rename(name))
        if found is not None:
            there = lines["value"].notna().to_numpy()
            yield from _where_known(found, there, lines["row"].to_numpy(), lines["count"].to_numpy())


def _without_blanks(cells: pd.Series) -> pd.Series:
    """Return a column whose blank cells are missing, as files that are read as text leave them."""
    return cells if pd.api.types.is_numeric_dtype(cells) else cells.mask(cells.astype(str).str.strip() == "")


def _where_known(column: Column, there: np.ndarray, rows: np.ndarray, held: np.ndarray | None) -> Iterator[Stratifier]:
    """Yield the stratifier of the lines that have a value; nothing where too few have.

    Rows without a value are of all strata mixed, so a gap stays among them that each stratum explains.
    """
    missing = 1 - float(np.average(there, weights=held))
    if missing <= 1 - _PRESENT:
        counted = None if held is None else held[there]
        known = replace(column, codes=column.codes[there])
        yield Stratifier(column=known, rows=rows[there], held=counted, missing=missing)


def stratified_column(series: pd.Series) -> Column | None:
    """Return a column as strata; None where it has one value, or too many that are no numbers."""
    levels = series.nunique()
    if levels < 2:
        return None
    most = min(max(MOST_LEVELS, int(series.notna().sum()) // _ROWS_OF_EACH), _MANY_LEVELS)
    numbers = series if pd.api.types.is_numeric_dtype(series) else None
    if numbers is None and levels > MOST_LEVELS:
        parsed = pd.to_numeric(series.astype(str).where(series.notna()), errors="coerce")
        numbers = parsed if parsed.notna().sum() >= _MOSTLY * series.notna().sum() else None
    if numbers is not None and levels > _FEW_NUMBERS:
        series = _bands(numbers.astype(float))
    elif levels > most:
        return None
    return columns(pd.DataFrame({str(series.name): series}))[0]


def _bands(numbers: pd.Series) -> pd.Series:
    edges = np.unique(np.nanquantile(numbers, np.arange(1, BANDS) / BANDS))  # of `linspace`, three fifths are a hair above
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    names = [f"below {edges[0]:g}", *between, f"from {edges[-1]:g}"]
    codes = np.searchsorted(edges, numbers.fillna(edges[0]), side="right")
    bands = pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names), ordered=True)
    return pd.Series(bands, index=numbers.index, name=numbers.name).where(numbers.notna())

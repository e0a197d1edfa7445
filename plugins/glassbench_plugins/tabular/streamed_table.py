"""The data set of Parquet files that are larger than memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError, shorten
from glassbench.stats.settings_types import Count, CountOrZero, Name
from glassbench.toolkit.cells.cells import MARKS, Strange
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.cells.kinds import Kind
from glassbench.toolkit.reading.row_groups import RowGroups, row_groups
from glassbench.toolkit.splits.splits import Division, Part
from glassbench.toolkit.table.column_roles import Columns, Scale, TargetKind
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.measured import Measured, Measuring, measure
from glassbench.toolkit.table.table import read_meaning, table_data, with_target_kind
from glassbench_plugins.tabular.row_group_stream import SAMPLE, TEST, TRAIN, VALIDATION, Draw, RowGroupStream

_MOST_HELD_OUT = 0.2
"""Share of the rows that are for validation, and for testing, at most."""


def streamed_table(
    seed: int,
    *,
    path: Path,
    target: Name,
    kind: TargetKind = "auto",
    positive: Name | None = None,
    favourable: Name | tuple[Name, ...] | None = None,
    sensitive: tuple[str | Band, ...] = (),
    sensitive_as_input: bool = False,
    drop: tuple[str, ...] = (),
    types: dict[str, Kind] | None = None,
    missing: tuple[str, ...] = MARKS,
    strange: Strange = "refuse",
    scale: Scale = "standard",
    max_categories: Count = 50,
    units: dict[str, str] | None = None,
    decimals: dict[str, CountOrZero] | None = None,
    unit: str = "row",
    test: Count = 50_000,
    validation: Count = 20_000,
    sample: Count = 100_000,
    buffer: Count = 250_000,
) -> Data:
    """Parquet files that are larger than memory: a network learns from all rows, row group by row group.

    Rows for testing, for validation and for a sample of the training rows are drawn at random from all row groups and held in
    memory: audits look at them. Means, spreads, ranges and categories are measured on all training rows in one pass; the medians
    that take the place of missing numbers are those of the sample. Rows are mixed within parts of about `buffer` rows, whose row
    groups are drawn in a new order each epoch, so files that are sorted should be written in a random order, or with small row
    groups and a large buffer.

    Args:
        seed: Seed of what is drawn.
        path: A Parquet file, or a folder of Parquet files with the same columns; folders named `key=value` add columns.
        target: The column to be predicted.
        kind: Whether the target is a `class` or a `value`.
        positive: The class whose rates a binary audit speaks of.
        favourable: The outcome that is good for a person.
        sensitive: Features to audit by: a column's name, or a number cut into bands.
        sensitive_as_input: Whether the model may see the sensitive columns.
        drop: Columns to leave out.
        types: Kinds of columns where inference is wrong.
        missing: Texts that mean a value is missing.
        strange: What becomes of a few cells in a column of numbers that are none.
        scale: Whether numbers are standardised or kept in their own units.
        max_categories: Most categories of a column that get an encoded column of their own.
        units: Units of columns, for the report.
        decimals: Digits after the point with which values of columns are shown.
        unit: What one row is, in the singular, for the report.
        test: Rows for testing, about; at most a fifth of all.
        validation: Rows for validation, about; at most a fifth of all.
        sample: Training rows that audits look at, about.
        buffer: Rows of a part, about.

    Raises:
        DataError: A file cannot be read, files differ in their columns, or the rows cannot be used as asked.
    """
    groups = row_groups(Path(path).expanduser())
    columns = Columns(
        target=target,
        kind=kind,
        positive=positive,
        favourable=favourable,
        sensitive=tuple(sensitive),
        sensitive_as_input=sensitive_as_input,
        drop=tuple(drop),
        types=types or {},
        missing=tuple(missing),
        strange=strange,
        scale=scale,
        max_categories=max_categories,
        units=units or {},
        decimals=decimals or {},
    )
    shares = [min(_MOST_HELD_OUT, rows / groups.total) for rows in (validation, test)]
    left = 1 - sum(shares)
    draw = Draw(seed=seed, validation=shares[0], test=shares[1], sample=min(left, sample / groups.total))
    held = _read(groups, draw, columns)
    return _data(groups, draw, columns, held, seed=seed, unit=unit, buffer=buffer, source=Path(path).name)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Held:
    """What one pass over all rows leaves in memory.

    Args:
        frame: Rows for validation, for testing and of the sample.
        parts: What each is for `(n,)`.
        measured: What was measured of the inputs in all training rows.
        learnt: Training rows with a truth.
        truths: How many training rows have each truth, where it is a class.
        sampled: The same of the rows of the sample.
    """

    frame: pd.DataFrame
    parts: np.ndarray
    measured: Measured
    learnt: int
    truths: dict[str, int]
    sampled: dict[str, int]


def _read(groups: RowGroups, draw: Draw, columns: Columns) -> _Held:
    """Go over all rows once, and once more where the first row group did not tell how the columns read."""
    first = groups.frame(0)
    columns.check(first)
    guessed, inputs = _inputs(first, columns)
    frames, parts, measuring, counted = [], [], Measuring(inputs), _Truths(guessed)
    for place, frame in _frames(groups):
        purpose = draw.parts(place, len(frame))
        kept = purpose != TRAIN
        frames.append(frame[kept])
        parts.append(purpose[kept])
        learnt = frame[(purpose == TRAIN) | (purpose == SAMPLE)]
        counted.add(learnt)
        try:
            measuring.add(learnt, guessed.cells)
        except DataError:
            measuring = Measuring({})  # the first row group held no such cell: look again, knowing how the columns read
    frame, purposes = pd.concat(frames, ignore_index=True), np.concatenate(parts)
    known, needed = _inputs(frame, columns)
    if needed != measuring.kinds or known.read != guessed.read:
        measuring, counted = Measuring(needed), _Truths(known)
        for place, rows in _frames(groups):
            learnt = rows[draw.learnt(place, len(rows))]
            counted.add(learnt)
            measuring.add(learnt, known.cells)
    sample = frame[purposes == SAMPLE]
    of_sample = _Truths(known)
    of_sample.add(sample)
    return _Held(
        frame=frame,
        parts=purposes,
        measured=measuring.measured(measure(sample, needed, known.cells).numbers),
        learnt=counted.rows,
        truths=counted.classes,
        sampled=of_sample.classes,
    )


class _Truths:
    """Counts training rows by their truth.

    Args:
        columns: What the columns mean, the target's kind decided.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.rows = 0
        self.classes: dict[str, int] = {}

    def add(self, rows: pd.DataFrame) -> None:
        """Look at further rows."""
        target = rows[str(self.columns.target)]
        self.rows += int((~self.columns.cells.absent(target)).sum())
        if self.columns.kind == "class":
            for name, count in self.columns.cells.counted(target).items():
                self.classes[name] = self.classes.get(name, 0) + count


def _frames(groups: RowGroups) -> Iterator[tuple[int, pd.DataFrame]]:
    return ((place, groups.frame(place)) for place in range(len(groups)))


def _inputs(frame: pd.DataFrame, columns: Columns) -> tuple[Columns, dict[str, Kind]]:
    """Return the columns with their readings and the target's kind decided, and the kinds of the inputs, as these rows tell."""
    reading = read_meaning(frame, columns)
    known = with_target_kind(frame, replace(columns, read=reading.cells.columns))
    return known, {name: kind for name, kind in reading.kinds.items() if name not in columns.kept_out}


def _data(
    groups: RowGroups, draw: Draw, columns: Columns, held: _Held, *, seed: int, unit: str, buffer: int, source: str
) -> Data:
    _check_classes(held)
    places: dict[Part, int] = {"train": SAMPLE, "validation": VALIDATION, "test": TEST}
    given: dict[Part, np.ndarray] = {name: np.flatnonzero(held.parts == part) for name, part in places.items()}
    words = "at random over all row groups"
    division = Division(seed=seed, validation=0.0, given=given, words=words)
    data = table_data(held.frame, columns, division, unit=unit, source=source, measured=held.measured)
    encoder = cast(TableEncoder, data.encoder)
    stream = RowGroupStream(groups=groups, draw=draw, encoder=encoder, rows=held.learnt, buffer=buffer)
    note = (
        f"{held.learnt:,} training {unit}s are read part by part while the model learns, about {groups.total // stream.parts:,} "
        f"at a time; counts of training rows and audits of them rest on a random sample of {len(given['train']):,}"
    )
    return replace(data, stream=stream, notes=(note, *data.notes))


def _check_classes(held: _Held) -> None:
    """Raise `DataError` where a class of the training rows is not in their sample: nothing could be said of it."""
    absent = [f"{name} ({count:,} rows)" for name, count in held.truths.items() if name not in held.sampled]
    if absent:
        raise DataError(
            "the sample of the training rows lacks a class that training rows have",
            got=shorten(absent),
            where="dataset.sample",
            fix="draw a larger sample, or merge rare classes",
        )

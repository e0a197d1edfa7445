"""From a raw table to data ready for training and judging."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Treatment
from glassbench.contracts.positive_class import checked_favourable, checked_positive
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.cells.codes import CategoryCode, NumberCode, in_order
from glassbench.toolkit.cells.columns import Reading, looks_like_classes, read_columns, whole_classes
from glassbench.toolkit.cells.groups import group_code, sensitive_column
from glassbench.toolkit.cells.kinds import Kind
from glassbench.toolkit.splits.absent import absent_notes
from glassbench.toolkit.splits.clusters import clusters_of, kept_together
from glassbench.toolkit.splits.splits import Division, Part, Positions, check_judged, divide
from glassbench.toolkit.splits.weights import weights_of
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.label_columns import RowLabels, read_labels
from glassbench.toolkit.table.measured import Measured, measure
from glassbench.toolkit.table.number_block import number_block

NOTHING = Target(name="nothing", kind="none")


def table_data(
    frame: pd.DataFrame,
    columns: Columns,
    division: Division,
    *,
    unit: str = "row",
    source: str = "",
    notes: Sequence[str] = (),
    treatments: Sequence[Treatment] = (),
    measured: Measured | None = None,
) -> Data:
    """Split a raw table, measure its training rows, and encode it.

    How columns read is decided on all rows. Then the split is made, stratified by class (or by tenths of the value); whatever is
    measured afterwards, from medians to categories, sees training rows only. Row ids are positions in the table.

    Args:
        frame: Raw rows, text or numbers.
        columns: What the columns mean.
        division: How the rows are divided.
        unit: What one row is, in the singular.
        source: Where the table comes from.
        notes: What was done to the rows before.
        treatments: How the file was read.
        measured: What was measured of the inputs in more training rows than the table holds; None measures those of the table.

    Raises:
        DataError: The table cannot be used so; the message says why and what helps.
    """
    frame = frame.set_axis(pd.RangeIndex(len(frame))).rename(columns=str)
    columns.check(frame)
    reading = read_meaning(frame, columns)
    columns, labels = _with_labels(frame, with_target_kind(frame, replace(columns, read=reading.cells.columns)))
    target = read_target(frame, columns) if labels is None else labels.strata(given=division.given is not None)
    division = replace(division, strata="the labels" if labels is not None else columns.target or "")
    clusters = clusters_of(frame, columns.cluster, columns.cells)
    stays = kept_together(frame, clusters, columns.cluster, division, columns.cells)
    weights = weights_of(frame, columns.weight, columns.cells, decimal=columns.decimal, strange=columns.strange)
    parts = {part: weights.weighing(rows) for part, rows in divide(target, division, stays, undecided=True).items()}
    if labels is None:
        check_judged(target, parts)
    absent = None if labels is None else labels.check_parts(parts)
    inputs = {name: kind for name, kind in reading.kinds.items() if name not in columns.kept_out}
    _refuse_nothing(inputs, reading.treatments)
    frame, is_value = _numbers_once(frame, columns, inputs), target.dtype == float
    encoder, filled, left_out = fit_encoder(frame, parts["train"], columns, inputs, is_value=is_value, measured=measured)
    rest = _beside(frame, columns, inputs, parts)
    splits = {
        part: replace(encoder.encode(frame.iloc[rows]), clusters=clusters.of(rows), weights=weights.of(rows), beside=rest[part])
        for part, rows in parts.items()
    }
    lost = _rows_lost(target, parts["test"], columns)
    lost += [*weights.treatments, *reading.treatments, *([] if labels is None else labels.treatments), *left_out]
    said = [*([] if division.words else [division.sentence(parts)]), *clusters.notes, *weights.notes(parts["test"]), *filled]
    return Data(
        split=division.how,
        schema=_schema(encoder, columns, unit),
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        encoder=encoder,
        notes=(*notes, *said, *(absent_notes(splits, encoder.classes, unit) if absent is None else absent)),
        source=source,
        treatments=(*treatments, *division.treatments(parts, clusters.names), *lost),
    )


def _with_labels(frame: pd.DataFrame, columns: Columns) -> tuple[Columns, RowLabels | None]:
    """Return what the columns mean with the names of the labels read, and the labels; None where there are none."""
    if columns.label_columns is None:
        return columns, None
    labels = read_labels(columns.label_columns, frame, columns.cells)
    return replace(columns, label_columns=labels.columns), labels


def _beside(frame: pd.DataFrame, columns: Columns, inputs: Collection[str], parts: Positions) -> dict[Part, pd.DataFrame | None]:
    """Return of each part the columns that have no role, as text, with rows counted from 0; None where every column has one."""
    named = (*columns.targets, columns.cluster, columns.weight)
    used = {*inputs, *(sensitive_column(feature) for feature in columns.sensitive), *named}
    rest = [name for name in frame.columns if name not in used]
    if not rest:
        return dict.fromkeys(parts)
    texts = pd.DataFrame({name: columns.cells.texts(frame[name]) for name in rest}, index=frame.index)
    return {part: texts.iloc[rows].reset_index(drop=True) for part, rows in parts.items()}


def read_meaning(frame: pd.DataFrame, columns: Columns) -> Reading:
    """Return how the columns that matter read, decided on all rows; what is dropped is not looked at.

    Raises:
        DataError: A column cannot be read; the message says why and what helps.
    """
    named = {sensitive_column(feature) for feature in columns.sensitive} | set(columns.targets)
    unread = ({*columns.drop} | {name for name in (columns.cluster, columns.weight) if name}) - named
    return read_columns(frame[[name for name in frame.columns if name not in unread]], columns.cells, columns.asked, named)


def _numbers_once(frame: pd.DataFrame, columns: Columns, inputs: Mapping[str, Kind]) -> pd.DataFrame:
    """Return a table whose inputs of numbers are numbers already, so that no text is read twice."""
    groups = {sensitive_column(feature) for feature in columns.sensitive}
    names = [name for name, kind in inputs.items() if kind == "number" and name not in groups]
    numbers = pd.DataFrame(number_block(frame, names, columns.cells).T, columns=names, index=frame.index)
    known = set(names)
    return pd.concat([frame[[name for name in frame.columns if name not in known]], numbers], axis=1)


def _rows_lost(target: pd.Series, test: np.ndarray, columns: Columns) -> list[Treatment]:
    """Say what became of rows without a target: those of the test part are decided, nothing is learnt from the others."""
    absent = int(target.isna().sum())
    decided = int(target.iloc[test].isna().sum())
    kept = f", but for {decided} test rows, which are decided and count towards selection rates alone" if decided else ""
    names = ", ".join(f"'{name}'" for name in columns.targets)
    sentence = f"{absent} rows without a value of {names} were left out{kept}"
    return [Treatment(action="rows left out", sentence=sentence, count=absent - decided)] if absent else []


def with_target_kind(frame: pd.DataFrame, columns: Columns) -> Columns:
    """Return what the columns mean with the target's kind decided, once for all that asks, where the table was to tell it."""
    if columns.target is None or columns.kind != "auto":
        return columns
    target = frame[columns.target]
    if not looks_like_classes(target, columns.cells):
        return replace(columns, kind="value")
    return replace(columns, kind="class", read={**columns.read, **whole_classes(target, columns.cells)})


def read_target(frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Return the target as text (classes) or float64 (a value), absent where missing; the same text where there is none.

    Its kind has been decided.

    Raises:
        DataError: No row has one, or a value is no number.
    """
    if columns.target is None:
        return pd.Series("", index=frame.index)
    raw, cells = frame[columns.target], columns.cells
    named = cells.texts(raw)
    if named.isna().all():
        raise DataError(f"no row has a value of '{columns.target}'", where="dataset.target")
    return named if columns.kind == "class" else cells.numbers(raw)


def fit_encoder(
    frame: pd.DataFrame,
    train: np.ndarray,
    columns: Columns,
    kinds: Mapping[str, Kind],
    *,
    is_value: bool,
    measured: Measured | None = None,
) -> tuple[TableEncoder, list[str], list[Treatment]]:
    """Return the encoder measured on the training rows, notes on what was filled in, and which inputs never vary there.

    Only what names groups looks at every row: how many groups there are, and whether a banded number is whole.

    Args:
        frame: All rows.
        train: Positions of the training rows.
        columns: What the columns mean.
        kinds: The inputs, and whether they are numbers or categories.
        is_value: Whether the target is a value.
        measured: What was measured of the inputs in the training rows; None measures it here.

    Raises:
        DataError: No column is left to learn from.
    """
    cells = columns.cells
    rows = frame.iloc[train]
    measured = measured or measure(rows, kinds, cells)
    still = measured.still - set(columns.types)
    left_out = [
        Treatment(action="left out", column=name, sentence="the same value in every training row; left out", count=1)
        for name in kinds
        if name in still
    ]
    inputs = tuple(
        measured.number(name, columns.scale)
        if kind == "number"
        else CategoryCode.fit(name, measured.counts[name], measured.rows, columns.max_categories)
        for name, kind in kinds.items()
        if name not in still
    )
    _refuse_nothing(inputs, left_out)
    encoder = TableEncoder(
        inputs=inputs,
        target=columns.target,
        label_columns=columns.label_columns,
        classes=() if is_value or columns.target is None else _classes(rows[columns.target], columns),
        sensitive=tuple(group_code(feature, frame, cells, columns.decimals) for feature in columns.sensitive),
        cells=cells,
    )
    return encoder, _fill_notes(measured, inputs), left_out


def _refuse_nothing(inputs: Collection[object], treatments: Sequence[Treatment]) -> None:
    """Raise `DataError` where no input is left."""
    if not inputs:
        got = "; ".join(str(treatment) for treatment in treatments if treatment.action == "left out")
        fix = "set dataset.types for a column that was left out, or give a table with other columns"
        raise DataError("no column is left to learn from", got=got or "no column besides those named for other purposes", fix=fix)


def _fill_notes(measured: Measured, inputs: Collection[NumberCode | CategoryCode]) -> list[str]:
    """Say which inputs miss values in the training rows, and which have categories without an encoded column."""
    absent, notes = [], []
    for code in inputs:
        absent += [f"{code.name} ({measured.lacking[code.name]})"] if measured.lacking[code.name] else []
        if isinstance(code, CategoryCode):
            rare = len(set(measured.counts[code.name]) - set(code.categories))
            notes += [f"{code.name}: {rare} rare categories have no encoded column of their own"] if rare else []
    return [*([f"missing values among {measured.rows} training rows: {', '.join(absent)}"] if absent else []), *notes]


def _classes(target: pd.Series, columns: Columns) -> tuple[str, ...]:
    present = in_order(set(columns.cells.texts(target)))
    if len(present) < 2:
        raise DataError(f"the target '{columns.target}' has one class only", got=", ".join(present), where="dataset.target")
    if columns.classes and set(columns.classes) != set(present):
        raise DataError("the classes given are not the target's", got=", ".join(columns.classes), available=present)
    return columns.classes or present


def _schema(encoder: TableEncoder, columns: Columns, unit: str) -> Schema:
    return Schema(
        modality="table",
        shape=(encoder.width,),
        target=_target(encoder, columns),
        features=encoder.features(columns.units, columns.decimals),
        sensitive=tuple(code.name for code in encoder.sensitive),
        unit=unit,
    )


def _target(encoder: TableEncoder, columns: Columns) -> Target:
    favourable = (columns.favourable,) if isinstance(columns.favourable, str) else columns.favourable
    if columns.label_columns is not None:
        return columns.label_columns.target(favourable)
    if columns.target is None:
        return NOTHING
    cells, classes = columns.cells, encoder.classes
    positive = None if columns.positive is None else cells.name(columns.target, columns.positive)
    good = None if favourable is None else tuple(cells.name(columns.target, name) for name in favourable)
    return Target(
        name=columns.target,
        kind="class" if encoder.classes else "value",
        classes=classes,
        positive=checked_positive(positive, classes) if classes else None,
        favourable=checked_favourable(good, classes, where="dataset.favourable"),
        unit=columns.units.get(columns.target),
        decimals=columns.decimals.get(columns.target),
    )

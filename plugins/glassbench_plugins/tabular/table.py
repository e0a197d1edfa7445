"""From a raw table to data ready for training and judging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.data import Data, Schema, Target
from glassbench.errors import DataError
from glassbench_plugins.tabular.cells import MARKS, numbers, texts
from glassbench_plugins.tabular.codes import CategoryCode, NumberCode, in_order
from glassbench_plugins.tabular.columns import Kind, looks_like_classes, read_columns, require_columns
from glassbench_plugins.tabular.encoder import TableEncoder
from glassbench_plugins.tabular.groups import Band, GroupCode, group_code
from glassbench_plugins.tabular.splits import Part, Positions, stratified, value_strata

TargetKind = Literal["class", "value", "auto"]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a table mean.

    Args:
        target: The column to be predicted.
        kind: `class`, `value`, or `auto`: classes when the target is text or at most 10 different whole numbers.
        classes: Names of the classes in index order; by default sorted, as numbers where all are.
        positive: The class whose rates a binary audit speaks of; by default the last of two classes.
        sensitive: Features to audit by: a column's name, or a number cut into bands.
        sensitive_as_input: Whether the model may see the sensitive columns.
        drop: Columns to leave out.
        types: Kinds of columns, where inference is wrong.
        missing: Texts that mean a value is missing.
        max_categories: Most slots of a category; rarer categories leave all of them 0.
        units: Units of columns, the target's too.
    """

    target: str
    kind: TargetKind = "auto"
    classes: tuple[str, ...] = ()
    positive: str | None = None
    sensitive: tuple[str | Band, ...] = ()
    sensitive_as_input: bool = False
    drop: tuple[str, ...] = ()
    types: Mapping[str, Kind] = field(default_factory=dict)
    missing: tuple[str, ...] = MARKS
    max_categories: int = 50
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def sensitive_columns(self) -> tuple[str, ...]:
        """The raw columns that sensitive features come from."""
        return tuple(s if isinstance(s, str) else s["column"] for s in self.sensitive)


def table_data(
    frame: pd.DataFrame,
    columns: Columns,
    *,
    seed: int,
    parts: Positions | None = None,
    validation_share: float = 0.2,
    test_share: float = 0.2,
    unit: str = "row",
    source: str = "",
    notes: Sequence[str] = (),
) -> Data:
    """Split a raw table, measure its training rows, and encode it.

    The split is made first, stratified by class (or by tenths of the value); whatever is measured afterwards, from the kinds of the
    columns to medians and categories, sees training rows only.

    Args:
        frame: Raw rows, text or numbers.
        columns: What the columns mean.
        seed: Seed of the split.
        parts: Row positions of parts that are given: `train` and `test`, and `validation` if that is given too.
        validation_share: Share of the rows for validation; of the training rows where `test` is given. 0 for none.
        test_share: Share of the rows for testing, where `test` is not given.
        unit: What one row is, in the singular.
        source: Where the table comes from.
        notes: What was done to the rows before.

    Raises:
        DataError: The table cannot be used so; the message says why and what helps.
    """
    _check_table(frame, columns)
    known = texts(frame[columns.target], columns.missing).notna().to_numpy()
    frame = frame.set_axis(pd.RangeIndex(len(frame)))
    kind = _target_kind(frame[columns.target][known], columns)
    groups = tuple(group_code(sensitive, frame, columns.missing) for sensitive in columns.sensitive)
    parts = _divide(frame[columns.target], kind, columns, known, parts, validation_share, test_share, seed)
    train = frame.iloc[parts["train"]]
    encoder, read_notes = fit_encoder(train, columns, kind, groups)
    schema = _schema(encoder, columns, unit)
    splits = {part: encoder.encode(frame.iloc[rows]) for part, rows in parts.items()}
    lost = (
        [f"{int((~known).sum())} rows without a value of '{columns.target}' were left out"] if not known.all() else []
    )
    return Data(
        schema=schema,
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        encoder=encoder,
        notes=(*notes, *lost, *read_notes),
        source=source,
    )


def fit_encoder(
    train: pd.DataFrame, columns: Columns, kind: Literal["class", "value"], groups: tuple[GroupCode, ...]
) -> tuple[TableEncoder, tuple[str, ...]]:
    """Measure the training rows and return the encoder, with notes on what was left out."""
    kept_out = {columns.target, *columns.drop} | (
        set() if columns.sensitive_as_input else set(columns.sensitive_columns)
    )
    candidates = train[[name for name in train.columns if name not in kept_out]]
    declared = {name: declared for name, declared in columns.types.items() if name not in kept_out}
    reading = read_columns(candidates, declared, columns.missing)
    inputs = tuple(_code(candidates[name], read, columns) for name, read in reading.kinds.items())
    classes = _classes(train[columns.target], columns) if kind == "class" else ()
    encoder = TableEncoder(
        inputs=inputs, target=columns.target, classes=classes, sensitive=groups, marks=columns.missing
    )
    return encoder, (*reading.notes, *_rare_notes(candidates, inputs, columns))


def _code(column: pd.Series, kind: Kind, columns: Columns) -> NumberCode | CategoryCode:
    if kind == "number":
        return NumberCode.fit(column, columns.missing)
    return CategoryCode.fit(column, columns.missing, columns.max_categories)


def _rare_notes(train: pd.DataFrame, inputs: tuple[NumberCode | CategoryCode, ...], columns: Columns) -> list[str]:
    notes = []
    for code in inputs:
        if isinstance(code, CategoryCode):
            rare = texts(train[code.name], columns.missing).dropna().nunique() - len(set(code.categories) - {"missing"})
            notes += [f"{code.name}: {rare} rare categories have no slot of their own"] if rare > 0 else []
    return notes


def _classes(target: pd.Series, columns: Columns) -> tuple[str, ...]:
    present = in_order(set(texts(target, columns.missing)))
    if len(present) < 2:
        raise DataError(
            f"the target '{columns.target}' has one class only", got=", ".join(present), where="dataset.target"
        )
    if columns.classes and set(columns.classes) != set(present):
        raise DataError(
            "the classes given are not those of the target", got=", ".join(columns.classes), available=present
        )
    if columns.positive is not None and columns.positive not in present:
        raise DataError(f"there is no class '{columns.positive}'", where="dataset.positive", available=present)
    return columns.classes or present


def _schema(encoder: TableEncoder, columns: Columns, unit: str) -> Schema:
    last = encoder.classes[-1] if len(encoder.classes) == 2 else None
    target = Target(
        name=columns.target,
        kind="class" if encoder.classes else "value",
        classes=encoder.classes,
        positive=columns.positive or last,
        unit=columns.units.get(columns.target),
    )
    return Schema(
        modality="table",
        shape=(encoder.width,),
        target=target,
        features=encoder.features(columns.units),
        sensitive=tuple(code.name for code in encoder.sensitive),
        unit=unit,
    )


def _target_kind(target: pd.Series, columns: Columns) -> Literal["class", "value"]:
    if columns.kind == "auto":
        return "class" if looks_like_classes(target, columns.missing) else "value"
    if columns.kind == "value":
        numbers(target, columns.missing)
    return columns.kind


def _divide(
    target: pd.Series,
    kind: Literal["class", "value"],
    columns: Columns,
    known: np.ndarray,
    parts: Positions | None,
    validation_share: float,
    test_share: float,
    seed: int,
) -> dict[Part, np.ndarray]:
    """Return the rows of each part, without those whose target is missing."""
    if not known.any():
        raise DataError(f"no row has a value of '{columns.target}'", where="dataset.target")

    def drawn(rows: np.ndarray, shares: Mapping[Part, float]) -> dict[Part, np.ndarray]:
        values = target.iloc[rows]
        strata = (
            texts(values, columns.missing).to_numpy()
            if kind == "class"
            else value_strata(numbers(values, columns.missing).to_numpy())
        )
        return {part: rows[drawn] for part, drawn in stratified(strata, shares, seed).items()}

    if parts is None:
        train_share = 1 - validation_share - test_share
        shares: dict[Part, float] = {"train": train_share, "validation": validation_share, "test": test_share}
        return drawn(np.flatnonzero(known), shares)
    given = {part: rows[known[rows]] for part, rows in parts.items()}
    if "validation" in given or validation_share == 0:
        return given
    return {**given, **drawn(given["train"], {"train": 1 - validation_share, "validation": validation_share})}


def _check_table(frame: pd.DataFrame, columns: Columns) -> None:
    if frame.empty:
        raise DataError("the table is empty", got=f"{len(frame)} rows, {frame.shape[1]} columns")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(f"two columns are called '{twice[0]}'", fix="rename one of them")
    require_columns(frame.columns, [columns.target], "dataset.target")
    require_columns(frame.columns, columns.sensitive_columns, "dataset.sensitive")
    require_columns(frame.columns, columns.drop, "dataset.drop")
    require_columns(frame.columns, columns.types, "dataset.types")

"""Any table in a file or on OpenML, as a data set."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError

import pandas as pd
from sklearn import datasets as sklearn_datasets

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, CountOrZero, Name
from glassbench.toolkit.cells.cells import MARKS, Cells, Strange
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.cells.kinds import Kind
from glassbench.toolkit.cells.numerals import Mark
from glassbench.toolkit.cells.value_labels import Labels, LabelSettings
from glassbench.toolkit.reading.tables import PARQUET, Format, column_names, load, read_table
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.split_by import SplitBy, division_of, one_file
from glassbench.toolkit.table.column_roles import Columns, Scale, TargetKind
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.label_columns import label_columns
from glassbench.toolkit.table.table import table_data


def table(
    seed: int,
    *,
    path: Path,
    target: Name | tuple[Name, ...] | None = None,
    label_separator: str | None = None,
    split: SplitBy | None = None,
    fold: Fold | None = None,
    kind: TargetKind = "auto",
    positive: Name | None = None,
    favourable: Name | tuple[Name, ...] | None = None,
    sensitive: tuple[str | Band, ...] = (),
    sensitive_as_input: bool = False,
    cluster: str | None = None,
    weight: str | None = None,
    drop: tuple[str, ...] = (),
    types: dict[str, Kind] | None = None,
    missing: tuple[str, ...] = MARKS,
    strip_end: str = "",
    decimal: Mark | None = None,
    strange: Strange = "refuse",
    scale: Scale = "standard",
    max_categories: Count = 50,
    labels: LabelSettings | None = None,
    units: dict[str, str] | None = None,
    decimals: dict[str, CountOrZero] | None = None,
    unit: str = "row",
    separator: str | None = None,
    columns: tuple[str, ...] = (),
    comment: str | None = None,
    encoding: str | None = None,
    skip: int = 0,
    skip_end: int = 0,
    sheet: str | None = None,
) -> Data:
    """Any CSV, Parquet or Excel file, compressed too.

    How a column reads is decided on all of its rows: numbers when most of its values are written like numbers (decimal commas,
    thousands marks, currencies, percent), else categories; dates are refused; identifiers, free text and constant columns are
    left out. The report says what was left out or converted. Blanks around text never count.

    Args:
        seed: Seed of the split.
        path: The file, relative to the current folder. Parquet and Excel by their endings, else text; `.gz`, `.bz2`, `.xz` and
            `.zip` are unpacked.
        target: The column to be predicted; for clusters, densities and anomalies it may be left out, or names the labels
            to compare with, which no model sees. Several columns, `[a, b, c]`, are labels, of which a row has any number: each
            says yes or no, in words, as 1 and 0, or as `positive` says; an empty cell is not known.
        label_separator: What stands between the names in one target column that holds a row's labels, such as `;`. An empty cell
            then is a row without labels.
        split: How rows are divided: `{by: random, validation: 0.2, test: 0.2}` unless given; `{by: date, column: applied_on,
            test: 0.2}` or `from: 2024-01-01` judges by the latest rows; `{by: cluster}` keeps clusters in one part, and
            `{by: cluster, column: hospital}` other groups; `{by: column, column: part}` takes the names train, validation and
            test of a column; `{by: file, test: test.csv}` takes the test rows from another file with the same columns.
        fold: The fold of cross-validation that is for testing; a study sets it. For splits at random and by cluster.
        kind: Whether the target is a `class` or a `value`; `auto` takes text and at most 10 different whole numbers for
            classes.
        positive: The class whose rates a binary audit speaks of; of two the one that is no plain no, else the last in order. Of
            several labels the value that means yes, in all of their columns.
        favourable: The outcome that is good for a person: a class or several, or `higher` or `lower` of a value. Selection rates
            and parity speak of it; names such as granted and refused tell by themselves.
        sensitive: Features to audit by: a column's name, or a number cut into bands, `{column: age, bins: [30, 50]}`.
        sensitive_as_input: Whether the model may see the sensitive columns.
        cluster: A column, such as a person's number, whose rows with the same value are not independent: they go into the same
            split, and audits resample them together.
        weight: A column of survey or sample weights, 0 or above, whole or not; no input. Training and audits weigh rows;
            only their proportions matter.
        drop: Columns to leave out; they may still be sensitive.
        types: Kinds of columns where inference is wrong: `number` or `category`.
        missing: Texts that mean a value is missing.
        strip_end: Characters to take off the end of every text: `.` for labels such as `<=50K.`.
        decimal: What stands before fractions, where the table does not tell: `1,234` may be 1234 or 1.234.
        strange: What becomes of a few cells in a column of numbers that are none: `refuse` names them, `missing` counts them as
            missing.
        scale: Whether numbers are standardised (`standard`) or kept in their own units (`none`).
        max_categories: Most categories of a column that get an encoded column of their own, the most frequent in the training
            rows.
        labels: Names for people: `{sex: {1: man, 2: woman}}` for values, `{bmi: body mass index}` for a column. They are used
            everywhere, gates too; other settings name columns as the file does. New rows may hold either.
        units: Units of columns, for the report.
        decimals: Digits after the point with which values and bands of columns are shown, such as `{income: 0}`; thousands
            then stand apart, in bands too: `30,000 to 59,999`.
        unit: What one row is, in the singular, for the report.
        separator: What stands between cells; what cuts the first lines alike unless given.
        columns: Names of the columns of a file without a header.
        comment: Lines that start with this are skipped.
        encoding: Character encoding of a text file; UTF-8, or what fits where it is not valid UTF-8, unless given.
        skip: How many lines above the header are passed over.
        skip_end: How many rows at the end are passed over, such as totals.
        sheet: The sheet of an Excel workbook (extra `excel`); the only one that holds something unless given.
    """
    form = Format(
        separator=separator, columns=columns, comment=comment, encoding=encoding, skip=skip, skip_end=skip_end, sheet=sheet
    )
    loaded = load(path, form)
    frame, division = division_of(
        split,
        loaded.frame,
        seed=seed,
        cells=Cells(missing=missing, strip_end=strip_end),
        cluster=cluster,
        read=lambda further, where: read_table(one_file(further, where), form, where),
        fold=fold,
    )
    called = Labels.of(labels, missing=missing, strip_end=strip_end)
    several = label_columns(target, label_separator, positive, kind)
    only = target if several is None and isinstance(target, str) else None
    said = called.check(frame)
    meaning = Columns(
        target=called.title(only),
        label_columns=None if several is None else replace(several, columns=called.named(several.columns)),
        kind=kind,
        positive=called.label(only, positive),
        favourable=called.label(only, favourable),
        sensitive=tuple(map(called.feature, sensitive)),
        sensitive_as_input=sensitive_as_input,
        cluster=called.title(cluster),
        weight=called.title(weight),
        drop=called.named((*drop, *division.columns)),
        types=called.keyed(types),
        missing=missing,
        strip_end=strip_end,
        decimal=decimal,
        strange=strange,
        scale=scale,
        max_categories=max_categories,
        units=called.keyed(units),
        decimals=called.keyed(decimals),
    )
    division = replace(division, together=called.title(division.together))
    data = table_data(
        called.apply(frame), meaning, division, unit=unit, source=Path(path).name, treatments=(*loaded.treatments, *said)
    )
    return replace(data, encoder=replace(cast(TableEncoder, data.encoder), labels=called))


def openml(
    seed: int,
    *,
    name: str | None = None,
    number: int | None = None,
    version: int | None = None,
    target: str | None = None,
    kind: TargetKind = "auto",
    positive: Name | None = None,
    favourable: Name | tuple[Name, ...] | None = None,
    sensitive: tuple[str | Band, ...] = (),
    sensitive_as_input: bool = False,
    cluster: str | None = None,
    weight: str | None = None,
    drop: tuple[str, ...] = (),
    types: dict[str, Kind] | None = None,
    missing: tuple[str, ...] = MARKS,
    strange: Strange = "refuse",
    max_categories: Count = 50,
    units: dict[str, str] | None = None,
    decimals: dict[str, CountOrZero] | None = None,
    unit: str = "row",
    cache: str | None = None,
    split: SplitBy | None = None,
    fold: Fold | None = None,
) -> Data:
    """Any table of openml.org, by name or number; fetched once and kept in a local cache.

    Args:
        seed: Seed of the split.
        name: The data set's name; give this or `number`.
        number: The data set's number on OpenML.
        version: Version of a name; the active one unless given.
        target: The column to be predicted; the one OpenML names unless given.
        kind: Whether the target is a `class` or a `value`; `auto` takes text and at most 10 different whole numbers for
            classes.
        positive: The class whose rates a binary audit speaks of; of two the one that is no plain no, else the last in order.
        favourable: The outcome that is good for a person: a class or several, or `higher` or `lower` of a value. Selection rates
            and parity speak of it; names such as granted and refused tell by themselves.
        sensitive: Features to audit by: a column's name, or a number cut into bands, `{column: age, bins: [30, 50]}`.
        sensitive_as_input: Whether the model may see the sensitive columns.
        cluster: A column whose rows with the same value are not independent: they go into the same split, and audits resample
            them together.
        weight: A column of survey or sample weights, 0 or above, whole or not; no input. Training and audits weigh rows;
            only their proportions matter.
        drop: Columns to leave out; they may still be sensitive.
        types: Kinds of columns where inference is wrong: `number` or `category`.
        missing: Texts that mean a value is missing.
        strange: What becomes of a few cells in a column of numbers that are none: `refuse` names them, `missing` counts them as
            missing.
        max_categories: Most categories of a column that get an encoded column of their own, the most frequent in the training
            rows.
        units: Units of columns, for the report.
        decimals: Digits after the point with which values and bands of columns are shown, as in the data set `table`.
        unit: What one row is, in the singular, for the report.
        cache: Folder of the cache; scikit-learn's own unless given.
        split: How rows are divided: at random unless given, or by date, cluster or column, as in the data set `table`.
        fold: The fold of cross-validation that is for testing; a study sets it. For splits at random and by cluster.
    """
    frame, named_target = _fetch(name, number, version, target, cache)
    frame, division = division_of(split, frame, seed=seed, cells=Cells(missing=missing), cluster=cluster, fold=fold)
    meaning = Columns(
        target=named_target,
        kind=kind,
        positive=positive,
        favourable=favourable,
        sensitive=sensitive,
        sensitive_as_input=sensitive_as_input,
        cluster=cluster,
        weight=weight,
        drop=(*drop, *division.columns),
        types=types or {},
        missing=missing,
        strange=strange,
        max_categories=max_categories,
        units=units or {},
        decimals=decimals or {},
    )
    return table_data(frame, meaning, division, unit=unit, source=f"OpenML {name or number}")


def _fetch(
    name: str | None, number: int | None, version: int | None, target: str | None, cache: str | None
) -> tuple[pd.DataFrame, str]:
    """Return an OpenML table and the name of its target."""
    if (name is None) == (number is None):
        raise DataError("an OpenML table is named by its name or its number", fix="set dataset.name or dataset.number")
    wanted = {"data_id": number} if number is not None else {"name": name, "version": version or "active"}
    try:
        bunch = sklearn_datasets.fetch_openml(
            **wanted, target_column=target or "default-target", data_home=cache, as_frame=True, parser="auto"
        )
    except (URLError, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"the OpenML table '{name or number}' is not in the cache and openml.org cannot be reached",
            got=str(error),
            fix="fetch it once on a machine with network access, or use the data set 'table' with a file",
        ) from error
    except (ValueError, KeyError) as error:
        raise DataError(f"OpenML gave no table for '{name or number}'", got=str(error)) from error
    targets = [str(column) for column in bunch.target_names]
    if len(targets) != 1:
        raise DataError(
            "this OpenML table names no single target",
            got=", ".join(targets) or "none",
            fix="set dataset.target",
            available=[str(c) for c in bunch.frame.columns],
        )
    return bunch.frame, targets[0]


def read_rows(path: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read raw rows from a file, as the settings of `table` say its own files are read.

    Where these name the columns of files without a header, rows without the target and files with a header are read too.

    Args:
        path: The file.
        settings: Settings of `table`.
    """
    names = ("separator", "columns", "comment", "encoding", "skip", "skip_end", "sheet")
    form = Format(**{name: settings[name] for name in names})
    if form.columns and path.suffix not in PARQUET and path.is_file():
        first = column_names(path, replace(form, columns=()))
        given = settings["target"]
        targets = given if isinstance(given, tuple | list) else (given,)
        inputs = tuple(name for name in form.columns if name not in targets)
        if set(inputs) <= set(first):
            form = replace(form, columns=())
        elif len(first) == len(inputs):
            form = replace(form, columns=inputs)
    return read_table(path, form, "rows")

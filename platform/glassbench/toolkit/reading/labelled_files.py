"""Files with their classes: in a folder for each class, or beside a table that names each file and its class."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from glassbench.errors import DataError, shorten, suggest
from glassbench.experiments.class_folders import ClassFile, class_files
from glassbench.experiments.folder_inspection import FolderInspection
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.reading.tables import PARQUET, Format, read_table
from glassbench.toolkit.reading.workbooks import EXCEL

TABLES = (".csv", ".tsv", *PARQUET, *EXCEL)
"""Endings of tables that may lie beside the files."""

_LABEL = re.compile(r"(class|label|target|category|outcome|diagnosis|y)(s|es|_?name)?", re.IGNORECASE)
_MAJORITY = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelTable:
    """A table that names files and their classes.

    Args:
        path: The table.
        frame: Its rows.
        file: Its column of files.
        label: Its column of classes.
    """

    path: Path
    frame: pd.DataFrame
    file: str
    label: str


@dataclass(frozen=True, kw_only=True)
class LabelledFiles:
    """The files of a folder with their classes, as an inspection shows them.

    Args:
        files: The files.
        settings: Settings of the data set that name the table; none where folders are the classes.
        target: The table's column of classes, or None.
        problems: What has to be known.
    """

    files: tuple[ClassFile, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    target: str | None = None
    problems: tuple[str, ...] = ()


def label_table(root: Path, endings: Collection[str], label: str | None = None) -> LabelTable | None:
    """Return the table in a folder that names its files, None where folders are the classes or no table names them.

    Args:
        root: The folder.
        endings: Endings of the files, in small letters with the point.
        label: The column of classes, where a person named it.

    Raises:
        DataError: A table names the files, and nothing tells which of its columns holds the classes.
    """
    folders = class_files(root, endings)
    if any(file.part for file in folders) or len({file.label for file in folders}) > 1:
        return None
    known = file_names(root, endings)
    best: tuple[int, Path, pd.DataFrame, str] | None = None
    for path in sorted(entry for entry in root.iterdir() if entry.suffix.lower() in TABLES and entry.is_file()):
        frame = read_table(path, Format(), f"dataset.path: {path.name}")
        for name in frame.columns:
            named = {known[text] for text in _texts(frame[name]).dropna() if text in known}
            if len(named) > max(1, _MAJORITY * len(frame)) and (best is None or len(named) > best[0]):
                best = len(named), path, frame, str(name)
    if best is None:
        return None
    _, path, frame, file = best
    return LabelTable(path=path, frame=frame, file=file, label=_label_column(path, frame, file, label))


def labelled_files(root: Path, endings: Collection[str], kind: str, label: str | None = None) -> LabelledFiles:
    """Return the files of a folder with their classes.

    Args:
        root: The folder.
        endings: Endings of the files, in small letters with the point.
        kind: What the files are, for the error ("images").
        label: The column of classes, where a person named it and a table names the files.

    Raises:
        DataError: No file has a class.
    """
    table = label_table(root, endings, label)
    if table is None:
        found = class_files(root, endings)
        if not found:
            raise _no_files(root, endings, kind)
        return LabelledFiles(files=tuple(found))
    listed, said = listed_files(root, endings, table.frame, table.file, table.label)
    files = [ClassFile(name=name, label=label) for name, label in zip(listed["file"], listed["label"], strict=True)]
    absent = [file.name for file in files if not (root / file.name).is_file()]
    if absent:
        names = shorten(absent, 3)
        said = (*said, f"{len(absent):,} files that {table.path.name} names are not there, such as {names}: they will be skipped")
    return LabelledFiles(
        files=tuple(file for file in files if file.name not in set(absent)),
        settings={"metadata": str(table.path), "file_column": table.file, "label_column": table.label},
        target=table.label,
        problems=(f"the classes are those of the column '{table.label}' of {table.path.name}", *said),
    )


def described(found: FolderInspection, labelled: LabelledFiles) -> FolderInspection:
    """Return an inspection with where the classes come from and what must be known of it."""
    return replace(found, target=labelled.target, problems=(*labelled.problems, *found.problems)).having(**labelled.settings)


def listed_files(
    root: Path, endings: Collection[str], table: pd.DataFrame, file: str, label: str, further: Sequence[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the files that a table names, columns `file`, `label` and further ones by the table's rows, and what was left out.

    Args:
        root: The folder of the files.
        endings: Endings of the files.
        table: The table.
        file: Its column of files: paths within the folder, or names alone, with or without the ending.
        label: Its column of classes.
        further: Other columns that are wanted.

    Raises:
        DataError: A column is missing, or a file is named twice.
    """
    names = list(map(str, table.columns))
    for name in (file, label, *further):
        if name not in names:
            raise DataError(f"the metadata have no column '{name}'", available=names, fix=suggest(name, names), where="dataset")
    known = file_names(root, endings)
    files = _texts(table[file]).map(lambda text: known.get(text, text), na_action="ignore")
    frame = pd.DataFrame({**{name: _texts(table[name]) for name in further}, "file": files, "label": _texts(table[label])})
    gaps = frame["label"].isna() | frame["file"].isna()
    kept = frame[~gaps]
    if (twice := kept["file"].duplicated()).any():
        raise DataError("the metadata name a file twice", got=str(kept["file"][twice].iloc[0]), where="dataset.metadata")
    said = [f"{int(gaps.sum()):,} rows of the metadata without a label or a file are left out."] if gaps.any() else []
    unnamed = sorted(set(known.values()) - set(kept["file"]) - set(files.dropna()))
    if unnamed:
        said.append(f"{len(unnamed):,} files that the metadata do not name are left out, such as {shorten(unnamed, 3)}.")
    return kept, tuple(said)


def file_names(root: Path, endings: Collection[str]) -> dict[str, str]:
    """Return what may stand for each file of a folder: its path within it, and its name with and without ending where unique."""
    paths = [file.relative_to(root) for file in sorted(root.rglob("*")) if file.suffix.lower() in endings and file.is_file()]
    found: dict[str, str] = {}
    for short in (
        [path.stem for path in paths],
        [path.name for path in paths],
        [path.with_suffix("").as_posix() for path in paths],
    ):
        counts = Counter(short)
        found |= {name: path.as_posix() for name, path in zip(short, paths, strict=True) if counts[name] == 1}
    for path in paths:
        found |= {name: path.as_posix() for name in (f"{root.name}/{path.as_posix()}", f"./{path.as_posix()}", path.as_posix())}
    return found


def _texts(column: pd.Series) -> pd.Series:
    return Cells(missing=MARKS, whole=True).texts(column)


def _label_column(path: Path, frame: pd.DataFrame, file: str, label: str | None) -> str:
    names = [str(name) for name in frame.columns if str(name) != file]
    if label is not None and label in names:
        return label
    called = [name for name in names if _LABEL.fullmatch(name)]
    likely = called if called else names
    if len(likely) != 1:
        raise DataError(
            f"which column of {path.name} names the classes?",
            got=f"the files are named in '{file}'",
            where="dataset.label_column",
            available=names or ["no other column"],
            fix="call one of them 'label', or name it: --target COLUMN, or dataset.label_column",
        )
    return likely[0]


def _no_files(root: Path, endings: Collection[str], kind: str) -> DataError:
    beside = [entry.name for entry in root.iterdir() if entry.suffix.lower() in endings]
    entries = sorted(entry.name for entry in root.iterdir())[:20]
    return DataError(
        f"the folder holds no {kind} in folders of classes",
        got=f"{root.name}: {len(beside):,} {kind} beside each other" if beside else root.name,
        available=entries or sorted(endings),
        fix="put each file into a folder that is called as its class, or put a table beside the files, "
        "labels.csv with the columns file and label",
        where="dataset.path",
    )

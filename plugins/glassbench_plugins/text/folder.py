"""Texts in files of their own, in folders of their classes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from glassbench.errors import DataError
from glassbench.experiments.folder_inspection import FolderInspection, inspect_folder
from glassbench.storage.data_files import read_data_file
from glassbench.toolkit.reading.detection import decoded
from glassbench.toolkit.reading.folder_parts import files_by_class
from glassbench.toolkit.reading.labelled_files import described, label_table, labelled_files, listed_files
from glassbench_plugins.text.endings import ENDINGS

TEXT = "text"
"""The column of texts that are read from files."""


def folder_texts(root: Path, encoding: str | None, target: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the texts of a folder, and what was left out.

    Columns are `text`, `label` and `file`, and the part where folders name parts. Where a table beside the texts names them and
    their classes, its columns stand in place of `label`.

    Args:
        root: The folder.
        encoding: Character encoding; None for what fits each.
        target: The column of classes.

    Raises:
        DataError: There is none, one cannot be read, or the table has a column `text` or names what is not there.
    """
    table, said = label_table(root, ENDINGS, target), tuple[str, ...]()
    if table is None:
        listed = files_by_class(root, ENDINGS, "texts")
    else:
        if TEXT in table.frame.columns:
            fix = "rename it: texts are read from the files into a column of that name"
            raise DataError(f"{table.path.name} has a column '{TEXT}'", where="dataset.path", fix=fix)
        others = [str(name) for name in table.frame.columns if str(name) != table.file]
        named, said = listed_files(root, ENDINGS, table.frame, table.file, table.label)
        listed = table.frame.loc[named.index, others].assign(file=named["file"]).reset_index(drop=True)
    texts = [_read(root / name, encoding) for name in listed["file"]]
    return pd.DataFrame({TEXT: texts, **{name: listed[name] for name in listed}}), said


def inspect_texts(path: Path, settings: Mapping[str, Any]) -> FolderInspection:
    """Look at a folder of texts in folders of their classes.

    Args:
        path: The folder.
        settings: Settings of `text-table`; the encoding matters.

    Raises:
        DataError: It holds no texts with classes.
    """

    def look(file: Path) -> Mapping[str, str | float]:
        text = _read(file, settings.get("encoding"))
        return {"characters": len(text), "words": len(text.split())}

    labelled = labelled_files(path, ENDINGS, "texts", settings.get("target"))
    found = inspect_folder(path, labelled.files, ENDINGS, look, holds="texts", dataset="text-table", model="gru")
    return described(found, replace(labelled, settings={})).having(text=TEXT, target=labelled.target or "label")


def _read(path: Path, encoding: str | None) -> str:
    """Return a text: of the encoding given, else UTF-8 or what fits where it is not valid."""
    return decoded(read_data_file(path), encoding, f"dataset.path: {path.name}")[0].strip()

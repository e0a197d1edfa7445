"""Texts in files of their own, in folders of their classes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glassbench.data_files import read_data_file
from glassbench.folder_inspection import FolderInspection, inspect_folder
from glassbench_plugins.tabular.detection import decoded
from glassbench_plugins.tabular.folder_parts import files_by_class

ENDINGS = (".txt", ".md")


def texts_by_class(root: Path, encoding: str | None) -> pd.DataFrame:
    """Return the texts of a folder: columns `text`, `label`, `file`, and the part where folders name parts.

    Raises:
        DataError: There is none, or one cannot be read.
    """
    listed = files_by_class(root, ENDINGS, "texts")
    texts = [_read(root / name, encoding) for name in listed["file"]]
    return pd.DataFrame({"text": texts, **{name: listed[name] for name in listed}})


def inspect_texts(path: Path, settings: Mapping[str, Any]) -> FolderInspection:
    """Look at a folder of texts in folders of their classes.

    Args:
        path: The folder.
        settings: Settings of `text-table`; the encoding matters.

    Raises:
        DataError: It holds no texts in folders of classes.
    """

    def look(file: Path) -> Mapping[str, str | float]:
        text = _read(file, settings.get("encoding"))
        return {"characters": len(text), "words": len(text.split())}

    found = inspect_folder(path, ENDINGS, look, holds="texts", dataset="text-table", model="gru")
    return found.having(text="text", target="label")


def _read(path: Path, encoding: str | None) -> str:
    """Return a text: of the encoding given, else UTF-8 or what fits where it is not valid."""
    return decoded(read_data_file(path), encoding, f"dataset.path: {path.name}")[0].strip()

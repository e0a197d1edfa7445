"""Writing a frame in the format that a file's name says."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from glassbench.errors import ComponentError, DataError
from glassbench.storage.csv_text import csv_text
from glassbench.storage.files import write_file

_Writer = Callable[[pd.DataFrame, Path], object]


def _text(separator: str) -> _Writer:
    return lambda frame, path: path.write_text(csv_text(frame, separator), encoding="utf-8")


def _lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, force_ascii=False)


def _workbook(frame: pd.DataFrame, path: Path) -> None:
    with path.open("wb") as file:  # the engine looks at a name's ending, and a draft has another
        frame.to_excel(file, index=False, engine="openpyxl")


_WRITERS: dict[str, _Writer] = {
    ".csv": _text(","),
    ".tsv": _text("\t"),
    ".parquet": lambda frame, path: frame.to_parquet(path),
    ".pq": lambda frame, path: frame.to_parquet(path),
    ".jsonl": _lines,
    ".ndjson": _lines,
    ".xlsx": _workbook,
}


def check_writable(path: Path) -> None:
    """Refuse a file name whose format is not written, before anything is computed.

    Raises:
        DataError: Its ending says no format that is written.
        ComponentError: The format needs a package that is not installed.
    """
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise DataError(
            "the file's name says no format that is written",
            got=str(path)[-200:],
            available=list(_WRITERS),
            fix=f"name it {path.name.partition('.')[0][:100] or 'decided'}.csv, for example",
        )
    if ending == ".xlsx" and importlib.util.find_spec("openpyxl") is None:
        raise ComponentError("an Excel file needs openpyxl", got="no openpyxl", fix="pip install openpyxl, or write .csv")


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame whole or not at all, in the format that the file's name says.

    Raises:
        DataError: Its ending says no format that is written.
        ComponentError: The format needs a package that is not installed.
        RunError: It cannot be written.
    """
    check_writable(path)
    write_file(path, lambda draft: _WRITERS[path.suffix.lower()](frame, draft))

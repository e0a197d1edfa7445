"""Reading a table from a file."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pyarrow import ArrowException
from pyarrow.parquet import read_schema

from glassbench.errors import DataError, suggest

_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_DAMAGE = (ArrowException, UnicodeDecodeError, csv.Error, lzma.LZMAError, zipfile.BadZipFile)
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a text file holds a table.

    Args:
        separator: What stands between cells; None for a tab in a `.tsv` file and a comma elsewhere.
        columns: Names of the columns of a file that has no header; empty where its first line names them.
        comment: Lines that start with this are skipped.
        encoding: The file's character encoding.
        quotes: Whether cells may stand in double quotes; without, a quote is a character like any other.
    """

    separator: str | None = None
    columns: tuple[str, ...] = ()
    comment: str | None = None
    encoding: str = "utf-8"
    quotes: bool = True

    def separator_of(self, file: Path) -> str:
        """Return what stands between the cells of a file."""
        return self.separator or ("\t" if ".tsv" in file.suffixes else ",")

    @property
    def quoting(self) -> Literal[0, 3]:
        """The same as the `csv` module's constant."""
        return 0 if self.quotes else 3


def read_table(path: str | Path, form: Format, where: str = "dataset.path") -> pd.DataFrame:
    """Read a Parquet file with its types, or a text file (compressed by gzip, bzip2, xz or zip too) as text.

    Raises:
        DataError: The file isn't there or unreadable, a row has another number of cells than there are columns, two columns
            have the same name, or there is no row.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError("there is no such file", got=str(path), where=where, fix=_neighbour(file))
    try:
        frame = pd.read_parquet(file) if file.suffix in PARQUET else _read_text(file, form, where)
    except (OSError, EOFError, *_DAMAGE) as error:
        fix = "set dataset.encoding, for example to latin-1" if isinstance(error, UnicodeDecodeError) else None
        raise DataError("the file cannot be read", got=f"{path}: {error}", where=where, fix=fix) from error
    if frame.empty:
        raise DataError("the table is empty", got=f"{path}: {len(frame)} rows", where=where)
    return frame.rename(columns=str)


def column_names(path: Path, form: Format) -> list[str]:
    """Return the names of a file's columns without reading its rows; none where it is empty.

    Raises:
        DataError: The file is unreadable.
    """
    try:
        if path.suffix in PARQUET:
            return list(map(str, read_schema(path).names))
        if form.columns:
            return list(form.columns)
        with _OPENERS.get(path.suffix, Path.open)(path, "rb") as stream:
            lines = io.TextIOWrapper(stream, encoding=form.encoding, newline="")
            reader = csv.reader(lines, delimiter=form.separator_of(path), skipinitialspace=True, quoting=form.quoting)
            return [name.removeprefix("\ufeff").strip() for name in next(reader, [])]
    except (OSError, EOFError, *_DAMAGE) as error:
        raise DataError("the file cannot be read", got=f"{path}: {error}", where="dataset.path") from error


def _read_text(file: Path, form: Format, where: str) -> pd.DataFrame:
    separator = form.separator_of(file)
    text = _content(file, form.encoding)
    if form.comment:
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(form.comment))
    header = _check_shape(text, separator, form, f"{where}: {file.name}")
    return pd.read_csv(
        io.StringIO(text),
        sep=separator,
        names=header,
        header=None if form.columns else 0,
        dtype=str,
        na_filter=False,
        skipinitialspace=True,
        index_col=False,
        quoting=form.quoting,
    )


def _content(file: Path, encoding: str) -> str:
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            return archive.read(archive.namelist()[0]).decode(encoding).removeprefix("\ufeff")
    with _OPENERS.get(file.suffix, Path.open)(file, "rb") as stream:
        content: bytes = stream.read()
    return content.decode(encoding).removeprefix("\ufeff")


def _check_shape(text: str, separator: str, form: Format, where: str) -> list[str]:
    """Return the column names after making sure that every row has a cell for each."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True, quoting=form.quoting)
    header = list(form.columns) or [name.strip() for name in next(reader, [])]
    if not header:
        raise DataError("the table is empty", got="no columns", where=where)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"two columns are called '{twice[0]}'", where=where, fix="rename one of them")
    if len(header) == 1 and (other := [mark for mark in (";", "\t", "|", ",") if mark in header[0]]):
        raise DataError("the table has one column only", got=header[0], where=where, fix=f"set dataset.separator to {other[0]!r}")
    for row in reader:
        if row and len(row) != len(header):
            raise DataError(
                f"a row has {len(row)} cells, but there are {len(header)} columns",
                got=separator.join(row)[:80],
                where=f"{where}, line {reader.line_num}",
                fix="correct the line; text that holds the separator belongs in double quotes",
            )
    return header


def _neighbour(file: Path) -> str | None:
    """Suggest a file beside the one that isn't there."""
    if not file.parent.is_dir():
        return f"the folder '{file.parent}' isn't there either; paths are relative to the current folder"
    return suggest(file.name, sorted(entry.name for entry in file.parent.iterdir()))

"""Reading a table from a file."""

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pyarrow import ArrowException
from pyarrow.parquet import read_schema

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError, shorten
from glassbench.storage.data_files import PACKED, check_data_file, read_data_file
from glassbench.storage.parquet_files import read_parquet
from glassbench.toolkit.reading.archives import content
from glassbench.toolkit.reading.detection import NAMES, decoded, separator_in
from glassbench.toolkit.reading.shape import BLANK, checked_header, refuse_twice, refuse_wide
from glassbench.toolkit.reading.workbooks import EXCEL, read_workbook

_DAMAGE = (ArrowException, csv.Error, zipfile.BadZipFile, zlib.error)
PARQUET = (".parquet", ".pq")
_HEAD = 2**16
_HEADER = 2**24
WIDE = 1000
"""Columns from which a table is handled as one block of cells."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a text file holds a table.

    Args:
        separator: What stands between cells; None for the one that cuts the first lines alike.
        columns: Names of the columns of a file that has no header; empty where its first line names them.
        comment: Lines that start with this are skipped.
        encoding: The file's character encoding; None for UTF-8, or what fits where it is not valid UTF-8.
        quotes: Whether cells may stand in double quotes; without, a quote is a character like any other.
        skip: How many lines before the header are passed over.
        skip_end: How many rows at the end are passed over, such as totals.
        sheet: The sheet of an Excel workbook; None for the only one that holds something.
    """

    separator: str | None = None
    columns: tuple[str, ...] = ()
    comment: str | None = None
    encoding: str | None = None
    quotes: bool = True
    skip: int = 0
    skip_end: int = 0
    sheet: str | None = None

    def separator_of(self, file: Path) -> str:
        """Return what stands between the cells of a file, from its first lines."""
        if self.separator is not None or file.suffix not in (*PACKED, ".csv", ".tsv", ".txt", ".data"):
            return self.separator or ","
        head = read_data_file(file, first=_HEAD)
        text = head.decode(self.encoding or "utf-8", errors="replace")
        return separator_in("".join(text.splitlines(keepends=True)[:-1]) or text, None, self.comment, self.quoting)

    def check(self, file: Path) -> None:
        """Raise `DataError` when a file cannot be read so."""
        if self.separator is not None and len(self.separator) != 1:
            got, fix = repr(self.separator), "one character, such as ';'; \\t is written as \"\\t\""
            raise DataError("the separator is not one character", got=got, where="dataset.separator", fix=fix)
        if self.skip < 0 or self.skip_end < 0:
            raise DataError("a number of lines is below 0", got=f"skip {self.skip}, skip_end {self.skip_end}", fix="0 or more")
        if self.sheet is not None and file.suffix.lower() not in EXCEL:
            fix = "leave dataset.sheet out, or name an Excel workbook"
            raise DataError("a sheet is named of what is no Excel workbook", got=file.name, where="dataset.sheet", fix=fix)

    @property
    def quoting(self) -> Literal[0, 3]:
        """The same as the `csv` module's constant."""
        return 0 if self.quotes else 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Loaded:
    """A table as it stands in a file.

    Args:
        frame: Its rows; cells of text files as text.
        form: How the file holds it, as given or detected.
        treatments: What was detected and left out.
    """

    frame: pd.DataFrame
    form: Format
    treatments: tuple[Treatment, ...] = ()


def read_table(path: str | Path, form: Format, where: str = "dataset.path") -> pd.DataFrame:
    """Read a Parquet file with its types, an Excel workbook, or a text file (packed by gzip, bzip2, xz or zip too) as text.

    Raises:
        DataError: As `load` does.
    """
    return load(path, form, where).frame


def load(path: str | Path, form: Format, where: str = "dataset.path") -> Loaded:
    """Read a table, and how its file holds it.

    Raises:
        DataError: The file isn't there or unreadable, a row has another number of cells than there are columns, a column has no
            name or that of another, the first line holds no names, the last one a total, or there is no row.
    """
    file = Path(path).expanduser()
    form.check(file)
    check_data_file(file, where)
    try:
        loaded = _load(file, form, where)
    except (OSError, EOFError, *_DAMAGE) as error:
        raise DataError("the file cannot be read", got=f"{path}: {error}"[:300], where=where, fix=_remedy(error)) from error
    if loaded.frame.empty:
        got = f"{path}: {len(loaded.frame)} rows, {loaded.frame.shape[1]} columns"
        raise DataError("the table is empty", got=got, where=where, fix="give a file with a row for each case below its header")
    return loaded


def column_names(path: Path, form: Format) -> list[str]:
    """Return the names of a file's columns without reading its rows; none where it is empty.

    Raises:
        DataError: The file is unreadable.
    """
    try:
        check_data_file(path, whole=False)
        if path.suffix in PARQUET:
            return list(map(str, read_schema(path).names))
        if form.columns:
            return list(form.columns)
        head = io.BytesIO(read_data_file(path, first=_HEADER))
        lines = io.TextIOWrapper(head, encoding=form.encoding or "utf-8", newline="")
        reader = csv.reader(lines, delimiter=form.separator_of(path), skipinitialspace=True, quoting=form.quoting)
        return [name.removeprefix("\ufeff").strip() for name in next(reader, [])]
    except (OSError, EOFError, UnicodeDecodeError, *_DAMAGE) as error:
        fix = "set dataset.encoding, for example to latin-1" if isinstance(error, UnicodeDecodeError) else None
        raise DataError("the file cannot be read", got=f"{path}: {error}"[:300], where="dataset.path", fix=fix) from error


def _load(file: Path, form: Format, where: str) -> Loaded:
    if file.suffix in PARQUET:
        refuse_wide(read_schema(file).names, where)
        frame = read_parquet(file, where).rename(columns=str)
        refuse_twice(list(frame.columns), where)
        return Loaded(frame=frame, form=form)
    if file.suffix.lower() in EXCEL:
        rows, about = read_workbook(file, form.sheet, where)
        lines = io.StringIO(newline="")
        csv.writer(lines).writerows(rows)
        given = replace(form, separator=",", encoding="utf-8")
        loaded = _parse(lines.getvalue(), given, "utf-8", f"{where}: {file.name}")
        return replace(loaded, treatments=(*about, *loaded.treatments))
    text, encoding = decoded(content(file, where), form.encoding, where)
    tabbed = "\t" if ".tsv" in file.suffixes and form.separator is None and "\t" in text[:_HEAD] else None
    loaded = _parse(text, replace(form, separator=form.separator or tabbed), encoding, f"{where}: {file.name}")
    return replace(loaded, treatments=(*_detected(form, loaded.form, tabbed), *loaded.treatments))


def _detected(given: Format, form: Format, tabbed: str | None) -> list[Treatment]:
    found = []
    if given.separator is None and tabbed is None and form.separator not in (None, ","):
        found.append(f"{NAMES.get(str(form.separator), repr(form.separator))} between cells")
    if given.encoding is None and form.encoding != "utf-8":
        found.append(f"encoding {form.encoding}, as the file is not valid UTF-8")
    return [Treatment(action="detected", sentence=f"detected in the file: {'; '.join(found)}")] if found else []


def _parse(text: str, form: Format, encoding: str, where: str) -> Loaded:
    """Read the text of a table."""
    if form.skip:
        text = "".join(text.splitlines(keepends=True)[form.skip :])
    if form.comment:
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(form.comment))
    form = replace(form, separator=separator_in(text, form.separator, None, form.quoting), encoding=encoding)
    if form.separator == " ":
        text = "".join(f"{line.strip()}\n" for line in text.splitlines())
    header = checked_header(text, form.columns, str(form.separator), form.quoting, skip_end=form.skip_end, where=where)
    frame = _wide_frame(text, header, form) if len(header) > WIDE else _frame(text, header, form)
    frame = frame.iloc[: len(frame) - form.skip_end]
    blank = [name for name in header if name.startswith(BLANK) and name not in form.columns]
    return _named(frame, blank, form, where)


def _frame(text: str, header: Sequence[str], form: Format) -> pd.DataFrame:
    return pd.read_csv(
        io.StringIO(text),
        sep=str(form.separator),
        names=list(header),
        header=None if form.columns else 0,
        dtype=str,
        na_filter=False,
        skipinitialspace=True,
        index_col=False,
        quoting=form.quoting,
    )


def _wide_frame(text: str, header: Sequence[str], form: Format) -> pd.DataFrame:
    """Return the same as `_frame` in one block: pandas spends about a millisecond on each column of its own."""
    lines = io.StringIO(text, newline="")
    rows = [row for row in csv.reader(lines, delimiter=str(form.separator), skipinitialspace=True, quoting=form.quoting) if row]
    cells = np.array(rows if form.columns else rows[1:], dtype=object).reshape(-1, len(header))
    return pd.DataFrame(cells, columns=list(header), dtype=object)


def _named(frame: pd.DataFrame, blank: Sequence[str], form: Format, where: str) -> Loaded:
    """Leave out columns without name and values; the first may be without a name, as row numbers are."""
    empty = [name for name in blank if (frame[name].str.strip() == "").all()]
    unnamed = [name for name in blank if name not in empty and name != f"{BLANK}0"]
    if unnamed:
        places = shorten([str(int(name.removeprefix(BLANK)) + 1) for name in unnamed], 10)
        raise DataError(
            f"{len(unnamed)} columns have no name in the header",
            got=f"column{'s' if len(unnamed) > 1 else ''} {places}, counted from 1",
            where=where,
            fix="give each a name (merged cells leave blanks); set dataset.skip if the header stands further down",
        )
    sentence = "columns without a name and without any value; left out"
    left_out = [Treatment(action="left out", sentence=f"{len(empty)} {sentence}", count=len(empty))] if empty else []
    return Loaded(frame=frame.drop(columns=empty) if empty else frame, form=form, treatments=tuple(left_out))


def _remedy(error: BaseException) -> str:
    if isinstance(error, csv.Error):
        return 'close or double the double quotes in the file: a text with a quote in it reads "two ""quotes"""'
    return "check that the file is whole and that its ending says what it is"

"""Excel workbooks, read as rows of texts."""

import datetime
import importlib
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile, is_zipfile

from glassbench.contracts.data import Treatment
from glassbench.errors import ComponentError, DataError
from glassbench.storage.data_files import check_archive
from glassbench.toolkit.reading.merged_cells import Area, filled_down, merged_areas

EXCEL = (".xlsx", ".xlsm")
_DAMAGE = (BadZipFile, ParseError, KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, zlib.error)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How files of the older kind begin, which also hold what is encrypted."""
_FORMULA = re.compile(rb"<f[ >/]")
_MOST_CELLS = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet of a workbook.

    Args:
        rows: Its cells by row.
        merged: What of them was merged.
        formulas: Whether it holds formulas.
    """

    rows: list[list[str]] = field(default_factory=list)
    merged: Sequence[Area] = ()
    formulas: bool = False


def read_workbook(file: Path, sheet: str | None, where: str) -> tuple[list[list[str]], list[Treatment]]:
    """Return the rows of a workbook's sheet as texts, and which sheet was taken.

    Formulas read as the values that were last computed; what was merged over several rows of a column counts for each of them.

    Args:
        file: The workbook.
        sheet: The sheet's name; None for the only one that holds something.
        where: What names the file.

    Raises:
        ComponentError: The package openpyxl is not installed.
        DataError: It is no workbook, or holds several sheets with cells.
    """
    if is_zipfile(file):
        check_archive(file, where)
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError as error:
        fix = "pip install 'glassbench[excel]', or save the sheet as CSV"
        raise ComponentError("Excel workbooks need the package openpyxl", got=file.name, where=where, fix=fix) from error
    _refuse_protected(file, where)
    try:
        sheets = _sheets(openpyxl, file, sheet, where)
    except _DAMAGE as error:
        raise DataError(
            "the file is no Excel workbook, or a damaged one", got=f"{file.name}: {error}"[:200], where=where, fix="save it again"
        ) from error
    held = [name for name, found in sheets.items() if any(any(row) for row in found.rows)]
    if sheet is None and len(held) > 1:
        fix = f"set dataset.sheet, for example to {held[0]}"
        raise DataError(f"the workbook holds {len(held)} sheets with cells", got=", ".join(held), where=where, fix=fix)
    name = sheet if sheet is not None else held[0] if held else ""
    chosen = sheets.get(name, Sheet())
    rows = chosen.rows
    if chosen.formulas:
        _refuse_uncomputed(openpyxl, file, name, rows, where)
    said = filled_down(rows, chosen.merged)
    found = [row for row in rows if any(row)]
    width = max((place + 1 for row in found for place, cell in enumerate(row) if cell), default=0)
    filled = [[*row[:width], *[""] * (width - len(row))] for row in found]
    read = Treatment(action="detected", sentence=f"read from the sheet '{name}' of an Excel workbook")
    return filled, [read, *said] if filled else []


def _refuse_protected(file: Path, where: str) -> None:
    with file.open("rb") as opened:
        if opened.read(len(_OLE)) == _OLE:
            fix = "open it, take the password off or save it as .xlsx, and give that file"
            raise DataError("the workbook is protected by a password, or an old .xls", got=file.name, where=where, fix=fix)


def _sheets(openpyxl: Any, file: Path, sheet: str | None, where: str) -> dict[str, Sheet]:
    """Return the sheet of a name, or all of them where none is named."""
    with _pages(openpyxl, file) as pages, ZipFile(file) as archive:
        if sheet is not None and sheet not in pages:
            raise DataError(f"there is no sheet '{sheet}'", where="dataset.sheet", available=list(pages))
        return {
            name: Sheet(
                rows=list(_rows(page, where)),
                merged=merged_areas(archive, page),
                formulas=_FORMULA.search(archive.read(page._worksheet_path.lstrip("/"))) is not None,
            )
            for name, page in pages.items()
            if sheet in (None, name)
        }


@contextmanager
def _pages(openpyxl: Any, file: Path, *, formulas: bool = False) -> Iterator[dict[str, Any]]:
    """Open the sheets of a workbook, with the values of formulas last computed or with the formulas themselves."""
    with file.open("rb") as opened:
        book = openpyxl.load_workbook(opened, read_only=True, data_only=not formulas)
        try:
            yield {page.title: page for page in book.worksheets}
        finally:
            book.close()


def _refuse_uncomputed(openpyxl: Any, file: Path, sheet: str, rows: list[list[str]], where: str) -> None:
    """Raise `DataError` where a sheet's formulas have values that were never computed: they would all read as missing."""
    with _pages(openpyxl, file, formulas=True) as pages:
        written = list(_rows(pages[sheet], where))
    pairs = [pair for row, known in zip(written, rows, strict=False) for pair in zip_longest(row, known, fillvalue="")]
    blank = [text for text, value in pairs if text.startswith("=") and not value]
    if blank:
        raise DataError(
            f"{len(blank):,} formulas have no computed value",
            got=f"{blank[0][:80]} in the sheet '{sheet}'",
            where=where,
            fix="open the workbook in Excel or LibreOffice and save it, which computes them; or save the sheet as CSV",
        )


def _rows(page: Any, where: str) -> Iterator[list[str]]:
    """Yield a sheet's rows by the cells that are there, whatever size the sheet says it has."""
    page.reset_dimensions()
    cells = 0
    for row in page.iter_rows(values_only=True):
        cells += len(row)
        if cells > _MOST_CELLS:
            fix = "save the sheet as CSV or Parquet"
            raise DataError("the sheet is too large to be read", got=f"more than {_MOST_CELLS:,} cells", where=where, fix=fix)
        yield list(map(_text, row)) if any(cell is not None for cell in row) else []


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return str(value.date())
    return str(value).replace("\0", "")

"""The bytes of a text file, unpacked; what is no text is said to be what it is."""

import zipfile
from pathlib import Path

from glassbench.errors import DataError, shorten
from glassbench.storage.data_files import check_data_file, read_data_file, unpacked

_PACKED = (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz")
_KINDS = (
    (b"PAR1", "a Parquet file", "give it the ending .parquet"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "give it the ending .zip or .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "save it as .xlsx or CSV"),
    (b"\x1f\x8b", "a gzip file", "give it the ending .gz"),
    (b"BZh", "a bzip2 file", "give it the ending .bz2"),
    (b"\xfd7zXZ", "an xz file", "give it the ending .xz"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"%PDF", "a PDF document", "export its table as CSV"),
    (b"\x89HDF", "an HDF5 file", "save its table as Parquet or CSV"),
    (b"ARROW1", "an Arrow or Feather file", "save it as Parquet"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV or Parquet"),
    (b"$FL2", "an SPSS file", "save it as CSV or Parquet"),
    (b"<stata_dta>", "a Stata file", "save it as CSV or Parquet"),
    (b"HEADER RECORD***", "a SAS transport file", "save it as CSV or Parquet"),
    (b"\x80\x04\x95", "a pickle, which is never opened: it could run code", "save the table as Parquet or CSV"),
    (b"<!DOCTYPE", "a web page", "download the file itself"),
    (b"<html", "a web page", "download the file itself"),
    (b"<?xml", "an XML file", "save the table as CSV or Parquet"),
)


def content(file: Path, where: str) -> bytes:
    """Return the bytes of a text file, unpacked by its ending.

    Raises:
        DataError: It is damaged or too large, an archive holds no file or several, or the file is no text.
    """
    found = _only_member(file, where) if file.suffix == ".zip" else read_data_file(file, where)
    _refuse_binary(found, file, where)
    return found


def _only_member(file: Path, where: str) -> bytes:
    check_data_file(file, where)
    with zipfile.ZipFile(file) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and "__MACOSX" not in n and not n.endswith(".DS_Store")]
        if not names:
            raise DataError("the zip archive holds no file", got=file.name, where=where, fix="pack the table's file into it")
        if len(names) > 1:
            fix = "unpack it, and name one of them as dataset.path"
            raise DataError(f"the zip archive holds {len(names)} files", got=shorten(names, 5), where=where, fix=fix)
        if names[0].lower().endswith((*_PACKED, ".parquet", ".xlsx")):
            fix = "unpack it first, and name the file in it"
            raise DataError("the zip archive holds no text file", got=names[0], where=where, fix=fix)
        try:
            with archive.open(names[0]) as stream:
                return unpacked(stream, file, file.stat().st_size, where)
        except (RuntimeError, NotImplementedError) as error:
            raise DataError("the zip archive cannot be unpacked", got=str(error), where=where, fix="unpack it first") from error


def _refuse_binary(found: bytes, file: Path, where: str) -> None:
    head = found[:64].lstrip()
    for mark, kind, fix in _KINDS:
        if head.lower().startswith(mark.lower()) if mark[:1] == b"<" else found.startswith(mark):
            raise DataError(f"the file is {kind}, not a text file", got=file.name, where=where, fix=fix)

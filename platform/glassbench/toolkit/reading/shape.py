"""The shape of a text table: names above, and a cell for each in every row."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from glassbench.errors import DataError, shorten
from glassbench.storage.limits import given_limit
from glassbench.toolkit.reading.detection import NAMES, SEPARATORS, looks_like_data, looks_like_second_header, widths

BLANK = "Unnamed: "
"""What a column without a name is called, with its place from 0 behind."""

NO_NAMES = "the first line holds values, not the names of columns"
TWO_HEADERS = "the line below the header holds names too, not values"
TOTAL = "the last row looks like a total of the others"

_LOOKED_AT = 20
_TOTALS = frozenset({"total", "totals", "grand total", "sum", "subtotal", "overall", "average", "mean", "gesamt", "summe"})


COLUMNS_VARIABLE = "GLASSBENCH_MAX_COLUMNS"
_MOST_COLUMNS = 10_000


def checked_header(
    text: str, columns: Sequence[str], separator: str, quoting: Literal[0, 3], *, skip_end: int, where: str
) -> list[str]:
    """Return the column names of a text, after making sure that every row has a cell for each of them.

    Args:
        text: The table.
        columns: Names of the columns where it has no header.
        separator: What stands between cells.
        quoting: Whether cells may stand in double quotes, as the `csv` module says it.
        skip_end: How many rows at the end are not looked at.
        where: What names the file.

    Raises:
        DataError: A row has more or fewer cells, the header is none or names a column twice, or the last row is a total.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True, quoting=quoting)
    header = list(columns) or [name.strip() for name in next(reader, [])]
    refuse_wide(header, where)
    if not any(header):
        raise DataError("the table is empty", got="no columns", where=where, fix="give a file with a header and rows below it")
    if len(header) == 1 and not columns:
        _refuse_separator(text, header[0], quoting, where)
    first: list[list[str]] = []
    last: list[str] = []
    height, ragged, at = 0, 0, ""
    for row in reader:
        if not row:
            continue
        if len(row) != len(header):
            ragged += 1
            at = at or f"line {reader.line_num}: {len(row)} cells, '{separator.join(row)[:60]}'"
        first += [row] if len(first) < _LOOKED_AT else []
        last, height = row, height + 1
    if not columns:
        _refuse_header(header, first, where)
    refuse_twice(header, where)
    if ragged:
        raise _ragged(header, ragged, height, at, separator, where)
    if not skip_end and height > 1:
        _refuse_total(last, text, where)
    return [name or f"{BLANK}{place}" for place, name in enumerate(header)]


def refuse_wide(names: Sequence[str], where: str) -> None:
    """Raise `DataError` where a table has more columns than are read: each is looked at by itself, at about a millisecond.

    The limit is 10,000, or what the environment variable `GLASSBENCH_MAX_COLUMNS` says.
    """
    given = given_limit(COLUMNS_VARIABLE)
    most = _MOST_COLUMNS if given is None else given
    if len(names) > most:
        fix = f"keep the columns that matter, or set the environment variable {COLUMNS_VARIABLE}={len(names)}"
        raise DataError(f"the table has more than {most:,} columns", got=f"{len(names):,} columns", where=where, fix=fix)


def _ragged(header: Sequence[str], ragged: int, height: int, at: str, separator: str, where: str) -> DataError:
    count = at.split(": ")[1].split(" ")[0]
    problem = f"a row has {count} cells, but there are {len(header)} columns" + (f"; so have {ragged} rows" if ragged > 1 else "")
    fix = "correct the line; text that holds the separator belongs in double quotes"
    if ragged > height / 2:
        fix = f"{NAMES.get(separator, 'the separator')} may also stand inside cells, as decimal commas do: "
        fix += "put such cells in double quotes, or write the file with another separator; or set dataset.separator"
    elif ragged == 1 and height > 1:
        fix += "; set dataset.skip_end=1 if it is the last line and holds a total"
    return DataError(problem, got=at, where=f"{where}, {at.split(':')[0]}", fix=fix)


def _refuse_separator(text: str, name: str, quoting: Literal[0, 3], where: str) -> None:
    """Raise `DataError` where another separator would cut the only column alike."""
    fitting = [mark for mark in SEPARATORS if mark in name and len(set(widths(text, mark, None, quoting))) == 1]
    marks = fitting or [mark for mark in (";", "\t", "|", ",") if mark in name]
    if marks:
        got, fix = name[:80], f"set dataset.separator to {marks[0]!r}"
        raise DataError("the table has one column only", got=got, where=where, fix=fix)


def _refuse_header(header: Sequence[str], rows: Sequence[Sequence[str]], where: str) -> None:
    if looks_like_data(header, rows):
        raise DataError(
            NO_NAMES,
            got=shorten(header, 6),
            where=where,
            fix=f"name the {len(header)} columns in dataset.columns, or add a line of names",
        )
    if looks_like_second_header(header, rows):
        raise DataError(
            TWO_HEADERS,
            got=f"{shorten(header, 4)} above {shorten(rows[0], 4)}",
            where=where,
            fix="set dataset.skip=1 if the second line holds the right names; else remove it from the file",
        )


def refuse_twice(header: Sequence[str], where: str) -> None:
    """Raise `DataError` where two columns have one name."""
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        more = f" ({len(twice)} names stand twice: {shorten(twice, 5)})" if len(twice) > 1 else ""
        places = [str(place) for place, name in enumerate(header, 1) if name == twice[0]]
        raise DataError(
            f"two columns are called '{twice[0]}'{more}",
            got=f"columns {shorten(places, 5)}, counted from 1",
            where=where,
            fix="rename one of them; if the first line holds no names, name all columns in dataset.columns",
        )


def _refuse_total(last: Sequence[str], text: str, where: str) -> None:
    """Raise `DataError` where the last row is a total of the others."""
    named = [cell.strip() for cell in last if cell.strip().rstrip(":").lower() in _TOTALS]
    if named and text.count(named[0]) == 1:
        fix = "remove it, or set dataset.skip_end=1"
        raise DataError(TOTAL, got=shorten(last, 5), where=where, fix=fix)

"""How a text file holds a table, where nobody said: its encoding, and what stands between cells."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence

from glassbench.errors import DataError
from glassbench.toolkit.cells.numerals import numeral

SEPARATORS = ("\t", ";", "|", ",", " ")
NAMES = {"\t": "a tab", ";": "a semicolon", "|": "a bar", ",": "a comma", " ": "blanks"}
_SAMPLED = 50
_LOOKED_AT = 200
"""Columns whose cells tell whether there is a header."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_YEAR = re.compile(r"(19|20)\d\d")
_NO_HEADER_SHARE = 0.5


def decoded(content: bytes, encoding: str | None, where: str) -> tuple[str, str]:
    """Return a text file's text without a byte order mark, and its encoding: the one given, or the one that fits.

    UTF-16 shows by its mark or by its NUL bytes; what is valid UTF-8 is UTF-8; everything else is taken for Windows-1252, or
    Latin-1 where it holds bytes that Windows-1252 does not know.

    Raises:
        DataError: The encoding is unknown or does not fit, or the file holds NUL bytes.
    """
    for name in [encoding] if encoding else _likely(content):
        try:
            text = content.decode(name)
        except LookupError as error:
            fix = "name one that Python knows: utf-8, utf-16, cp1252, latin-1, ...; or leave dataset.encoding out"
            raise DataError(f"there is no encoding '{name}'", got=name, where="dataset.encoding", fix=fix) from error
        except UnicodeError as error:
            if encoding:
                fitting = decoded(content, None, where)[1]
                fix = f"leave dataset.encoding out, or set dataset.encoding to {fitting}"
                raise DataError(f"the file is not written in {encoding}", got=str(error)[:200], where=where, fix=fix) from error
            continue
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            fix = "write the file again without them; if it is UTF-16, set dataset.encoding to utf-16"
            raise DataError(
                "the file holds NUL bytes", got=f"{text.count(chr(0))} of them", where=f"{where}, line {line}", fix=fix
            )
        return text.removeprefix("\ufeff"), "utf-8" if name == "utf-8-sig" else name
    raise AssertionError("latin-1 decodes everything")


def separator_in(text: str, given: str | None, comment: str | None = None, quoting: int = 0) -> str:
    """Return what stands between the cells of a text: the one given, or the one that cuts its first lines alike.

    Example:
        >>> separator_in("a;b\\n1,5;2,5\\n", None)
        ';'
    """
    if given is not None:
        return given
    counted = {mark: widths(text, mark, comment, quoting) for mark in SEPARATORS}
    for mark, found in counted.items():
        if found and found[0] > 1 and len(set(found)) == 1 and (mark != " " or len(found) > 2):
            return mark
    # No mark cuts every line alike: the one that most lines agree on, with the header.
    mostly = {
        mark: Counter(found)[found[0]] / len(found) for mark, found in counted.items() if mark != " " and found and found[0] > 1
    }
    return max(mostly, key=lambda mark: mostly[mark], default=",")


def widths(text: str, separator: str, comment: str | None = None, quoting: int = 0) -> list[int]:
    """Return how many cells a separator cuts each of the first lines of a text into; none where quotes stay open."""
    lines = (line for line in first_lines(text) if line.strip() and not (comment and line.startswith(comment)))
    tidy = [line.strip(" ") if separator == " " else line for line in lines]
    try:
        rows = csv.reader(tidy, delimiter=separator, skipinitialspace=True, quoting=quoting)  # type: ignore[arg-type]
        return [len(row) for row in rows if row]
    except csv.Error:
        return []


def first_lines(text: str, count: int = _SAMPLED) -> list[str]:
    """Return the first lines of a text, with their ends."""
    lines: list[str] = []
    start = 0
    while len(lines) < count and start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        lines.append(text[start:end])
        start = end
    return lines


def looks_like_data(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line of a table holds values, not names: numbers above most columns of numbers.

    Years and numbers that count columns (0, 1, 2, ...) may be names.
    """
    if len(rows) < 2 or any(not name for name in header):
        return False
    numbers = [i for i in range(min(len(header), _LOOKED_AT)) if all(i < len(row) and _is_number(row[i]) for row in rows)]
    above = [header[i] for i in numbers if _is_number(header[i])]
    if not numbers or len(above) <= _NO_HEADER_SHARE * len(numbers) or all(_YEAR.fullmatch(name) for name in above):
        return False
    return above not in ([str(i) for i in numbers], [str(i + 1) for i in numbers], [str(i) for i in range(len(above))])


def looks_like_second_header(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row of a table holds names too: texts above nothing but numbers, in at least three columns and most."""
    if len(rows) < 4 or any(len(row) != len(header) for row in rows[:4]):
        return False
    numbers = [i for i in range(min(len(header), _LOOKED_AT)) if all(_is_number(row[i]) for row in rows[1:])]
    named = [i for i in numbers if rows[0][i] and not _is_number(rows[0][i])]
    return len(named) >= 3 and len(named) == len(numbers) and len({rows[0][i] for i in named}) == len(named)


def _is_number(text: str) -> bool:
    return numeral(text.strip()) is not None


def _likely(content: bytes) -> list[str]:
    for mark, name in _MARKS:
        if content.startswith(mark):
            return [name]
    head = content[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(head) > 8 and max(even, odd) > 0.3 * len(head) / 2 > 10 * min(even, odd):
        return ["utf-16-be" if even > odd else "utf-16-le"]
    return ["utf-8", "cp1252", "latin-1"]

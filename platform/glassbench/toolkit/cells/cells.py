"""Reading the cells of a raw table: as text or as numbers, missing marks as absent."""

import contextlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from glassbench.errors import DataError, shorten
from glassbench.toolkit.cells.numerals import MARKS_IN_NUMBERS, Notation
from glassbench.toolkit.cells.spelling import without_fraction

MARKS = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""Texts that mean a value is missing, unless a data set says otherwise."""

Strange = Literal["refuse", "missing"]

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"([T ]\d{1,2}:\d{2}.*)?"
_DATES = tuple(
    re.compile(rf"{form}{_TIME}", re.IGNORECASE)
    for form in (
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
        r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})",
        rf"\d{{1,2}}[-. ]*{_MONTH}[-., ]*(\d{{4}}|\d{{2}})",
        rf"{_MONTH}[-. ]*(\d{{1,2}},? +)?(\d{{4}}|\d{{2}})",
        r"(19|20)\d{2}-(0[1-9]|1[0-2])",
        r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
    )
)
_PROGRAMS = Notation()
_FIRST_DAY, _LAST_DAY = 19000101, 20991231
MOSTLY_DATES = 0.9
"""Share of a column's different values from which it is one of dates."""
_NAMED = 5
_FIRST = 5


@dataclass(frozen=True, kw_only=True)
class ColumnReading:
    """How the cells of one column read, decided once on all rows.

    Args:
        notation: How its numbers are written; None where it holds none.
        strange: What becomes of cells that are neither numbers nor missing in a column of numbers.
        spellings: Texts that stand for another spelling of the same: what is written, and what it reads as.
    """

    notation: Notation | None = None
    strange: Strange = "refuse"
    spellings: Mapping[str, str] = field(default_factory=dict)

    def value(self, text: str) -> float:
        """Return the number that a text stands for, NaN where it stands for none."""
        notation = self.notation or _PROGRAMS
        written = plain_numbers([text]) if notation == _PROGRAMS else None
        return notation.value(text) if written is None else float(written[0])

    def is_absent(self, text: str) -> bool:
        """Whether a text means that a number is missing."""
        if self.notation is None:
            return False
        return text.lower() in MARKS_IN_NUMBERS or (self.strange == "missing" and not np.isfinite(self.value(text)))


_AS_WRITTEN = ColumnReading()


@dataclass(frozen=True, kw_only=True)
class Cells:
    """How raw cells read.

    Args:
        missing: Texts that mean a value is missing.
        strip_end: Characters taken off the end of every text, besides blanks on both sides.
        columns: How the cells of single columns read, where that is more than taking them as they stand.
        whole: Whether whole numbers that are written with a fraction of zeros read without it in columns that none says more of.
    """

    missing: tuple[str, ...] = MARKS
    strip_end: str = ""
    columns: Mapping[str, ColumnReading] = field(default_factory=dict)
    whole: bool = False

    @property
    def missing_numbers(self) -> np.ndarray:
        """The numbers that mean a value is missing, such as -999."""
        return _missing_numbers(self.missing)

    def texts(self, column: pd.Series) -> pd.Series:
        """Read a column as text, absent where it is missing.

        Whole numbers read without a fraction, whatever their type, so that 1 and 1.0 are the same category.
        """
        codes, known = self.coded(column)
        return pd.Series(np.array([*known, None], dtype=object)[codes], index=column.index, name=column.name, dtype=object)

    def categories(self, column: pd.Series) -> pd.Series:
        """Read a column as `texts` does, each different text kept once: categories in order of appearance."""
        codes, known = self.coded(column)
        names = pd.Index(list(dict.fromkeys(name for name in known if name is not None)), dtype=object)
        places = np.append(names.get_indexer(pd.Index(known, dtype=object)), -1)
        read = pd.Categorical.from_codes(places[codes], categories=names)
        return pd.Series(read, index=column.index, name=column.name)

    def name(self, column: str, written: str) -> str:
        """Return the text that a value reads as which a person names as it stands in a column."""
        text = self._text(written)
        return self.columns.get(column, _AS_WRITTEN).spellings.get(text, text)

    def coded(self, column: pd.Series) -> tuple[np.ndarray, list[str | None]]:
        """Return the place of each cell's text in a list `(n,)`, -1 without a value; the list says None for missing."""
        codes, distinct = pd.factorize(column.to_numpy() if column.dtype == object else column)
        reading = self.columns.get(str(column.name), _AS_WRITTEN)
        values = distinct.tolist() if pd.api.types.is_string_dtype(distinct) else distinct
        named = [self._text(value) for value in values]
        read = self._read_as(dict.fromkeys(named), reading)
        return codes, [read[name] for name in named]

    def counted(self, column: pd.Series) -> dict[str, int]:
        """Return how often each text of a column stands in it, in order of appearance, without those that mean missing."""
        reading = self.columns.get(str(column.name), _AS_WRITTEN)
        totals: dict[str, int] = {}
        for value, count in Counter(column.tolist()).items():
            if type(value) is str and not self.strip_end:
                name = value.strip()
            elif value is None or value is pd.NA or value is pd.NaT or value != value:
                continue
            else:
                name = self._text(value)
            totals[name] = totals.get(name, 0) + count
        counted: dict[str, int] = {}
        for name, known in self._read_as(totals, reading).items():
            if known is not None:
                counted[known] = counted.get(known, 0) + totals[name]
        return counted

    def absent(self, column: pd.Series) -> pd.Series:
        """Return where a column has no value, truth values `(n,)`: as `texts(column).isna()`, plain numbers read at once."""
        if (
            not (isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf")
            or self.strip_end
            or str(column.name) in self.columns
        ):
            codes, known = self.coded(column)
            return pd.Series(np.array([*(name is None for name in known), True])[codes], index=column.index, name=column.name)
        marks = [mark for mark in _numbers_as(column.dtype.type, self.missing) if self._text(mark.item()) in self.missing]
        return column.isna() | column.isin(marks) if marks else column.isna()

    def numbers(self, column: pd.Series) -> pd.Series:
        """Read a column as numbers, float64, NaN where it is missing.

        Raises:
            DataError: A value is no number, or infinite.
        """
        values = self.parsed(column)
        reading = self.columns.get(str(column.name), _AS_WRITTEN)
        if reading.strange == "missing":
            known = values.to_numpy()
            return pd.Series(np.where(np.isfinite(known), known, np.nan), index=column.index, name=column.name)
        _refuse_infinite(values)
        unread = np.isnan(values.to_numpy())
        if unread.any() and self.texts(column).notna().to_numpy()[unread].any():
            refuse_strange([column], self)
        return values

    def plain(self, name: str, texts: list[Any]) -> np.ndarray | None:
        """Return the texts of a column as numbers where every one is a finite number as programs write it, else None."""
        if self.strip_end or self.columns.get(name, _AS_WRITTEN).notation not in (None, _PROGRAMS):
            return None
        written = plain_numbers(texts)
        return None if written is None or np.isin(written, self.missing_numbers).any() else written

    def parsed(self, column: pd.Series) -> pd.Series:
        """Read what can be read as numbers, float64, and leave NaN elsewhere."""
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
                values = column.to_numpy(dtype=np.float64)
            else:
                values = column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
            marks = self.missing_numbers
            known = np.where(np.isin(values, marks), np.nan, values) if len(marks) else values
            return pd.Series(known, index=column.index, name=column.name)
        written = self.plain(str(column.name), column.tolist())
        if written is not None:
            return pd.Series(written, index=column.index, name=column.name)
        notation = self.columns.get(str(column.name), _AS_WRITTEN).notation
        codes, distinct = pd.factorize(self.texts(column))
        found = _read(distinct, notation)
        return pd.Series(np.append(found, np.nan)[codes], index=column.index, name=column.name)

    def are_dates(self, column: pd.Series) -> bool:
        """Whether nearly every value reads as a calendar date."""
        if pd.api.types.is_datetime64_any_dtype(column):
            return True
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
            numbers = column.to_numpy()
            if ((numbers < _FIRST_DAY) | (numbers > _LAST_DAY)).any():
                return False
        elif pd.api.types.is_numeric_dtype(column) and not column.dropna().between(_FIRST_DAY, _LAST_DAY).all():
            return False
        return dates_among([*self.counted(column)]) > MOSTLY_DATES

    def to_json(self) -> dict[str, Any]:
        """Return everything `from_json` needs, as plain JSON values."""
        columns = {name: {k: v for k, v in asdict(reading).items() if v} for name, reading in self.columns.items()}
        return {"missing": list(self.missing), "strip_end": self.strip_end, **({"columns": columns} if columns else {})}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild how cells read from `to_json`."""
        columns = {
            name: ColumnReading(**{**reading, "notation": Notation(**reading["notation"]) if "notation" in reading else None})
            for name, reading in content.get("columns", {}).items()
        }
        return cls(missing=tuple(content["missing"]), strip_end=content["strip_end"], columns=columns)

    def _read_as(self, names: Mapping[str, object], reading: ColumnReading) -> dict[str, str | None]:
        """Return what each different text of a column reads as, None where it means missing."""
        alike = without_fraction(names) if self.whole and reading is _AS_WRITTEN else reading.spellings
        return {name: None if name in self.missing or reading.is_absent(name) else alike.get(name, name) for name in names}

    def _text(self, value: object) -> str:
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        return str(value).strip().rstrip(self.strip_end or None).strip()


def plain_numbers(texts: list[Any]) -> np.ndarray | None:
    """Return texts as numbers where every one is a finite number as programs write it, else None."""
    try:
        joined = "".join(texts)
        if not joined.isascii() or "_" in joined:
            return None
        values = np.array([float(text) for text in texts], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return values if np.isfinite(values).all() else None


def dates_among(texts: list[str]) -> float:
    """Return the share of texts that are calendar dates, each by one form; 0 where there is none."""
    if not texts or not any(form.fullmatch(text) for text in texts[:_FIRST] for form in _DATES):
        return 0.0
    return max(sum(form.fullmatch(text) is not None for text in texts) for form in _DATES) / len(texts)


def refuse_strange(columns: Sequence[pd.Series], cells: Cells) -> None:
    """Raise `DataError` when columns of numbers hold cells that are none.

    Args:
        columns: The columns of numbers, their rows as index.
        cells: How their cells read.
    """
    found = {}
    for column in columns:
        given, values = cells.texts(column), cells.parsed(column)
        strange = given[values.isna() & given.notna()]
        if len(strange):
            found[str(column.name)] = (strange, int(given.notna().sum()))
    if not found:
        return
    name, (strange, present) = next(iter(found.items()))
    rows = ", ".join(map(str, strange.index[:_NAMED])) + (", ..." if len(strange) > _NAMED else "")
    got = [f"{other}: {_named(texts)}" for other, (texts, _) in list(found.items())[:_NAMED]]
    others = f"; also in {shorten(list(found)[1:])}" if len(found) > 1 else ""
    kinds = ", ".join(f"{other}: category" for other in list(found)[:_NAMED])
    raise DataError(
        f"column '{name}' holds numbers, but {len(strange)} of {present} values are none{others}",
        got="; ".join(got) if len(found) > 1 else _named(strange),
        where=f"row{'s' if len(strange) > 1 else ''} {rows} (the first is row 0)",
        fix="correct them; or count them as missing: dataset.strange=missing; or name the texts in dataset.missing; "
        f"or read the column as text: dataset.types={{{kinds}}}",
    )


def _named(strange: pd.Series) -> str:
    counts = strange.value_counts()
    texts = [f"'{str(text)[:40]}'" + (f" ({count} times)" if count > 1 else "") for text, count in counts.head(_NAMED).items()]
    return ", ".join(texts) + (f" and {len(counts) - _NAMED} more texts" if len(counts) > _NAMED else "")


def _read(texts: pd.Index, notation: Notation | None) -> np.ndarray:
    """Return the number each text stands for in a notation, NaN where it stands for none; as programs write them without one."""
    if notation is not None and notation != _PROGRAMS:
        return np.array([notation.value(text) for text in texts], dtype=np.float64)
    found = _to_numbers(texts).copy()
    if notation is not None:
        unread = np.isnan(found)
        found[unread] = [notation.value(text) for text in texts[unread]]
    return found


def _numbers_as(kind: type[np.generic], texts: tuple[str, ...]) -> list[np.generic]:
    """Return the numbers of a kind that texts stand for."""
    found = []
    for text in texts:
        with contextlib.suppress(ValueError, OverflowError):
            found.append(kind(float(text) if issubclass(kind, np.floating) else int(text)))
    return found


@cache
def _missing_numbers(missing: tuple[str, ...]) -> np.ndarray:
    return np.array([value for value in _to_numbers(missing).tolist() if value == value], dtype=np.float64)


def _to_numbers(named: tuple[str, ...] | np.ndarray | pd.Index) -> np.ndarray:
    read = pd.to_numeric(pd.Series(list(named), dtype=object), errors="coerce")
    return np.asarray(read.to_numpy(dtype=np.float64))


def _refuse_infinite(values: pd.Series) -> None:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        raise DataError(
            f"column '{values.name}' holds infinite values",
            got=f"{int(infinite.sum())} of {len(values)}",
            where=f"row {values.index[infinite][0]} (the first is row 0)",
            fix="correct them, count them as missing (dataset.strange=missing), or name 'inf' and '-inf' in dataset.missing",
        )

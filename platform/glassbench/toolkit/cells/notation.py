"""How the numbers of a column are written, decided on all of its cells."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import MOSTLY_DATES, Cells, dates_among, plain_numbers
from glassbench.toolkit.cells.numerals import MARKS_IN_NUMBERS, Mark, Notation, Numeral, Thousands, digits, numeral

_GROUPED = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_FEW, _TRAILING = 10, 0.4
"""Distinct numbers, and share of them that end in 0, from which three digits after a mark look like thousands: of true
fractions one in ten ends so."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Survey:
    """The different texts of one column, and what they look like as numbers.

    Args:
        name: The column.
        texts: Its different texts, without those that mean a value is missing.
        counts: How many cells hold each `(n,)`.
        missing: How many cells hold a mark such as `-` or `n/a`, by mark; they count as missing where the column is numbers.
        plain: Value of each text as a program writes numbers, NaN elsewhere `(n,)`.
    """

    name: str
    texts: Sequence[str]
    counts: np.ndarray
    missing: dict[str, int] = field(default_factory=dict)
    plain: np.ndarray

    @classmethod
    def of(cls, column: pd.Series, cells: Cells) -> "Survey":
        """Count the texts of a column."""
        counted = cells.counted(column)
        missing = {text: counted.pop(text) for text in [*counted] if text.lower() in MARKS_IN_NUMBERS}
        texts = [*counted]
        read = plain_numbers(texts)
        if read is None:
            read = np.asarray(pd.to_numeric(np.array(texts, dtype=object), errors="coerce"), dtype=np.float64)
        counts = np.array([*counted.values()], dtype=np.int64)
        return cls(name=str(column.name), texts=texts, counts=counts, missing=missing, plain=read)

    @cached_property
    def numerals(self) -> list[Numeral | None]:
        """Each text as a numeral, None where it is not written like a number."""
        return [numeral(text) for text in self.texts]

    @property
    def are_dates(self) -> bool:
        """Whether nearly every value reads as a calendar date."""
        return dates_among(list(self.texts)) > MOSTLY_DATES

    @cached_property
    def total(self) -> int:
        """How many cells hold a value."""
        return int(self.counts.sum())

    @cached_property
    def share(self) -> float:
        """Share of the cells with a value that are written like numbers."""
        if not self.total:
            return 0.0
        if np.isfinite(self.plain).all():
            return 1.0
        like = np.fromiter((n is not None for n in self.numerals), dtype=bool, count=len(self.texts)) | np.isinf(self.plain)
        return float(self.counts[like].sum() / self.total)

    @cached_property
    def votes(self) -> Counter[Mark]:
        """How many cells can only be read with each decimal mark."""
        votes: Counter[Mark] = Counter()
        for written, count in zip(self.numerals, self.counts, strict=True):
            mark = None if written is None else decimal_of(written.core)
            if mark is not None:
                votes[mark] += int(count)
        return votes

    @cached_property
    def decimal(self) -> Mark | None:
        """The decimal mark that most cells can only be read with; None where none tells."""
        if np.isfinite(self.plain).all():
            return "." if any(decimal_of(text.lstrip("+-")) == "." for text in self.texts) else None
        return self.votes.most_common(1)[0][0] if self.votes else None

    @cached_property
    def ambiguous(self) -> list[str]:
        """The texts whose mark may stand for thousands or before a fraction."""
        pairs = zip(self.texts, self.numerals, strict=True)
        return [text for text, written in pairs if written is not None and _GROUPED.fullmatch(written.core)]

    @cached_property
    def codes(self) -> bool:
        """Whether the numbers are codes: zeros in front, such as postcodes have, or too many digits for a number."""
        width = Counter[int]()
        leading = long = 0
        for text, count in zip(self.texts, self.counts, strict=True):
            if text.isdigit():
                width[len(text)] += int(count)
                leading += int(count) if len(text) > 1 and text[0] == "0" else 0
                long += int(count) if len(text) > 15 else 0
        alike = max(width.values(), default=0) >= 0.95 * self.total
        mostly_digits = width.total() >= 0.95 * self.total
        return mostly_digits and (long > 0.5 * self.total or leading > 0.05 * self.total or (leading > 0 and alike))


def decimal_of(core: str) -> Mark | None:
    """Return the decimal mark that digits and marks can only be read with; None where they tell nothing.

    Example:
        >>> decimal_of("1.234,5"), decimal_of("1.234.567"), decimal_of("0,5"), decimal_of("1,234")
        (',', ',', ',', None)
    """
    points, commas = core.count("."), core.count(",")
    if points and commas:
        return "." if core.rindex(".") > core.rindex(",") else ","
    if points > 1 or commas > 1:
        return "," if points else "."
    if not points + commas or _GROUPED.fullmatch(core):
        return None
    return "." if points else ","


def common_decimal(surveys: Iterable[Survey]) -> Mark | None:
    """Return the decimal mark of a table's columns of numbers, None where they have none or differ."""
    seen = {survey.decimal for survey in surveys if survey.share > 0.5} - {None}
    return seen.pop() if len(seen) == 1 else None


def notation_of(survey: Survey, decimal: Mark | None = None, around: Mark | None = None) -> Notation:
    """Return how a column of numbers is written: as most of its cells are.

    Args:
        survey: The column's texts.
        decimal: The decimal mark that a person named.
        around: The decimal mark of the table's other columns, which decides where the column's own cells don't.

    Raises:
        DataError: Marks may stand for thousands or before a fraction, and nothing tells which.
    """
    mark = decimal or survey.decimal or _unmarked(survey, around)
    known = [(written, int(count)) for written, count in zip(survey.numerals, survey.counts, strict=True) if written is not None]
    total = sum(count for _, count in known)
    currencies = Counter[str]()
    for written, count in known:
        currencies[written.currency] += count if written.currency else 0
    currency, named = currencies.most_common(1)[0] if currencies else ("", 0)
    choices: tuple[Thousands, ...] = ("", "," if mark == "." else ".", " ", "'")
    reads = {
        thousands: sum(count for written, count in known if not np.isnan(digits(written.core, mark, thousands)))
        for thousands in choices
    }
    return Notation(
        decimal=mark,
        thousands=max(choices, key=lambda thousands: reads[thousands]),
        percent=sum(count for written, count in known if written.percent) > total / 2,
        currency=currency if named > total / 2 else "",
    )


def _unmarked(survey: Survey, around: Mark | None) -> Mark:
    """Return the decimal mark where each mark that stands in the column may be either."""
    marks = {"," if "," in text else "." for text in survey.ambiguous}
    if around is not None or not marks:
        return around or "."
    if len(marks) == 2:
        raise _ask(survey)
    mark: Mark = "," if "," in marks else "."
    other: Mark = "." if mark == "," else ","
    bare = [n.core for n in survey.numerals if n is not None and n.core.isdigit()]
    small = bool(bare) and all(len(core) <= 3 for core in bare)
    rounded = np.mean([text.rstrip(" %€$£)-")[-1:] == "0" for text in survey.ambiguous]) >= _TRAILING
    many = len(survey.ambiguous) >= _FEW
    if mark == ",":
        if small or (many and rounded):
            return other
        raise _ask(survey)
    if many and (small or rounded):
        raise _ask(survey)
    return mark


def _ask(survey: Survey) -> DataError:
    text = survey.ambiguous[0]
    bare = re.sub(r"[^\d.,]", "", text)
    whole, fraction = re.sub(r"[.,]", "", bare), bare.replace(",", ".")
    thousands, point = ("'.'", "','") if "," in bare else ("','", "'.'")
    return DataError(
        f"'{text}' in column '{survey.name}' may be {whole} or {fraction}, and nothing in the table tells which",
        got=", ".join(survey.ambiguous[:5]),
        where=f"column '{survey.name}'",
        fix=f"set dataset.decimal to {thousands} if it is {whole}, to {point} if it is {fraction}",
    )

"""What one column holds, and why: numbers, categories, or nothing to learn from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.toolkit.cells.cells import Cells, ColumnReading, Strange
from glassbench.toolkit.cells.code_shapes import are_codes
from glassbench.toolkit.cells.notation import Survey, decimal_of, notation_of
from glassbench.toolkit.cells.numerals import Mark, Notation
from glassbench.toolkit.cells.spelling import spellings, without_fraction

Kind = Literal["number", "category"]

DATES = "dates"
"""Why a column of calendar dates is left out."""

IDENTIFIER = re.compile(r"^(id|ids|index|key|uuid|guid|row|row_?names?|unnamed:.*)$|.*([_ ]id)$", re.IGNORECASE)
_MANY = 50
_MAJORITY = 0.5
_LEVELS, _LEVEL_SHARE, _LEVEL_CELLS = 12, 0.02, 5
"""A text in a column of at most 12 different values is a level of it, like `3+`, from 2 % of the cells and 5 of them."""
_WORDS = {"": "", ",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person says about how columns read.

    Args:
        kinds: Kinds of columns; they go before any inference.
        decimal: What stands before fractions, where it cannot be told.
        strange: What becomes of cells in columns of numbers that are none.
        dates: What becomes of columns of calendar dates that are named for no purpose.
    """

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    decimal: Mark | None = None
    strange: Strange = "refuse"
    dates: Literal["refuse", "leave out"] = "refuse"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one column holds.

    Args:
        kind: Its kind; None where it is left out.
        reason: Why, in a few words.
        reading: How its cells read.
        treatments: What was done to it.
        strange: How many cells are no numbers in a column of numbers.
    """

    kind: Kind | None
    reason: str
    reading: ColumnReading = field(default_factory=ColumnReading)
    treatments: tuple[Treatment, ...] = ()
    strange: int = 0

    def kept(self) -> "Found":
        """Return the same for a column that a person named, which is never left out."""
        if self.kind is not None:
            return self
        others = tuple(treatment for treatment in self.treatments if treatment.action != "left out")
        return replace(self, kind="category" if self.reading.notation is None else "number", treatments=others)


def read_typed(column: pd.Series, cells: Cells, asked: Asked) -> Found:
    """Return what a column holds whose type says that it is numbers."""
    name, values = str(column.name), cells.parsed(column).to_numpy()
    if asked.kinds.get(name) == "category":
        return Found(kind="category", reason="declared")
    reading = ColumnReading(notation=Notation(), strange=asked.strange)
    present = values[~np.isnan(values)]
    distinct = len(pd.unique(present))
    left_out = _without_news(name, len(present), distinct, len(column))
    if left_out is None and _numbers_rows(name, present, distinct, len(column)):
        left_out = "whole numbers, another in every row, under an identifier's name: numbers the rows"
    if left_out:
        return Found(kind=None, reason=left_out, reading=reading, treatments=(_left_out(name, left_out),))
    return Found(kind="number", reason="numbers by type", reading=reading)


def read_text(survey: Survey, rows: int, asked: Asked, around: Mark | None) -> Found:
    """Return what a column of texts holds.

    Args:
        survey: Its texts.
        rows: How many rows the table has.
        asked: What a person says about it.
        around: The decimal mark of the table's other columns.

    Raises:
        DataError: Its marks may stand for thousands or before a fraction, and nothing tells which.
    """
    declared = asked.kinds.get(survey.name)
    if declared is None and not survey.total + sum(survey.missing.values()):
        return _no_news(survey, 0, rows)
    if declared == "number" or (declared is None and survey.share > _MAJORITY and not survey.codes):
        found = _numbers(survey, rows, asked, around)
        if declared == "number" or not (_are_levels(survey, found) or _hold_codes(survey, found)):
            return found
    return _categories(survey, rows, declared)


def _numbers(survey: Survey, rows: int, asked: Asked, around: Mark | None) -> Found:
    name, notation = survey.name, Notation()
    if not _as_programs_write(survey, asked.decimal, around):
        notation = notation_of(survey, asked.decimal, around)
        values = np.array([notation.value(text) for text in survey.texts], dtype=np.float64)
    else:
        values = survey.plain
    strange = np.isnan(values) if asked.strange == "refuse" else ~np.isfinite(values)
    present = survey.total - (int(survey.counts[strange].sum()) if asked.strange == "missing" else 0)
    distinct = len(np.unique(values[~strange]))
    several = distinct < len(survey.texts) <= _MANY
    alike = spellings(survey.texts, survey.counts) if several else {}
    reading = ColumnReading(notation=notation, strange=asked.strange, spellings=alike)
    left_out = _without_news(name, present, distinct, rows)
    if left_out is None and _numbers_rows(name, values, len(survey.texts), rows):
        left_out = "whole numbers, another in every row, under an identifier's name: numbers the rows"
    if left_out:
        return Found(kind=None, reason=left_out, reading=reading, treatments=(_left_out(name, left_out),))
    treatments = [*_converted(survey, notation, values), *_absent(survey)]
    if asked.strange == "missing" and strange.any():
        treatments.append(_strange(survey, strange))
    reason = "numbers" if notation == Notation() else f"numbers, {_written(notation)}"
    count = int(survey.counts[strange].sum())
    return Found(kind="number", reason=reason, reading=reading, treatments=tuple(treatments), strange=count)


def _as_programs_write(survey: Survey, decimal: Mark | None, around: Mark | None) -> bool:
    """Whether a column needs no notation: every text is a number as programs write it, and no point may be a thousands mark."""
    if not np.isfinite(survey.plain).all() or decimal == ",":
        return False
    pointed = [text for text in survey.texts if "." in text]
    return not pointed or any(decimal_of(text.lstrip("+-")) == "." for text in pointed) or (around == "." and decimal is None)


def _are_levels(survey: Survey, found: Found) -> bool:
    """Whether a column of few values has levels that are no numbers, such as `3+`, rather than strange cells."""
    if not found.strange or len(survey.texts) > _LEVELS:
        return False
    strange = _no_numbers(survey, found)
    return bool((survey.counts[strange] >= max(_LEVEL_CELLS, _LEVEL_SHARE * survey.total)).all())


def _hold_codes(survey: Survey, found: Found) -> bool:
    """Whether codes such as `V57` recur in a column, so that its numbers are codes too."""
    if not found.strange:
        return False
    strange = np.flatnonzero(_no_numbers(survey, found))
    return are_codes([survey.texts[i] for i in strange.tolist()], survey.counts[strange], survey.total)


def _no_numbers(survey: Survey, found: Found) -> np.ndarray:
    assert found.reading.notation is not None
    return np.array([np.isnan(found.reading.notation.value(text)) for text in survey.texts], dtype=bool)


def _categories(survey: Survey, rows: int, declared: Kind | None) -> Found:
    name = survey.name
    texts = [*survey.texts, *survey.missing]
    counts = np.array([*survey.counts, *survey.missing.values()], dtype=np.int64)
    codes = declared is None and survey.share > _MAJORITY
    alike = spellings(texts, counts, values=not codes or len(survey.texts) <= _LEVELS)
    distinct, present = len(texts) - len(alike), int(counts.sum())
    plain = without_fraction(texts) if not codes or len(survey.texts) <= _LEVELS else {}
    reading = ColumnReading(spellings={**{text: plain.get(kept, kept) for text, kept in alike.items()}, **plain})
    if declared is None and _without_news(name, present, distinct, rows):
        return replace(_no_news(survey, present, rows), reading=reading)
    if declared is None and distinct > _MANY and distinct > present / 2:
        why = f"{distinct} different texts in {present} rows: free text or identifiers"
        return Found(kind=None, reason=why, reading=reading, treatments=(_left_out(name, why, texts),))
    treatments = [_merged(name, alike, texts, counts)] if alike else []
    reason = "declared" if declared else f"text, {distinct} different values"
    if codes:
        reason = "codes: digits with zeros in front, or too many for a number"
        if not survey.codes:
            strange = [text for text, like in zip(survey.texts, survey.numerals, strict=True) if like is None]
            few = "few different values, not all of them numbers" if len(survey.texts) <= _LEVELS else "codes, some with letters"
            reason = f"{few} ({_quoted(strange)})"
        treatments.append(Treatment(action="converted", column=name, sentence=f"{reason}; read as categories", count=present))
    return Found(kind="category", reason=reason, reading=reading, treatments=tuple(treatments))


def _without_news(name: str, present: int, distinct: int, rows: int) -> str | None:
    if present == 0:
        return "no value in any row"
    return "the same value in every row" if distinct == 1 and present == rows else None


def _no_news(survey: Survey, present: int, rows: int) -> Found:
    why = _without_news(survey.name, present, 1, rows) or ""
    return Found(kind=None, reason=why, treatments=(_left_out(survey.name, why, survey.texts),))


def _numbers_rows(name: str, values: np.ndarray, distinct: int, rows: int) -> bool:
    return distinct == rows and IDENTIFIER.match(name) is not None and bool((values % 1 == 0).all())


def _left_out(name: str, why: str, texts: Sequence[str] = ()) -> Treatment:
    return Treatment(action="left out", column=name, sentence=f"{why}; left out", count=1, examples=tuple(texts[:3]))


def _converted(survey: Survey, notation: Notation, values: np.ndarray) -> list[Treatment]:
    changed = (survey.plain != values) & np.isfinite(values)
    if not changed.any():
        return []
    # The longest text shows most of the notation.
    shown = max(np.flatnonzero(changed).tolist(), key=lambda i: len(survey.texts[i]))
    text, count = survey.texts[shown], int(survey.counts[changed].sum())
    sentence = f"numbers {_written(notation)}: '{text}' reads as {values[shown]:.15g}"
    return [Treatment(action="converted", column=survey.name, sentence=sentence, count=count, examples=(text,))]


def _absent(survey: Survey) -> list[Treatment]:
    if not survey.missing:
        return []
    total = sum(survey.missing.values())
    sentence = f"{total} cells {_quoted(list(survey.missing))} count as missing"
    return [Treatment(action="missing", column=survey.name, sentence=sentence, count=total, examples=tuple(survey.missing))]


def _strange(survey: Survey, strange: np.ndarray) -> Treatment:
    order = sorted(np.flatnonzero(strange).tolist(), key=lambda i: -survey.counts[i])
    texts, total = [survey.texts[i] for i in order], int(survey.counts[strange].sum())
    sentence = f"{total} cells that are no numbers ({_quoted(texts)}) count as missing (dataset.strange=missing)"
    return Treatment(action="missing", column=survey.name, sentence=sentence, count=total, examples=tuple(texts[:5]))


def _merged(name: str, alike: Mapping[str, str], texts: Sequence[str], counts: np.ndarray) -> Treatment:
    total = sum(int(count) for text, count in zip(texts, counts, strict=True) if text in alike)
    kept = list(dict.fromkeys(alike.values()))
    words = "; ".join(f"{_quoted([t for t, k in alike.items() if k == into])} as '{into}'" for into in kept[:3])
    more = f"; and {len(kept) - 3} more" if len(kept) > 3 else ""
    sentence = f"{total} cells that differ in spelling alone are read as one: {words}{more}"
    return Treatment(action="converted", column=name, sentence=sentence, count=total, examples=tuple(alike)[:5])


def _written(notation: Notation) -> str:
    words = ["with a decimal comma"] if notation.decimal == "," else []
    words += [f"with {_WORDS[notation.thousands]} between thousands"] if notation.thousands else []
    words += [f"in {notation.currency}"] if notation.currency else []
    words += ["in percent"] if notation.percent else []
    return ", ".join(words) or "as people write them"


def _quoted(texts: Sequence[str]) -> str:
    named = ", ".join(f"'{text[:40]}'" for text in texts[:3])
    return named + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")

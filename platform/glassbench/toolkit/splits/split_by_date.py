"""Dividing rows out of time: to learn from the past and be judged by what came later."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.ambiguous_dates import refuse_ambiguous
from glassbench.toolkit.splits.splits import Part

_WHERE = "dataset.split"
_SHOWN = 5
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(.*)", re.DOTALL)
_UNMARKED = re.compile(r"(%[dmyYHMS])+")
_TWELVE, _FIRST_YEAR = 12, 1000


def by_date(
    column: pd.Series, split: Mapping[str, Any], cells: Cells, *, validation: float, test: float
) -> tuple[dict[Part, np.ndarray], str]:
    """Divide rows so that every validation row is later than every training row, and every test row later than both.

    Rows of the same date are in one part, so that shares are met as nearly as dates allow.

    Args:
        column: Dates, times, or numbers that rise with time `(n,)`.
        split: The setting, with `from`, `validation_from` and `format`.
        cells: How cells read.
        validation: Share of the rows for validation, unless a first date is given.
        test: Share of the rows for testing, likewise.

    Returns:
        Row positions per part, and in words how they were divided.

    Raises:
        DataError: A date is missing or cannot be read, or a part would be empty.
    """
    times = times_of(column, cells, split.get("format"))
    values, counts = np.unique(times.to_numpy(), return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)])
    start, end = dict[Part, int](), len(values)
    wanted: list[tuple[Part, str, float]] = [("test", "from", test), ("validation", "validation_from", validation)]
    for part, key, share in wanted:
        if part == "validation" and share == 0 and key not in split:
            continue
        kept = 2 if part == "test" and validation > 0 and "validation_from" not in split else 1
        first = _first_value(split[key], values, key) if key in split else _nearest(before, end, share * len(times), kept)
        if not 0 < first < end:
            raise _empty(column, values, part if first >= end else "train", split)
        start[part], end = first, first
    rank = np.searchsorted(values, times.to_numpy())
    bounds = sorted(start.values())
    names: list[Part] = ["train", "validation", "test"] if "validation" in start else ["train", "test"]
    place = np.searchsorted(bounds, rank, side="right")
    parts = {name: np.flatnonzero(place == i) for i, name in enumerate(names)}
    spans = [f"{name} {_written(times.iloc[rows].min())} to {_written(times.iloc[rows].max())}" for name, rows in parts.items()]
    return parts, f"by date ({column.name}): {', '.join(spans)}"


def times_of(column: pd.Series, cells: Cells, form: str | None) -> pd.Series:
    """Return when each row is from, as times in UTC or as numbers `(n,)`.

    Raises:
        DataError: One is missing or cannot be read, or day and month cannot be told apart.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        _refuse_missing(column, column.isna())
        return pd.to_datetime(column, utc=True).dt.tz_localize(None)
    texts = cells.texts(column)
    _refuse_missing(column, texts.isna())
    codes, distinct = pd.factorize(texts)
    if form is None:
        refuse_ambiguous(np.asarray(distinct).tolist(), str(column.name), f"{_WHERE}.format")
    numbers = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce")
    read = numbers if form is None and numbers.notna().all() else _dates(distinct, form, str(column.name))
    if read.isna().any():
        strange = [str(text) for text in np.asarray(distinct)[read.isna().to_numpy()]]
        rows = int(np.isin(codes, np.flatnonzero(read.isna())).sum())
        raise DataError(
            f"{rows:,} of {len(texts):,} cells of '{column.name}' hold no date that can be read",
            where=f"{_WHERE}.column",
            got=", ".join(text[:40] for text in strange[:_SHOWN]),
            fix="correct them, or say how dates are written: dataset.split.format='%d/%m/%Y'",
        )
    return pd.Series(read.to_numpy()[codes], name=column.name)


def _dates(distinct: Any, form: str | None, name: str) -> pd.Series:
    texts = pd.Series(distinct, dtype=object)
    if form is not None:
        return _parsed(_padded(texts, form) if _UNMARKED.fullmatch(form) else texts, form)
    iso = _parsed(texts, "ISO8601")
    turned = _year_first(texts, iso, name, f"{_WHERE}.format")
    if turned is not None:
        return _parsed(turned, "ISO8601")
    return iso if iso.notna().any() else _with_a_year(_parsed(texts, "mixed"))


def _padded(texts: pd.Series, form: str) -> pd.Series:
    """Return digits with the zeros in front that they lose as numbers: 1022022 is 01022022, whatever other cells hold."""
    return texts.astype(str).str.removesuffix(".0").str.zfill(len(form) + 2 * form.count("%Y"))


def _with_a_year(times: pd.Series) -> pd.Series:
    """Return times, absent where the year is one that was read from something else."""
    return times.where(times.dt.year >= _FIRST_YEAR)


def year_first(texts: pd.Series, name: str, where: str) -> pd.Series | None:
    """Return dates such as 31.1.2024 or 1/31/2024 as 2024-01-31, absent where a text is none.

    None where most texts are written otherwise.

    Args:
        texts: Different texts of a column, or all.
        name: The column.
        where: The setting that says how dates are written.

    Raises:
        DataError: Nothing tells day and month apart.
    """
    return _year_first(texts, _parsed(texts, "ISO8601"), name, where)


def _year_first(texts: pd.Series, iso: pd.Series, name: str, where: str) -> pd.Series | None:
    """Return dates of day, month and year with the year first; `iso` holds what reads as such already."""
    matches = [_NUMERIC.fullmatch(str(text)) for text in texts]
    if iso.notna().mean() >= sum(match is not None for match in matches) / len(texts):
        return None
    written = [match.groups() for match in matches if match is not None]
    day_first = any(int(first) > _TWELVE for first, *_ in written)
    month_first = any(int(second) > _TWELVE for _, _, second, *_ in written)
    if not month_first and any(mark == "." for _, mark, *_ in written):
        day_first = True
    if day_first == month_first:
        raise DataError(
            f"which is the day and which is the month in '{name}'?",
            where=where,
            got=next(match.group() for match in matches if match is not None),
            fix=f"say how dates are written: {where}='%d/%m/%Y' or '%m/%d/%Y'",
        )
    turned = [None if m is None else _iso(m.groups(), day_first=day_first) for m in matches]
    return pd.Series(turned, index=texts.index, dtype=object)


def _iso(found: tuple[str, ...], *, day_first: bool) -> str:
    first, _, second, year, rest = found
    day, month = (first, second) if day_first else (second, first)
    return f"{year}-{int(month):02}-{int(day):02}{rest}"


def _parsed(texts: pd.Series, form: str) -> pd.Series:
    return pd.to_datetime(texts, format=form, errors="coerce", utc=True).dt.tz_localize(None)


def _first_value(given: Any, values: np.ndarray, key: str) -> int:
    """Return the place of the first value that is not before a given one."""
    dates = values.dtype.kind == "M"
    try:
        bound = pd.to_datetime(str(given), utc=True).tz_localize(None).to_datetime64() if dates else float(given)
    except (ValueError, TypeError) as error:
        wanted = "a date such as 2024-01-31" if dates else f"a number between {values[0]:g} and {values[-1]:g}"
        raise DataError(
            f"'{key}' is no such value", where=f"{_WHERE}.{key}", got=str(given)[:200], fix=f"give {wanted}"
        ) from error
    return int(np.searchsorted(values, bound))


def _nearest(before: np.ndarray, end: int, wanted: float, kept: int) -> int:
    """Return the place before `end` that leaves about as many rows between both as wanted, and `kept` dates before it."""
    rows = before[end] - before[: end + 1]
    places = np.arange(kept, end) if end > kept else np.array([end])
    return int(places[np.argmin(np.abs(rows[places] - wanted))])


def _empty(column: pd.Series, values: np.ndarray, part: str, split: Mapping[str, Any]) -> DataError:
    asked = ", ".join(f"{key} {split[key]}" for key in ("from", "validation_from", "test", "validation") if key in split)
    return DataError(
        f"no row is left for the {part} part",
        where=_WHERE,
        got=f"{asked or 'the usual shares'}; '{column.name}' holds {len(values):,} different dates",
        available=[f"{_written(values[0])} to {_written(values[-1])}"],
        fix="choose dates within that span that leave rows on both sides, validation before test",
    )


def _refuse_missing(column: pd.Series, absent: pd.Series) -> None:
    if absent.any():
        raise DataError(
            f"{int(absent.sum()):,} of {len(column):,} rows have no date in '{column.name}'",
            where=f"{_WHERE}.column",
            got=f"such as row {int(np.flatnonzero(absent)[0]) + 1}",
            fix="fill the dates in, or leave those rows out first",
        )


def _written(time: Any) -> str:
    if isinstance(time, np.datetime64 | pd.Timestamp):
        stamp = pd.Timestamp(time)
        return str(stamp.date()) if stamp == stamp.normalize() else str(stamp)
    return f"{time:.15g}"

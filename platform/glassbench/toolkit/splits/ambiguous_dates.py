"""Dates that can be read in several orders: two digits of a year, months without one, digits without marks.

Read in the wrong order they divide rows wrongly without anybody noticing, so they are refused until a person says how they are
written.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from glassbench.errors import DataError

_MARKED = re.compile(r"\d{1,2}([./\- ])\d{1,2}\1'?\d{2}(\D.*)?", re.DOTALL)
_NAMED = re.compile(r"[^\W\d_]{3,}\.?[ .\-/']*\d{2}", re.DOTALL)
_DIGITS = re.compile(r"\d{5,8}(\.0)?")
_MOSTLY = 0.5
_YEARS = (1900, 2100)


def refuse_ambiguous(texts: Sequence[str], name: str, where: str) -> None:
    """Refuse dates whose order nothing tells.

    Args:
        texts: Different cells of a column.
        name: The column.
        where: The setting that says how dates are written.

    Raises:
        DataError: Most of them are dates of that kind.

    Example:
        >>> refuse_ambiguous(["2024-01-31", "31.01.2024"], "seen", "dataset.split.format")
    """
    plain = [str(text).strip() for text in texts]
    if (found := _most(_MARKED, plain)) is not None:
        reason, forms = "years of two digits, so that day, month and year cannot be told apart", "'%d.%m.%y' or '%y-%m-%d'"
    elif (found := _most(_NAMED, plain)) is not None:
        reason, forms = "months with two digits, which may be a day or a year", "'%b-%y'"
    elif (found := _without_marks(plain)) is not None:
        reason, forms = (
            "digits that are dates and may not rise with time, for the year may stand last",
            "'%d%m%Y', '%d%m%y' or '%y%m%d'",
        )
    else:
        return
    raise DataError(f"'{name}' holds {reason}", where=where, got=found, fix=f"say how dates are written: {where}={forms}")


def _most(form: re.Pattern[str], texts: Sequence[str]) -> str | None:
    """Return an example where most texts are written so, or None."""
    alike = [text for text in texts if form.fullmatch(text)]
    return alike[0] if len(alike) > _MOSTLY * len(texts) else None


def _without_marks(texts: Sequence[str]) -> str | None:
    """Return an example where all are digits that are dates, and not surely with the whole year first, or None."""
    if not texts or not all(_DIGITS.fullmatch(text) for text in texts):
        return None
    whole = [text.removesuffix(".0") for text in texts]
    for width, first, last in ((8, "%Y%m%d", ("%d%m%Y", "%m%d%Y")), (6, "%y%m%d", ("%d%m%y", "%m%d%y", "%y%m%d"))):
        if {len(text) for text in whole} <= {width - 1, width}:
            padded = [text.zfill(width) for text in whole]
            rising = width == 8 and _all_dates(padded, first)  # 190105 may be of 2019 or of 2005
            return None if rising or not any(_all_dates(padded, form) for form in last) else whole[0]
    return None


def _all_dates(texts: Sequence[str], form: str) -> bool:
    read = pd.to_datetime(pd.Series(texts), format=form, errors="coerce")
    years = read.dt.year.to_numpy()
    return bool(np.all((years >= _YEARS[0]) & (years <= _YEARS[1])))

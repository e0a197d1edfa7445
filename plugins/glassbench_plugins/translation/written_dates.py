"""Dates as people write them, generated, to be written as ISO 8601 has them."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.table import Reading
from glassbench_plugins.translation.pairs import PairColumns, pair_data

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STYLES = {
    "day first": "{day} {month} {year}",
    "month first": "{month} {day}, {year}",
    "with an ending": "{month} {day}{ending}, {year}",
    "in words": "the {day}{ending} of {month} {year}",
    "with a weekday": "{weekday}, {day} {month} {year}",
    "short": "{day}-{short}-{year}",
    "dotted": "{day:02d}.{number:02d}.{year}",
    "American": "{number}/{day}/{year}",
}
_FIRST, _LAST = date(1900, 1, 1), date(2099, 12, 31)


def written_dates(
    seed: int, *, rows: Count = 6000, validation_share: ShareBelowOne = 0.1, test_share: ShareBelowOne = 0.15
) -> Data:
    """Dates as people write them, generated: `Tuesday, 5 May 1987` is to be written `1987-05-05`.

    Eight styles take turns at random, and tokens are characters. Every date of 1900 to 2099 is as likely as any other; a text
    stands in one part only. The groups are the styles.

    Args:
        seed: Seed of the dates and of the split.
        rows: How many pairs.
        validation_share: Share of the pairs for validation.
        test_share: Share of the pairs for testing.
    """
    if rows < 20:
        raise DataError("20 pairs are the least", got=str(rows), where="dataset.rows")
    reading = Reading(tokens="characters", lowercase=False, context=40)
    columns = PairColumns(
        source="written", target="iso", sensitive=("style",), conditions=("style",), reading=reading, writing=reading
    )
    return pair_data(
        drawn(rows, np.random.default_rng([seed, 0xDA7E])),
        columns,
        Division(seed=seed, validation=validation_share, test=test_share),
        unit="date",
        source="generated",
    )


def drawn(rows: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return the columns `written`, `iso` and `style`."""
    span = (_LAST - _FIRST).days + 1
    days = [_FIRST + timedelta(days=int(after)) for after in generator.integers(span, size=rows)]
    styles = [str(style) for style in generator.choice(list(STYLES), rows)]
    texts = [written(day, style) for day, style in zip(days, styles, strict=True)]
    return pd.DataFrame({"written": texts, "iso": [day.isoformat() for day in days], "style": styles})


def written(day: date, style: str) -> str:
    """Return a date in a style.

    Example:
        >>> written(date(1987, 5, 5), "with a weekday"), written(date(1987, 5, 2), "in words")
        ('Tuesday, 5 May 1987', 'the 2nd of May 1987')
    """
    month = MONTHS[day.month - 1]
    return STYLES[style].format(
        day=day.day,
        month=month,
        short=month[:3],
        number=day.month,
        year=day.year,
        weekday=_DAYS[day.weekday()],
        ending=_ending(day.day),
    )


def _ending(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")

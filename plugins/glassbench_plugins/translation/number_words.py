"""Whole numbers, generated, to be written in words."""

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.table import Reading
from glassbench_plugins.translation.pairs import PairColumns, pair_data

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MOST = 999_999


def number_words(
    seed: int, *, rows: Count = 6000, most: Count = _MOST, validation_share: ShareBelowOne = 0.1, test_share: ShareBelowOne = 0.15
) -> Data:
    """Whole numbers, generated: `40217` is to be written `forty thousand two hundred and seventeen`.

    The number of digits is drawn first, so that short numbers are as frequent as long ones; no number comes twice, so that of
    short ones there are only as many as there are. Tokens are digits on the one side and words on the other. The groups are the
    numbers of digits.

    Args:
        seed: Seed of the numbers and of the split.
        rows: How many pairs.
        most: The largest number, up to 999999.
        validation_share: Share of the pairs for validation.
        test_share: Share of the pairs for testing.
    """
    if not 20 <= rows <= most + 1 or most > _MOST:
        got = f"rows {rows}, most {most}"
        raise DataError(f"20 pairs are the least, {_MOST} is the largest number, and none comes twice", got=got, where="dataset")
    columns = PairColumns(
        source="number",
        target="words",
        sensitive=("digits",),
        conditions=("digits",),
        reading=Reading(tokens="characters", context=8),
        writing=Reading(tokens="words", rare=1, context=20),
    )
    return pair_data(
        drawn(rows, most, np.random.default_rng([seed, 0x0DD5])),
        columns,
        Division(seed=seed, validation=validation_share, test=test_share),
        unit="number",
        source="generated",
    )


def drawn(rows: int, most: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return the columns `number`, `words` and `digits`, no number twice."""
    left = {digits: generator.permutation(_span(digits, most)).tolist() for digits in range(1, len(str(most)) + 1)}
    numbers: list[int] = []
    while len(numbers) < rows:
        numbers.append(left[int(generator.choice([digits for digits, some in left.items() if some]))].pop())
    return pd.DataFrame(
        {
            "number": [str(number) for number in numbers],
            "words": [in_words(number) for number in numbers],
            "digits": [str(len(str(number))) for number in numbers],
        }
    )


def in_words(number: int) -> str:
    """Return a number up to 999999 in words, without hyphens.

    Example:
        >>> in_words(40217), in_words(1005), in_words(700)
        ('forty thousand two hundred and seventeen', 'one thousand and five', 'seven hundred')
    """
    thousands, rest = divmod(number, 1000)
    if thousands:
        joined = " and " if 0 < rest < 100 else " "
        return f"{in_words(thousands)} thousand" + (f"{joined}{in_words(rest)}" if rest else "")
    hundreds, rest = divmod(number, 100)
    if hundreds:
        return f"{_SMALL[hundreds]} hundred" + (f" and {in_words(rest)}" if rest else "")
    tens, ones = divmod(number, 10)
    return _SMALL[number] if number < 20 else _TENS[tens] + (f" {_SMALL[ones]}" if ones else "")


def _span(digits: int, most: int) -> np.ndarray:
    return np.arange(0 if digits == 1 else 10 ** (digits - 1), min(10**digits, most + 1))

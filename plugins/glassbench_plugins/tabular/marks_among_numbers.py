"""Numbers that stand for something else: 999 or -1 for a missing value, 1 and 2 for the classes of a target."""

import re
from collections.abc import Sequence

import numpy as np

from glassbench.experiments.inspection import ColumnFacts
from glassbench.toolkit.cells.cells import MARKS

_CODE = re.compile(r"-?(9{2,}|8{2,}|7{2,})|-[1-9]")
"""How a missing value is written among numbers: nines, eights or sevens, or a single digit below 0."""

_CELLS, _SHARE = 3, 0.002
"""Such a number recurs from 3 cells and 0.2 % of those with a value."""

_FAR = 1.5
"""How far a mark above all other numbers, or below them, lies from the next: so many times what these span from the 5 % to the
95 % quantile."""

_DISTINCT, _MARKS = 6, 3
"""Other numbers that a column must have, and marks that it may have."""

_MOST_CLASSES, _MOST_CODES = 10, 30


def missing_marks(values: np.ndarray) -> list[tuple[float, int]]:
    """Return numbers of a column that are likely to mean a missing value, with how often they stand.

    Either they lie far from all others, or they are the only ones below 0.

    Args:
        values: The numbers `(n,)`; NaN where there is none.
    """
    numbers, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    enough = counts >= max(_CELLS, _SHARE * counts.sum())
    written = np.array([_CODE.fullmatch(_text(number)) is not None for number in numbers], dtype=bool)
    found = enough & written
    others = numbers[~found]
    if not 0 < found.sum() <= _MARKS or len(others) < _DISTINCT:
        return []
    span = float(np.subtract(*np.quantile(np.repeat(others, counts[~found]), [0.95, 0.05])))
    return [
        (float(number), int(count))
        for number, count in zip(numbers[found], counts[found], strict=True)
        if _apart(float(number), others, span)
    ]


def _apart(number: float, others: np.ndarray, span: float) -> bool:
    low, high = float(others[0]), float(others[-1])
    return number < 0 <= low or number > high + _FAR * span or number < low - _FAR * span


def _text(number: float) -> str:
    return f"{number:.0f}" if number.is_integer() else f"{number:g}"


def marks_problem(column: ColumnFacts, marks: Sequence[tuple[float, int]]) -> str:
    """Say which numbers of a column may mean a missing value."""
    shown = " and ".join(f"{_text(number)} ({count:,} cells)" for number, count in marks)
    texts = ", ".join(f"'{text}'" for text in (*MARKS, *(_text(number) for number, _ in marks)))
    return (
        f"{column.name}: {shown} {'stands' if len(marks) == 1 else 'stand'} apart from all other numbers and may mean that the "
        f"value is missing (or cut off there); if it is missing, set dataset.missing=[{texts}], which holds for all columns"
    )


def codes_problem(column: ColumnFacts, values: np.ndarray) -> str | None:
    """Say what the few whole numbers of a likely target may be; None where they are no codes.

    Args:
        column: The column.
        values: Its numbers `(n,)`; NaN where there is none.
    """
    numbers = np.unique(values[np.isfinite(values)])
    if not 2 <= len(numbers) <= _MOST_CODES or (numbers % 1 != 0).any() or np.abs(numbers).max() > 99:
        return None
    shown = ", ".join(f"{number:g}" for number in numbers[:_MOST_CLASSES]) + (", ..." if len(numbers) > _MOST_CLASSES else "")
    if len(numbers) > _MOST_CLASSES:
        if np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers))) and numbers[0] in (0, 1):
            return (
                f"{column.name} looks like a target and holds {len(numbers)} whole numbers ({shown}), read as a number; if they "
                "are codes of classes, set dataset.kind=class and name them in dataset.labels"
            )
        return None
    named = ", ".join(f"{number:g}: ..." for number in numbers)
    return (
        f"{column.name} looks like a target and holds the numbers {shown}, read as classes; if they are codes, say what they "
        f"mean with dataset.labels={{{column.name}: {{{named}}}}}, and which is good for a person with dataset.favourable; if "
        "they say how much, set dataset.kind=value"
    )

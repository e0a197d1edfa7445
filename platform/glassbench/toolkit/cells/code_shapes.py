"""Codes of categories that stand among numbers: V57 and E909 of ICD-9, postcodes with letters, product numbers."""

import re
from collections.abc import Sequence

import numpy as np

_LETTERS_FIRST = re.compile(r"[^\W\d_]{1,4}[-/]?\d[\w./ -]*")
_LETTERS_WITHIN = re.compile(r"\d+([^\W\d_]{1,2})\d\w*")
_LETTERS_BEHIND = re.compile(r"\d+[-/][^\W\d_]{1,2}\d*")
_SHAPED = 0.8
"""Least share of the cells that are no numbers which are written like codes."""
_CELLS, _SHARE = 5, 0.002
"""Codes recur from 5 cells and 0.2 % of the column."""
_DIFFERENT, _OFTEN = 10, 0.05
"""Codes that all differ recur from 10 of them, or from 5 % of the column."""
_WITHIN = 3
"""Letters between digits are codes from three different ones: `1m75` and `5ft10` are lengths."""


def are_codes(texts: Sequence[str], counts: np.ndarray, total: int) -> bool:
    """Whether the cells of a column that are no numbers are codes that recur, so that the whole column is one of codes.

    A code is letters before digits (`V57`, `A11`, `K1A 0B6`), behind a dash (`4711-B`), or between digits. A number with a unit
    (`12k`, `5 kg`) and a word are none. A single text, however frequent, and a few different ones stay strange cells.

    Args:
        texts: The different texts that are no numbers.
        counts: How many cells hold each `(n,)`.
        total: How many cells of the column hold a value.

    Example:
        >>> are_codes(["V57", "E909"], np.array([9, 4]), total=500), are_codes(["12k", "unknown"], np.array([9, 4]), total=500)
        (True, False)
    """
    shaped = np.array(_shaped(texts), dtype=bool)
    held = counts[shaped] if len(texts) else counts
    different, cells = len(held), int(held.sum())
    if different < 2 or cells < _SHAPED * counts.sum() or cells < max(_CELLS, _SHARE * total):
        return False
    return bool((held > 1).any()) or different >= _DIFFERENT or cells >= _OFTEN * total


def _shaped(texts: Sequence[str]) -> list[bool]:
    within = {text: found[1].casefold() for text in texts if (found := _LETTERS_WITHIN.fullmatch(text))}
    if len(set(within.values())) < _WITHIN:
        within = {}
    return [text in within or any(form.fullmatch(text) for form in (_LETTERS_FIRST, _LETTERS_BEHIND)) for text in texts]

"""How many symbols must be put in, taken out or replaced to make one sequence of another."""

from collections.abc import Hashable, Sequence

import numpy as np


def edit_distance(written: Sequence[Hashable], actual: Sequence[Hashable]) -> int:
    """Return the fewest insertions, deletions and substitutions between two sequences (Levenshtein 1966).

    Example:
        >>> edit_distance("sitting", "kitten"), edit_distance(["one", "two"], ["two"])
        (3, 1)
    """
    before = list(range(len(actual) + 1))
    for row, symbol in enumerate(written, start=1):
        now = [row]
        for place, other in enumerate(actual, start=1):
            now.append(min(before[place] + 1, now[-1] + 1, before[place - 1] + (symbol != other)))
        before = now
    return before[-1]


def word_edits(written: Sequence[str], actual: Sequence[str]) -> np.ndarray:
    """Return the edits of words between each pair of texts, float64 `(n,)`."""
    return np.array([edit_distance(w.split(), a.split()) for w, a in zip(written, actual, strict=True)], dtype=float)


def character_edits(written: Sequence[str], actual: Sequence[str]) -> np.ndarray:
    """Return the edits of characters between each pair of texts, float64 `(n,)`."""
    return np.array([edit_distance(w, a) for w, a in zip(written, actual, strict=True)], dtype=float)

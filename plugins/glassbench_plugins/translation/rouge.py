"""ROUGE: how many words, pairs of words and words in order a summary shares with the true one (Lin 2004)."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["1", "2", "L"]
_WORD = re.compile(r"[a-z0-9]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text as ROUGE-1.5.5 and rouge-score read them: small letters of English and digits, no stems.

    Example:
        >>> words_of("The river's level: 3.5 m")
        ['the', 'river', 's', 'level', '3', '5', 'm']
    """
    return _WORD.findall(text.lower())


def rouge(written: str, actual: str, kind: Kind) -> float:
    """Return the F1 of what a summary and the true one share: words (`1`), pairs of words (`2`), or their longest common
    subsequence of words (`L`); 0 where either has nothing to share.

    Example:
        >>> round(rouge("a b c", "a c d", "1"), 3), rouge("a b c", "a c d", "2"), round(rouge("a b c", "a c d", "L"), 3)
        (0.667, 0.0, 0.667)
    """
    ours, theirs = words_of(written), words_of(actual)
    if kind == "L":
        return _f1(common_length(ours, theirs), len(ours), len(theirs))
    size = int(kind)
    a, b = (Counter(zip(*(words[k:] for k in range(size)), strict=False)) for words in (ours, theirs))
    return _f1((a & b).total(), a.total(), b.total())


def common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest sequence of words that both have in this order, with others between them.

    Example:
        >>> common_length("a b c d".split(), "b x d".split())
        2
    """
    before = [0] * (len(second) + 1)
    for word in first:
        now = [0]
        for place, other in enumerate(second):
            now.append(before[place] + 1 if word == other else max(before[place + 1], now[-1]))
        before = now
    return before[-1]


def rouge_1(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean ROUGE-1 of the rows, `(b,)`.

    Args:
        frame: Columns `y_pred` and `y_true`, n rows.
        weights: `(b, n)`.
    """
    return _mean(frame, weights, "1")


def rouge_2(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean ROUGE-2 of the rows, `(b,)`."""
    return _mean(frame, weights, "2")


def rouge_l(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean ROUGE-L of the rows, `(b,)`."""
    return _mean(frame, weights, "L")


def _mean(frame: pd.DataFrame, weights: np.ndarray, kind: Kind) -> np.ndarray:
    pairs = zip(frame["y_pred"].astype(str), frame["y_true"].astype(str), strict=True)
    each = np.array([rouge(written, actual, kind) for written, actual in pairs])
    return np.asarray(weights @ each / weights.sum(axis=1))


def _f1(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0

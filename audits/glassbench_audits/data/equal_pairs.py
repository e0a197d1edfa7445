"""Two columns that give the answer away by being equal: what is owed and what was paid, the first and the last day."""

from itertools import combinations

import numpy as np
import pandas as pd

from glassbench_audits.data.pair_leakage import MOST_COLUMNS, Pair

EQUAL, DISTINCT = 0.05, 10
"""Share of the training rows in which two columns must be equal, as in which they must differ, and values that are equal."""


def equal_pair(known: pd.DataFrame, seen: pd.DataFrame, learnt: np.ndarray, truth: np.ndarray) -> Pair | None:
    """Return the pair of columns whose being equal or not decides the training rows best, or None where none are often equal.

    Args:
        known, seen: Named features of training and held-out rows.
        learnt, truth: Their classes.
    """
    numbers = [str(name) for name in known.columns if pd.api.types.is_float_dtype(known[name])]
    texts = [str(name) for name in known.columns if str(name) not in numbers]
    pairs = [pair for names in (numbers, texts) for pair in combinations(names[:MOST_COLUMNS], 2)]
    found = [pair for a, b in pairs if (pair := _judged(a, b, known, seen, learnt, truth)) is not None]
    return max(found, key=lambda pair: pair.learnt, default=None)


def _judged(a: str, b: str, known: pd.DataFrame, seen: pd.DataFrame, learnt: np.ndarray, truth: np.ndarray) -> Pair | None:
    same = (known[a] == known[b]).to_numpy()
    if not EQUAL <= same.mean() <= 1 - EQUAL or known.loc[same, a].nunique() < DISTINCT:
        return None
    there = (seen[a] == seen[b]).to_numpy()
    answer = [int(np.bincount(learnt[same == side]).argmax()) for side in (False, True)]
    said, told = np.where(same, answer[1], answer[0]), np.where(there, answer[1], answer[0])
    return Pair(columns=(a, b), learnt=float((said == learnt).mean()), right=int((told == truth).sum()))

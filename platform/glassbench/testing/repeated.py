"""Rows that stand for several, and the same rows as often as each counts."""

import numpy as np
import pandas as pd


def lists_of_rows(frame: pd.DataFrame, together: str | None) -> np.ndarray:
    """Return which list each row is of, numbered from 0 `(n,)`; each row is a list of its own where no column names lists."""
    return np.arange(len(frame)) if together is None else pd.factorize(frame[together])[0]


def counts_of_rows(frame: pd.DataFrame, together: str | None, least: int = 0) -> np.ndarray:
    """Return how often each row is taken, whole numbers up to 3 `(n,)`; rows of a list alike.

    Args:
        frame: Predictions.
        together: The column that names the list of each row, or None.
        least: The smallest number.
    """
    lists = lists_of_rows(frame, together)
    return np.asarray(np.random.default_rng(0).integers(least, 4, lists.max(initial=-1) + 1)[lists])


def repeated_rows(frame: pd.DataFrame, counts: np.ndarray, together: str | None) -> pd.DataFrame:
    """Return every row as often as it counts, copies beside each other; of a list, every copy is a list of its own.

    Args:
        frame: Predictions, numbered from 0.
        counts: How often each row is taken `(n,)`.
        together: The column that names the list of each row, or None.
    """
    copies = frame.loc[frame.index.repeat(counts)].reset_index(drop=True)
    if together is not None and len(copies):
        number = np.concatenate([np.arange(times) for times in counts])
        copies[together] = [f"{name} {k}" for name, k in zip(copies[together], number, strict=True)]
    return copies

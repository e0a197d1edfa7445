"""Columns that give the answer away for a part of the rows only."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from glassbench.stats.intervals import wilson

PURE = 0.98
"""Share of one class from which a value decides its rows."""

LEAST = 0.2
"""Share of the rows that a column must decide: honest columns are pure in a few values too."""

BESIDE = 0.05
"""Share of the rows that must lie in bins that are not pure on either side of pure ones."""

FEWEST = 8
"""Training rows of a value, or bin, below which it says nothing."""

MOST_VALUES = 20
"""Categories of a column beyond which its values are not looked into."""

Codes = tuple[np.ndarray, np.ndarray]


def within_values(codes: Codes, learnt: np.ndarray, truth: np.ndarray, *, ordered: bool) -> tuple[int, int] | None:
    """Return how many held-out rows are right of those that pure values decide, or None where a column is no leak of this kind.

    A leak that noise covers in part of the rows leaves values at which the class is certain amid values that say nothing. The
    ends of an honest number are pure as well, and then decide one class each; so pure bins of a number count only where bins
    that are not pure lie on both of their sides, for two classes at least.

    Args:
        codes: Bin or category of each training and held-out row.
        learnt, truth: Their classes.
        ordered: Whether codes are bins of a number, in order.
    """
    known, seen = codes
    size, classes = int(max(known.max(), seen.max())) + 1, int(max(learnt.max(), truth.max())) + 1
    counts = np.bincount(known * classes + learnt, minlength=size * classes).reshape(size, classes)
    n = counts.sum(axis=1)
    pure = (n >= FEWEST) & (counts.max(axis=1) >= PURE * np.maximum(n, 1))
    if ordered:
        pure &= _amid(n, pure)
    answer = counts.argmax(axis=1)
    decided = np.bincount(answer[pure], weights=n[pure], minlength=classes)
    enough = (decided >= BESIDE * n.sum()).sum() >= 2
    if not enough or decided.sum() < LEAST * n.sum() or decided.sum() > (1 - LEAST / 2) * n.sum():
        return None
    chosen = pure[seen]
    return _sure(int((answer[seen[chosen]] == truth[chosen]).sum()), int(chosen.sum()), truth[chosen])


def _amid(n: np.ndarray, pure: np.ndarray) -> np.ndarray:
    """Return which bins have enough rows in bins that are not pure on both of their sides."""
    below = np.cumsum(np.where(pure, 0, n))
    return np.asarray(np.minimum(below, below[-1] - below) >= BESIDE * n.sum())


def within_categories(
    known: pd.DataFrame,
    seen: pd.DataFrame,
    codes: Mapping[str, Codes],
    names: Sequence[str],
    learnt: np.ndarray,
    truth: np.ndarray,
) -> Iterator[tuple[tuple[str, str], tuple[str, int, int]]]:
    """Yield categories within which another column decides nearly all rows, with that column, the rows right and all of them.

    Args:
        known, seen: Columns of categories of training and held-out rows.
        codes: Bin or category of each column's rows.
        names: The columns that may decide.
        learnt, truth: The classes.
    """
    for by in known.columns:
        values = known[by].dropna().value_counts()
        for value in values.index[values >= LEAST * len(known)] if len(values) <= MOST_VALUES else ():
            inside, judged = (known[by] == value).to_numpy(), (seen[by] == value).to_numpy()
            for name in names:
                if name != by and (found := _decided(codes[name], inside, judged, learnt, truth)) is not None:
                    yield (str(by), str(value)), (name, *found)


def where_present(
    known: pd.Series, seen: pd.Series, codes: Codes, learnt: np.ndarray, truth: np.ndarray
) -> tuple[int, int] | None:
    """Return how many held-out rows with a value are right of all of them, where values decide nearly all; else None."""
    inside, judged = known.notna().to_numpy(), seen.notna().to_numpy()
    if inside.all() or inside.mean() < LEAST:
        return None
    return _decided(codes, inside, judged, learnt, truth)


def _decided(
    codes: Codes, inside: np.ndarray, judged: np.ndarray, learnt: np.ndarray, truth: np.ndarray
) -> tuple[int, int] | None:
    known, seen, own, other = codes[0][inside], codes[1][judged], learnt[inside], truth[judged]
    if len(known) < FEWEST or not len(seen):
        return None
    classes, size = int(max(own.max(), other.max())) + 1, int(max(known.max(), seen.max())) + 1
    counts = np.bincount(known * classes + own, minlength=size * classes).reshape(size, classes)
    if counts.max(axis=1).sum() < PURE * len(own):
        return None
    usual = int(np.bincount(own).argmax())
    answer = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), usual)
    return _sure(int((answer[seen] == other).sum()), len(other), other)


def _sure(right: int, n: int, truth: np.ndarray) -> tuple[int, int] | None:
    if n == 0:
        return None
    low = float(wilson(np.array(right), np.array(n))[0])
    blind = float(wilson(np.array(np.bincount(truth).max()), np.array(n))[1])
    return (right, n) if right >= PURE * n and low > max(blind, 0.9) else None

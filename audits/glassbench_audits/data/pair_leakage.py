"""Two columns that give the answer away together and neither alone, as an exclusive or does."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from glassbench.stats.intervals import wilson

MOST_COLUMNS = 40
"""Columns of which pairs are searched, the first ones."""

BINS, FINE = 16, 3
"""Bins of a number while pairs are searched, and how often the cuts of a promising pair are refined."""

TRIED = 5
"""Pairs whose cuts are refined."""

FEW_VALUES = 12
"""Different numbers of a column up to which each is a category of its own: a parity has no single cut."""

TOGETHER, ALONE = 1 / 3, 0.15
"""Share of the errors of the commonest class that a pair must spare to be asked about, and either column alone at most."""

LEAST = 0.95
"""The end of the interval that must not lie below: a small sample of a merely strong pair could be all right by chance."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Column:
    """A column of training and held-out rows as codes: categories, or bins of a number.

    Args:
        known, seen: Codes `(n,)` and `(m,)`.
        numbers: The numbers behind them, or None.
        size: How many codes there are.
    """

    known: np.ndarray
    seen: np.ndarray
    numbers: tuple[np.ndarray, np.ndarray] | None
    size: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two columns and the rule that decides the training rows best.

    Args:
        columns: The columns.
        learnt: The share of the training rows that it decides right.
        right: How many held-out rows it decides right.
    """

    columns: tuple[str, str]
    learnt: float
    right: int


def best_pairs(known: pd.DataFrame, seen: pd.DataFrame, learnt: np.ndarray, truth: np.ndarray) -> tuple[Pair, Pair] | None:
    """Return the pair of columns that decides the training rows best, and the one that does so by most more than either alone.

    None where there are no two columns.

    Numbers are cut once each, categories taken as they are. The pair and its cuts are chosen by the training rows alone, so that
    the held-out rows judge one rule, however many were tried.

    Args:
        known, seen: Named features of training and held-out rows.
        learnt, truth: Their classes.
    """
    columns = {str(name): column for name in known.columns if (column := _column(known[name], seen[name])) is not None}
    names = list(columns)[:MOST_COLUMNS]
    classes = int(max(learnt.max(), truth.max())) + 1
    screened = [(_screened(columns[a], columns[b], learnt, classes), a, b) for a, b in combinations(names, 2)]
    if not screened:
        return None
    alone = {name: _right(columns[name].known, learnt, columns[name].known, learnt, classes) for name in names}
    gained = [(right - max(alone[a], alone[b]), a, b) for right, a, b in screened]

    first, second = (sorted(ranked, key=lambda one: -one[0])[:tried] for ranked, tried in ((screened, TRIED), (gained, 1)))
    pairs = [[_judged(a, b, columns, learnt, truth, classes) for _, a, b in order] for order in (first, second)]
    return max(pairs[0], key=lambda pair: pair.learnt), pairs[1][0]


def _judged(a: str, b: str, columns: Mapping[str, Column], learnt: np.ndarray, truth: np.ndarray, classes: int) -> Pair:
    """Return two columns with the rule that decides the training rows best."""
    known, seen = _rule(columns[a], columns[b], learnt, classes)
    right = _right(known, learnt, known, learnt, classes)
    return Pair(columns=(a, b), learnt=right / len(learnt), right=_right(known, learnt, seen, truth, classes))


def gives_away(pair: Pair, truth: np.ndarray, sure: float) -> bool:
    """Whether a pair decides nearly every row, training and held-out, and surely more than the commonest class does.

    Args:
        pair: The pair.
        truth: The classes of the held-out rows.
        sure: The share of rows that must be right, of either kind.
    """
    low = float(wilson(np.array(pair.right), np.array(len(truth)))[0])
    blind = float(wilson(np.array(np.bincount(truth).max()), np.array(len(truth)))[1])
    return pair.learnt >= sure and pair.right >= sure * len(truth) and low > max(blind, LEAST)


def spares_together(pair: Pair, alone: tuple[int, int], truth: np.ndarray) -> bool:
    """Whether a pair surely spares many errors of always taking the commonest class while either column alone spares hardly any.

    That is what an exclusive or does when noise hides a part of it; columns that say something alone are no reason to ask.

    Args:
        pair: The pair.
        alone: How many held-out rows each of its columns decides right alone.
        truth: The classes of the held-out rows.
    """
    n, usual = len(truth), int(np.bincount(truth).max())
    errors, low = n - usual, float(wilson(np.array(pair.right), np.array(n))[0])
    return errors > 0 and low * n - usual >= TOGETHER * errors and max(alone) - usual <= ALONE * errors


def _column(known: pd.Series, seen: pd.Series) -> Column | None:
    if not pd.api.types.is_float_dtype(known) or known.nunique() <= FEW_VALUES:
        names = pd.Index(known.dropna().unique()[: BINS * 2])
        codes = [np.where((c := names.get_indexer(pd.Index(part))) < 0, len(names), c) for part in (known, seen)]
        return Column(known=codes[0], seen=codes[1], numbers=None, size=len(names) + 1)
    if not known.notna().any():
        return None
    middle = float(known.median())
    numbers = (known.fillna(middle).to_numpy(float), seen.fillna(middle).to_numpy(float))
    edges = np.unique(np.quantile(numbers[0], np.linspace(0, 1, BINS + 1)[1:-1]))
    return Column(
        known=np.searchsorted(edges, numbers[0]), seen=np.searchsorted(edges, numbers[1]), numbers=numbers, size=len(edges) + 1
    )


def _screened(a: Column, b: Column, learnt: np.ndarray, classes: int) -> float:
    """Return the rows decided right by the best cut of each number, by cumulated counts."""
    counts = np.bincount((a.known * b.size + b.known) * classes + learnt, minlength=a.size * b.size * classes)
    return _best(a, b, counts.reshape(a.size, b.size, classes).astype(float))


def _best(a: Column, b: Column, table: np.ndarray) -> float:
    """Return the rows right under the best cuts: cut axes get two sides, uncut ones keep their categories."""
    cells = _sides(table, 0, a.numbers is not None)
    cells = _sides(cells, 2, b.numbers is not None)
    return float(cells.max(axis=-1).sum(axis=(1, 3)).max())


def _sides(table: np.ndarray, axis: int, cut: bool) -> np.ndarray:
    """Replace an axis of codes by (cuts, sides): two sides of each cut, or the codes themselves as sides of no cut."""
    if not cut:
        return np.expand_dims(table, axis)
    below = table.cumsum(axis=axis)
    return np.stack([below, np.take(below, [-1], axis=axis) - below], axis=axis + 1)


def _rule(a: Column, b: Column, learnt: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell of each training and held-out row under cuts that are refined in turn."""
    sides = [_start(column) for column in (a, b)]
    if a.numbers is not None and b.numbers is not None:
        sides[1] = _best_start(a, b, learnt, classes)
    for _ in range(FINE):
        for mine, other, column in ((0, 1, a), (1, 0, b)):
            if column.numbers is not None:
                cut = _cut(column.numbers[0], sides[other][0], learnt, classes)
                sides[mine] = (1 * (column.numbers[0] > cut), 1 * (column.numbers[1] > cut))
    size = int(max(sides[1][0].max(), sides[1][1].max())) + 1
    return sides[0][0] * size + sides[1][0], sides[0][1] * size + sides[1][1]


def _start(column: Column) -> tuple[np.ndarray, np.ndarray]:
    if column.numbers is None:
        return column.known, column.seen
    half = column.size // 2
    return 1 * (column.known >= half), 1 * (column.seen >= half)


def _best_start(a: Column, b: Column, learnt: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sides of the second number's cut that is best together with the first's."""
    counts = np.bincount((a.known * b.size + b.known) * classes + learnt, minlength=a.size * b.size * classes)
    cells = _sides(_sides(counts.reshape(a.size, b.size, classes).astype(float), 0, True), 2, True)
    right = cells.max(axis=-1).sum(axis=(1, 3))
    at = int(np.unravel_index(int(right.argmax()), right.shape)[1])
    return 1 * (b.known > at), 1 * (b.seen > at)


def _cut(numbers: np.ndarray, sides: np.ndarray, learnt: np.ndarray, classes: int) -> float:
    """Return where to cut a number so that its sides, with the other column's, decide most rows right."""
    order = np.argsort(numbers, kind="stable")
    width = (int(sides.max()) + 1) * classes
    marks = np.zeros((len(order), width))
    marks[np.arange(len(order)), sides[order] * classes + learnt[order]] = 1
    below = marks.cumsum(axis=0)
    cells = np.stack([below, below[-1] - below], axis=1).reshape(len(order), -1, classes)
    right = cells.max(axis=2).sum(axis=1)
    placed = numbers[order]
    right[:-1][placed[:-1] == placed[1:]] = -1
    at = int(right.argmax())
    return float((placed[at] + placed[min(at + 1, len(placed) - 1)]) / 2)


def _right(cells: np.ndarray, learnt: np.ndarray, judged: np.ndarray, truth: np.ndarray, classes: int) -> int:
    """Return how many rows the commonest class of each cell decides right."""
    size = int(max(cells.max(), judged.max(initial=0))) + 1
    counts = np.bincount(cells * classes + learnt, minlength=size * classes).reshape(size, classes)
    usual = int(np.bincount(learnt).argmax())
    answer = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), usual)
    return int((answer[judged] == truth).sum())

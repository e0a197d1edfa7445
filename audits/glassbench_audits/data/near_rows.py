"""Near-duplicates among rows of a table: rows that agree in all columns, or all but one, far more often than is natural.

How many rows agree in all columns but one by nature is bounded by how many agree in all but two and three: the number of
columns in which two rows disagree has log-concave counts where columns are independent, and grows faster where they are not
in every table that was tried. Near-duplicates stand out above that bound.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import poisson

from glassbench_audits.data.near_numbers import near_numbers

WIDTHS = (1e-4, 1e-2, 1e-1)
"""Numbers that lie in one bin of so many times their column's spread agree; each width is tried."""

MOST_LEVELS = 100
"""Values that recur in a column up to which numbers near to one stand for it."""

FARTHEST = 4
"""Columns in which pairs may disagree to be looked at."""

MOST_COLUMNS = 60
"""Columns that are compared, those of most values."""

CELLS, PAIRS, PILOT = 3e9, 3e5, 64
"""Cells and near pairs that are compared at most, and rows from which the number of pairs is told."""

ALPHA, TIMES, LEAST = 5e-4, 3.0, 3
"""Near-duplicates are as many as chance shows more rarely than that, so many times the bound, and so many rows."""

VARIES = 0.3
"""Share of the rows with a pair that differs in one column alone, beyond which that column varies within what rows belong to."""

START = 0.3
"""Added to each count of pairs: none seen is not none expected (the median of a Poisson rate given no event, by Jeffreys)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class NearDuplicates:
    """Held-out rows beside the training row that they nearly copy.

    Args:
        examined: Positions of the held-out rows that were compared `(m,)`.
        held: Positions of those that are near-duplicates `(k,)`.
        train: Position of the training row of each `(k,)`.
        expected: How many would be found by nature, at most about.
    """

    examined: np.ndarray
    held: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    train: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    expected: float = 0.0

    def at(self, train: np.ndarray, held: np.ndarray) -> "NearDuplicates":
        """Return the same for rows that were taken from these positions of their splits."""
        return NearDuplicates(examined=held[self.examined], held=held[self.held], train=train[self.train], expected=self.expected)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """Pairs of a held-out and a training row that disagree in few columns.

    Args:
        held, train: Positions `(pairs,)`.
        differ: In which columns they disagree, bool `(pairs, columns)`.
        traces: Whether some column agrees without being equal, bool `(pairs,)`.
    """

    held: np.ndarray
    train: np.ndarray
    differ: np.ndarray
    traces: np.ndarray

    @cached_property
    def distance(self) -> np.ndarray:
        """In how many columns each pair disagrees `(pairs,)`."""
        return np.asarray(self.differ.sum(axis=1))


def near_rows(known: pd.DataFrame, seen: pd.DataFrame, generator: np.random.Generator) -> NearDuplicates:
    """Find held-out rows that are near-duplicates of training rows; rows equal to a training row are none.

    Args:
        known, seen: Features of the training and the held-out rows: floats, or texts for categories.
        generator: Draws the held-out rows that are compared, where there are many.
    """
    names = sorted(known.columns, key=lambda name: -known[name].nunique())[:MOST_COLUMNS]
    known, seen = known[names], seen[names]
    most = max(PILOT, int(CELLS / (len(known) * len(names) * len(WIDTHS))))
    drawn = generator.permutation(len(seen))
    examined = drawn[:most]
    exact = _exact(known, seen)
    unequal = ~np.isin(_row_hashes(exact[1]), _row_hashes(exact[0]))
    natural = _odds(exact[0])
    partner = np.full(len(seen), -1)
    expected = 0.0
    for width in WIDTHS:
        codes = _codes(known, seen, width)
        examined = _affordable(codes, examined, unequal)
        pairs = _pairs(codes, exact, examined[unequal[examined]])
        odds = _odds(codes[0])
        chosen, bound = _near(pairs, (odds, np.maximum(0.0, odds - natural)), len(seen), len(examined))
        expected = max(expected, bound) if chosen.any() else expected
        order = np.argsort(-pairs.distance[chosen], kind="stable")
        partner[pairs.held[chosen][order]] = pairs.train[chosen][order]
    partner[np.setdiff1d(np.arange(len(seen)), examined)] = -1
    looked, held, train = near_numbers(known, seen, drawn[unequal[drawn]])
    partner[held] = np.where(partner[held] >= 0, partner[held], train)
    examined = np.union1d(examined, looked)
    found = np.flatnonzero(partner >= 0)
    if len(found) < LEAST:
        return NearDuplicates(examined=np.sort(examined))
    return NearDuplicates(examined=np.sort(examined), held=found, train=partner[found], expected=expected)


def _row_hashes(values: np.ndarray) -> np.ndarray:
    """Return a number for each different row of `(columns, n)` integers, `(n,)`."""
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(values.T), index=False).to_numpy())


def _exact(known: pd.DataFrame, seen: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each different value, integers `(columns, n)` and `(columns, m)`."""
    joint = np.array([pd.factorize(pd.concat([known[name], seen[name]]))[0] for name in known], dtype=np.int32)
    return joint[:, : len(known)], joint[:, len(known) :]


def _codes(known: pd.DataFrame, seen: pd.DataFrame, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each category and each bin of a number, integers `(columns, n)` and `(columns, m)`."""
    rows = []
    for name in known:
        column = pd.concat([known[name], seen[name]], ignore_index=True)
        if pd.api.types.is_float_dtype(column):
            low, middle, high = known[name].quantile([0.25, 0.5, 0.75])
            spreads = [s for s in (high - low, known[name].std()) if np.isfinite(s) and s > 0]
            unit = width * min(spreads, default=1.0)
            bins = np.round((_on_levels(column.to_numpy(dtype=float), known[name], unit) - middle) / unit)
            rows.append(np.nan_to_num(bins.clip(-(2.0**30), 2.0**30), nan=-(2.0**31)).astype(np.int32))
        else:
            rows.append(pd.factorize(column)[0].astype(np.int32))
    joint = np.array(rows)
    return joint[:, : len(known)], joint[:, len(known) :]


def _on_levels(values: np.ndarray, known: pd.Series, within: float) -> np.ndarray:
    """Return numbers with those near to a value that recurs in its place, where values that recur lie apart.

    A trace of noise would else put a number of few values into the next bin.
    """
    counts = known.value_counts()
    levels = np.sort(counts.index[counts > 1].to_numpy(dtype=float))
    if not len(levels) or len(levels) > MOST_LEVELS or (len(levels) > 1 and np.diff(levels).min() <= 2 * within):
        return values
    after = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(values - levels[before]) <= np.abs(values - levels[after]), levels[before], levels[after])
    return np.where(np.abs(values - nearest) <= within, nearest, values)


def _affordable(codes: tuple[np.ndarray, np.ndarray], examined: np.ndarray, unequal: np.ndarray) -> np.ndarray:
    """Return as many of the rows as do not have too many near pairs together."""
    pilot = examined[:PILOT]
    each = len(_near_positions(codes, pilot[unequal[pilot]])[0]) / max(1, len(pilot))
    return examined if each * len(examined) <= PAIRS else examined[: max(PILOT // 2, int(PAIRS / each))]


def _near_positions(codes: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of these held-out rows and any training rows that disagree in few columns."""
    learnt, judged = codes
    farthest, size = min(FARTHEST, len(learnt) - 1), max(1, 2_000_000 // learnt.shape[1])
    held, train = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        distance = np.zeros((len(part), learnt.shape[1]), dtype=np.uint8)
        for mine, theirs in zip(learnt, judged, strict=True):
            distance += mine[None] != theirs[part][:, None]
        i, j = np.nonzero(distance <= farthest)
        held.append(part[i])
        train.append(j)
    return np.concatenate(held), np.concatenate(train)


def _odds(codes: np.ndarray) -> np.ndarray:
    """Return the odds that two rows agree in each column `(columns,)`."""
    shares = [np.unique(column, return_counts=True)[1] / len(column) for column in codes]
    agree = np.array([float(np.square(share).sum()) for share in shares])
    return np.asarray(agree / np.maximum(1 - agree, 1 / codes.shape[1]))


def _pairs(codes: tuple[np.ndarray, np.ndarray], exact: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> Pairs:
    held, train = _near_positions(codes, rows)
    differ = (codes[0][:, train] != codes[1][:, held]).T
    unequal = (exact[0][:, train] != exact[1][:, held]).T
    return Pairs(held=held, train=train, differ=differ, traces=(unequal & ~differ).any(axis=1))


def _near(pairs: Pairs, odds: tuple[np.ndarray, np.ndarray], rows: int, examined: int) -> tuple[np.ndarray, float]:
    """Return which pairs are near-duplicates, bool `(pairs,)`, and how many rows would be so by nature.

    Rows with one changed cell are looked for among all pairs and among the pairs that agree in one column, for each column: those
    that agree in a column of many values agree in all the others rarely.

    Args:
        pairs: Pairs that disagree in few columns.
        odds: How often any two rows agree in each column, and agree without being equal, against how often they do not; each
            `(columns,)`.
        rows: How many held-out rows there are.
        examined: How many of them were compared.
    """
    distance, columns = pairs.distance, pairs.differ.shape[1]
    chosen, expected = np.zeros(len(distance), dtype=bool), 0.0
    if not len(distance):
        return chosen, expected
    counts = _counts(pairs.held, distance, rows)
    single = pairs.differ[distance == 1].sum(axis=0)
    natural = max(_traced(pairs, odds) * _bound(counts[1:]), float(single @ odds[1]))
    if _stands_out(counts[0], natural, ALPHA):
        chosen |= distance == 0
        expected += natural
    usual = _one_varies(pairs, examined)
    for column in (None, *range(columns)) if columns > FARTHEST else ():
        agree = ~usual if column is None else ~usual & ~pairs.differ[:, column]
        counts = _counts(pairs.held[agree], distance[agree], rows)
        natural = _bound(counts[2:])
        if column is not None:
            natural = max(natural, odds[0][column] * float((pairs.differ[:, column] & (distance == 2)).sum()))
        if _stands_out(counts[1], natural, ALPHA / (columns + 1)):
            chosen |= agree & (distance == 1)
            expected = max(expected, natural)
    return chosen, expected


def _traced(pairs: Pairs, odds: tuple[np.ndarray, np.ndarray]) -> float:
    """Return about which share of the pairs that agree in every column do so without being equal, by nature.

    That is twice the share among pairs that disagree in one column, of rows that have no pair of the first kind; where there are
    none, the largest share that agrees without being equal in any one column.
    """
    agreeing = np.isin(pairs.held, pairs.held[pairs.distance == 0])
    beside = pairs.traces[(pairs.distance == 1) & ~agreeing]
    return min(1.0, 2 * float(beside.mean()) if len(beside) else float((odds[1] / np.maximum(odds[0], 1e-12)).max()))


def _one_varies(pairs: Pairs, examined: int) -> np.ndarray:
    """Return which pairs disagree in one column that alone varies within what many rows belong to, bool `(pairs,)`."""
    single = pairs.distance == 1
    usual = np.zeros(len(single), dtype=bool)
    for column in range(pairs.differ.shape[1]):
        mine = single & pairs.differ[:, column]
        if len(np.unique(pairs.held[mine])) > VARIES * examined:
            usual |= mine
    return usual


def _counts(held: np.ndarray, distance: np.ndarray, rows: int) -> np.ndarray:
    """Return how many held-out rows have a pair at each distance, from 0 on."""
    there = np.zeros((rows, FARTHEST + 2), dtype=bool)
    there[held, distance] = True
    return np.asarray(there.sum(axis=0))


def _bound(farther: np.ndarray) -> float:
    """Return how many rows may have a pair at a distance, from how many have one at the next two: counts are log-concave."""
    one, two = farther[:2] + START
    return float(one**2 / two)


def _stands_out(count: int, natural: float, alpha: float) -> bool:
    return bool(count >= LEAST and count > TIMES * natural and poisson.sf(count - 1, natural) < alpha)

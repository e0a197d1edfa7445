"""A number that is the answer itself under noise: a score of the class, or the value to predict in a part of the rows.

As among categories (`blurred_leakage`), a copy goes with the other columns only by way of the answer. A cause that is no copy
goes with them in another way: with what it depends on, or, being independent of them, not at all over all rows and against them
among rows of one answer. Where the other columns tell too little of the answer, the two cannot be told apart, and nothing is
said. Nor is it where most columns look like copies: effects of the answer do as well.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassbench_audits.data.blurred_leakage import FEWEST, FOLDS, MOST_COLUMNS, ROWS, inputs_of

TELLS = 0.3
"""Correlation of a number's ranks with what the answer lets expect, from which it is looked at."""

SILENT = 0.1
"""End of the one-sided 95 % interval of the correlation with which other columns tell what the answer leaves open of the number,
below which nothing else tells it."""

APART = 0.5
"""Share of the correlation with the other columns that a copy would have, by which the number's may surely be off at most."""

USUAL = 0.5
"""Share of the strongest numbers beyond which looking like a copy is nothing unusual: all of them are effects of the answer, such
as signs of a disease, and none is said to be one."""

MOST_BINS, IN_EACH, DISTINCT = 50, 20, 13
"""Bins of a value to predict, rows in each at least, and values of a number that is looked at."""

_Z = 1.645


@dataclass(frozen=True, kw_only=True)
class Blurred:
    """A number that looks like the answer under noise.

    Args:
        name: The column.
        strength: Correlation of its ranks with what the answer lets expect.
    """

    name: str
    strength: float


def blurred_numbers(
    columns: pd.DataFrame, answer: np.ndarray, apart: Collection[str], generator: np.random.Generator
) -> list[Blurred]:
    """Return the numbers that look like the answer under noise.

    Args:
        columns: Named features: floats, or texts for categories.
        answer: Classes, integers `(n,)`, -1 where they are not known; or values, floats `(n,)`.
        apart: Columns that are suspected already; they are no evidence.
        generator: Draws the rows that are looked at, where there are many.
    """
    known = np.isfinite(answer) if answer.dtype.kind == "f" else answer >= 0
    rows = generator.permutation(np.flatnonzero(known))[:ROWS]
    if len(rows) < FEWEST:
        return []
    part, values = columns.iloc[rows].reset_index(drop=True), answer[rows]
    told = sorted(_told(part, values, apart), key=lambda one: -one.strength)[:MOST_COLUMNS]
    found: list[Blurred] = [
        one for one in told if _is_copy(part.drop(columns=[one.name, *(n for n in part if str(n) in apart)]), one, values)
    ]
    return found if len(found) <= max(1, len(told) * USUAL) else []


@dataclass(frozen=True, eq=False, kw_only=True)
class _Told(Blurred):
    """A number with its ranks, and what the answer lets expect of them `(n,)`; rows without a number are left out by `there`."""

    there: np.ndarray
    ranks: np.ndarray
    expected: np.ndarray


def _told(columns: pd.DataFrame, answer: np.ndarray, apart: Collection[str]) -> Iterator[_Told]:
    codes = _codes(answer)
    for name in columns:
        column = columns[name]
        if str(name) in apart or not pd.api.types.is_float_dtype(column) or column.nunique() < DISTINCT:
            continue
        there = column.notna().to_numpy()
        if there.sum() < FEWEST:
            continue
        ranks, own = rankdata(column[there]) / there.sum(), codes[there]
        counts = np.maximum(np.bincount(own), 1)
        expected = (np.bincount(own, weights=ranks) / counts)[own]
        strength = _correlation(ranks, expected)
        if strength >= TELLS:
            yield _Told(name=str(name), strength=strength, there=there, ranks=ranks, expected=expected)


def _codes(answer: np.ndarray) -> np.ndarray:
    """Return classes as they are, values as bins of equal mass `(n,)`."""
    if answer.dtype.kind != "f":
        return np.asarray(np.unique(answer, return_inverse=True)[1])
    bins = int(np.clip(len(answer) // IN_EACH, 2, MOST_BINS))
    edges = np.unique(np.quantile(answer, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, answer, side="right")


def _is_copy(others: pd.DataFrame, one: _Told, answer: np.ndarray) -> bool:
    """Whether a number goes with other columns by way of the answer alone, as surely as its rows can say."""
    inputs = inputs_of(others)[one.there]
    if not inputs.shape[1]:
        return False
    left, n = one.ranks - one.expected, len(one.ranks)
    stated = max(_predicted(inputs, one.expected), key=lambda stated: _correlation(stated, one.expected))
    by_the_answer = one.strength * _correlation(stated, one.expected)
    part = float(left.std() / one.ranks.std())
    if (abs(_correlation(left, stated)) + _Z / float(np.sqrt(n))) * part >= APART * by_the_answer:
        return False
    beside = np.column_stack([inputs, answer[one.there].astype(float)])
    beyond = max(_correlation(told, left) for told in _predicted(beside, left))
    return beyond + _Z / float(np.sqrt(n)) < SILENT


def _predicted(inputs: np.ndarray, wanted: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a number as a line and as trees predict it that did not see the row `(n,)`."""
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    line = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 6)))
    trees = HistGradientBoostingRegressor(max_iter=40, max_leaf_nodes=8, random_state=0, early_stopping=False)
    for model in (line, trees):
        yield np.asarray(cross_val_predict(model, inputs, wanted, cv=folds))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return a correlation, 0 where either does not vary."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0

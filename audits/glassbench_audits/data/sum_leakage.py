"""Numbers that give a value away by their sum, difference, product or ratio, where none of them does alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from glassbench_audits.data.pair_leakage import MOST_COLUMNS

SURE = 0.995
"""Share of the variance, of training and of held-out rows, that two numbers must explain: strong honest ones may come near 1."""

EXACT = 1e-6
"""Share of the variance that three or more numbers which make up the value leave open at most."""

PRESENT = 0.8
"""Share of the training rows in which a number must be there; rows that lack one of those looked at are left out."""

TRIED, LEAST = 5, 1e-6
"""Pairs that are fitted, the best by their correlations, and what neither of a pair may leave open of the other."""

_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Numbers that give a value away together.

    Args:
        columns: The numbers.
        how: What is made of them: "sum" or "product", each with weights or powers of any sign.
        share: Share of the variance of held-out rows that they explain.
        n: Held-out rows that have them.
    """

    columns: tuple[str, ...]
    how: str
    share: float
    n: int


def best_sum(known: pd.DataFrame, seen: pd.DataFrame, learnt: np.ndarray, truth: np.ndarray) -> Sum | None:
    """Return two numbers that nearly give a value, or more that give it exactly; None where there are none.

    Numbers, weights and whether they are added or multiplied are chosen by the training rows alone.

    Args:
        known, seen: Named features of training and held-out rows, without those that give the value alone.
        learnt, truth: Their values.
    """
    numbers = [n for n in known if pd.api.types.is_float_dtype(known[n]) and known[n].notna().mean() >= PRESENT]
    numbers = [n for n in numbers if known[n].nunique() > 2][:MOST_COLUMNS]
    plain = known[numbers].head(_ROWS), seen[numbers], learnt[:_ROWS].astype(float), truth.astype(float)
    found = [one for scaled in (_added(*plain), _multiplied(*plain)) if scaled is not None for one in _sums(scaled)]
    return min(found, key=lambda one: (len(one.columns), -one.share), default=None)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Scaled:
    """Numbers and values on the scale on which they are added up."""

    how: str
    names: tuple[str, ...]
    known: np.ndarray
    seen: np.ndarray
    learnt: np.ndarray
    truth: np.ndarray


def _added(known: pd.DataFrame, seen: pd.DataFrame, learnt: np.ndarray, truth: np.ndarray) -> _Scaled:
    names = tuple(map(str, known))
    return _Scaled(how="sum", names=names, known=known.to_numpy(float), seen=seen.to_numpy(float), learnt=learnt, truth=truth)


def _multiplied(known: pd.DataFrame, seen: pd.DataFrame, learnt: np.ndarray, truth: np.ndarray) -> _Scaled | None:
    """Return logarithms of what is positive everywhere; None where the values to predict are not."""
    if min(learnt.min(), truth.min()) <= 0:
        return None
    positive = [name for name in known if known[name].min() > 0 and not seen[name].min() <= 0]
    logs = [np.log(part[positive].to_numpy(float)) for part in (known, seen)]
    names = tuple(map(str, positive))
    return _Scaled(how="product", names=names, known=logs[0], seen=logs[1], learnt=np.log(learnt), truth=np.log(truth))


def _sums(scaled: _Scaled) -> Iterator[Sum]:
    pairs = sorted(_shares(scaled), reverse=True)[:TRIED]
    found = [one for _, pair in pairs if (one := _judged(scaled, pair, SURE)) is not None]
    if found:
        yield max(found, key=lambda one: one.share)
    elif len(scaled.names) > 2 and (one := _judged(scaled, tuple(range(len(scaled.names))), 1 - EXACT)) is not None:
        needed = _needed(scaled)
        if len(needed) > 2 and (least := _judged(scaled, needed, 1 - EXACT)) is not None:
            yield least


def _shares(scaled: _Scaled) -> Iterator[tuple[float, tuple[int, int]]]:
    """Yield the share of the variance that each pair explains, from correlations alone."""
    if len(scaled.names) < 2:
        return
    filled = np.where(np.isfinite(scaled.known), scaled.known, np.nanmean(scaled.known, axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.nan_to_num(np.corrcoef(np.column_stack([filled, scaled.learnt]), rowvar=False))
    for a, b in combinations(range(len(scaled.names)), 2):
        left = 1 - r[a, b] ** 2
        if left > LEAST:
            yield float((r[a, -1] ** 2 + r[b, -1] ** 2 - 2 * r[a, -1] * r[b, -1] * r[a, b]) / left), (a, b)


def _judged(scaled: _Scaled, columns: tuple[int, ...], asked: float) -> Sum | None:
    chosen = list(columns)
    there, here = (np.isfinite(part[:, chosen]).all(axis=1) for part in (scaled.known, scaled.seen))
    if there.mean() < PRESENT or not here.any():
        return None
    x, y = scaled.known[there][:, chosen], scaled.learnt[there]
    line = _line(x, y)
    if _explained(line, x, y) < asked:
        return None
    share = _explained(line, scaled.seen[here][:, chosen], scaled.truth[here])
    names = tuple(scaled.names[i] for i in columns)
    return Sum(columns=names, how=scaled.how, share=share, n=int(here.sum())) if share >= asked else None


def _needed(scaled: _Scaled) -> tuple[int, ...]:
    """Return the numbers that are left once each is dropped without which the others are still exact."""
    there = np.isfinite(scaled.known).all(axis=1)
    x, y, chosen = scaled.known[there], scaled.learnt[there], list(range(len(scaled.names)))
    for one in list(chosen):
        rest = [i for i in chosen if i != one]
        if _explained(_line(x[:, rest], y), x[:, rest], y) >= 1 - EXACT:
            chosen = rest
    return tuple(chosen)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return middles, weights and height of the plane through points."""
    middle = x.mean(axis=0)
    return middle, np.linalg.lstsq(x - middle, y - y.mean(), rcond=None)[0], float(y.mean())


def _explained(line: tuple[np.ndarray, np.ndarray, float], x: np.ndarray, y: np.ndarray) -> float:
    middle, weights, height = line
    total = float(np.square(y - y.mean()).sum())
    return 1 - float(np.square(y - height - (x - middle) @ weights).sum()) / total if total > 0 else 0.0

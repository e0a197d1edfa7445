"""How far the ratio between groups in one run lies above that in another, whichever groups are farthest apart."""

import math
from dataclasses import dataclass

import numpy as np

from glassbench.stats.contrast import Contrast, upper_quantile, upper_tail
from glassbench.stats.group_numbers import GroupNumbers

_CHOSEN = 60
"""The most pairs of groups per run that a bound is looked for among."""

_PSEUDO = 3.84
"""Rows that are right in one sample alone, which a share's variance allows for beyond those seen: the square of 1.96."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pairs:
    """Every ordered pair of groups: how far apart they are, the same in each resample, and what rare events add."""

    value: np.ndarray
    draws: np.ndarray
    rare: np.ndarray


def ratio_contrast(first: GroupNumbers, second: GroupNumbers, *, units: int, df: float, same_rows: bool) -> Contrast | None:
    """Return how far the second ratio lies above the first; None where either has no two groups to compare.

    A ratio between groups is the smallest over pairs of groups. Which pair that is in fact is not known. The difference of two
    such ratios is the largest, over pairs of the second run, of the smallest difference, over pairs of the first, from one to
    the other. Its upper end therefore holds against all pairs of the first run (Bonferroni), and for any pair of the second; its
    lower end likewise the other way round. Either is valid whichever pairs are the widest in fact. Resamples alone do not say
    how far chance moves a ratio: where no row of a group is a hit, none of them moves.

    Args:
        first, second: The numbers of the groups in either run.
        units: Independent rows or clusters that were resampled.
        df: Degrees of freedom of the standard errors.
        same_rows: Whether a resample drew the same rows in both runs; otherwise they vary independently.
    """
    a, b = _pairs(first), _pairs(second)
    if a is None or b is None:
        return None
    value = float(b.value.max() - a.value.max())
    most = 1.0 if np.isfinite([*first.n, *second.n]).all() else math.inf
    scale = math.sqrt(units / max(units - 1, 1))
    top_a, top_b = (np.argsort(-pairs.value)[:_CHOSEN] for pairs in (a, b))
    low_gain, low_error = _against(b, a, top_b, slice(None), scale, same_rows)
    high_gain, high_error = _against(b, a, slice(None), top_a, scale, same_rows)

    def limits(level: float) -> tuple[float, float]:
        miss = (1 - level) / 2
        below, above = (upper_quantile(miss / len(pairs.value), df) for pairs in (b, a))
        low = float((low_gain - below * low_error).max(axis=0).min())
        high = float((high_gain + above * high_error).min(axis=1).max())
        low, high = max(min(low, value), -most), min(max(high, value), most)
        return -high, -low

    rise, fall = _ratio(low_gain, low_error).max(axis=0).min(), _ratio(-high_gain, high_error).max(axis=1).min()
    tails = (len(b.value) * upper_tail(float(rise), df), len(a.value) * upper_tail(float(fall), df))
    return Contrast(value=-value, p=min(1.0, 2 * min(tails)), limits=limits, n=units)


def _pairs(numbers: GroupNumbers) -> _Pairs | None:
    """Return every ordered pair of groups of one metric whose denominator is above 0, ratios turned about."""
    top, bottom = numbers.pairs()
    divides = numbers.value[bottom] > 0
    top, bottom = top[divides], bottom[divides]
    if not len(top):
        return None
    value, draws, share = numbers.value, numbers.draws, _PSEUDO / 2 / np.square(numbers.n)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients, ratio = draws[:, top] / draws[:, bottom], value[top] / value[bottom]
    rare = (share[top] + np.square(ratio) * share[bottom]) / np.square(value[bottom])
    return _Pairs(value=-ratio, draws=-np.where(np.isfinite(quotients), quotients, np.nan), rare=rare)


def _against(
    b: _Pairs, a: _Pairs, of_b: np.ndarray | slice, of_a: np.ndarray | slice, scale: float, same_rows: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far pairs of the second run lie above pairs of the first, and the standard errors, each `(b, a)`."""
    gain = b.value[of_b][:, None] - a.value[of_a][None, :]
    theirs, ours = (_centred(pairs.draws[:, chosen]) for pairs, chosen in ((b, of_b), (a, of_a)))
    variance = np.square(theirs).mean(axis=0)[:, None] + np.square(ours).mean(axis=0)[None, :]
    if same_rows:
        variance = variance - 2 * theirs.T @ ours / len(theirs)
    variance = np.maximum(variance, 0) * scale**2 + b.rare[of_b][:, None] + a.rare[of_a][None, :]
    return gain, np.sqrt(variance)


def _centred(draws: np.ndarray) -> np.ndarray:
    return np.asarray(np.nan_to_num(draws - np.nanmean(draws, axis=0)))


def _ratio(gain: np.ndarray, error: np.ndarray) -> np.ndarray:
    sure = np.where(gain > 0, np.inf, np.where(gain < 0, -np.inf, 0.0))
    return np.asarray(np.divide(gain, error, out=sure, where=error > 1e-12))

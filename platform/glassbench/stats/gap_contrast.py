"""How far the gap between groups in one run lies above the gap in another, whichever groups are farthest apart."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from glassbench.stats.contrast import Contrast, upper_quantile
from glassbench.stats.group_numbers import GapKind, GroupNumbers
from glassbench.stats.ratio_contrast import ratio_contrast

_CHOSEN = 60
"""The most pairs of groups per run that may be the widest."""

_PSEUDO = 1.0
"""Rows that are right in one sample alone, which a share's variance allows for beyond those seen (Agresti and Min 2005)."""

_LEAST = 0.01
"""The smallest share of resamples that is read off them; what lies beyond follows the tail of a normal variable."""

_SMALLEST, _HALVINGS = 1e-12, 50
"""The smallest p-value that is told apart from none, and how often the search for one halves its range."""

_SEED = 20261130


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pairs:
    """Ordered pairs of groups: how far apart they are `(k,)`, and how resamples move each `(b, k)`; widest first."""

    value: np.ndarray
    moved: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class _Error:
    """How far chance moves a number, from resamples `(b,)` and the degrees of freedom of their spread."""

    draws: np.ndarray
    df: float

    def quantile(self, miss: float) -> float:
        """Return what chance exceeds in a share `miss` of samples, less than one half."""
        read, middle = max(miss, _LEAST), float(np.median(self.draws))
        far = float(np.quantile(self.draws, 1 - read)) - middle
        return middle + far * upper_quantile(miss, self.df) / float(-ndtri(read))

    def beyond(self, value: float) -> float:
        """Return in what share of samples chance exceeds a number; 1 where in half of them or more."""
        if value <= np.median(self.draws):
            return 1.0
        low, high = _SMALLEST, 0.5
        for _ in range(_HALVINGS):
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self.quantile(middle) < value else (middle, high)
        return high


def gap_contrast(
    first: GroupNumbers, second: GroupNumbers, kind: GapKind, *, units: int, df: float, same_rows: bool
) -> Contrast | None:
    """Return how far the second gap lies above the first; None where either has no two groups to compare.

    A gap is the largest difference, or the smallest ratio, over pairs of groups. Which pair that is in fact is not known, so the
    widest one seen overstates a gap near nothing. Ratios have bounds of their own (`ratio_contrast`). Of differences, resamples
    say how far chance moves the gap: a pair that may be the widest in fact counts as if it were (Fang and Santos 2019) wherever
    that moves an end of the interval outwards, and as it was seen elsewhere. Those may be that a test at the level .1 / log n
    leaves (Chernozhukov, Lee and Rosen 2013).

    Args:
        first, second: The numbers of the groups in either run.
        kind: What the gap is.
        units: Independent rows or clusters that were resampled.
        df: Degrees of freedom of the standard errors.
        same_rows: Whether a resample drew the same rows in both runs; otherwise they vary independently.
    """
    if kind == "ratio":
        return ratio_contrast(first, second, units=units, df=df, same_rows=same_rows)
    generator = np.random.default_rng(_SEED)
    pseudo = _PSEUDO / 2 if same_rows else _PSEUDO
    found = [_pairs(numbers, pseudo, units, generator) for numbers in (first, second)]
    a, b = found
    if a is None or b is None:
        return None
    if not same_rows:  # resamples of equal seed draw alike
        b = _Pairs(value=b.value, moved=b.moved[generator.permutation(len(b.moved))])
    value = float(b.value[0] - a.value[0])
    above = _Error(draws=_widest(b, units) - _seen(a), df=df)
    below = _Error(draws=_widest(a, units) - _seen(b), df=df)
    most = 1.0 if np.isfinite([*first.n, *second.n]).all() else math.inf

    def limits(level: float) -> tuple[float, float]:
        miss = (1 - level) / 2
        low = max(min(value - above.quantile(miss), value), -most)
        high = min(max(value + below.quantile(miss), value), most)
        return low, high

    facing = above.beyond(value) if value > 0 else below.beyond(-value)
    return Contrast(value=value, p=1.0 if value == 0 else min(1.0, 2 * facing), limits=limits, n=units)


def _pairs(numbers: GroupNumbers, pseudo: float, units: int, generator: np.random.Generator) -> _Pairs | None:
    """Return ordered pairs of groups of one metric."""
    top, bottom = numbers.pairs()
    if not len(top):
        return None
    value = numbers.value
    draws = value + (numbers.draws - np.nanmean(numbers.draws, axis=0)) * _scale(units)
    draws = draws + generator.normal(size=draws.shape) * math.sqrt(pseudo) / numbers.n
    each, drawn = value[top] - value[bottom], draws[:, top] - draws[:, bottom]
    order = np.argsort(-each, kind="stable")[:_CHOSEN]
    return _Pairs(value=each[order], moved=np.nan_to_num(drawn[:, order] - each[order], nan=0.0))


def _scale(units: int) -> float:
    return math.sqrt(units / max(units - 1, 1))


def _widest(pairs: _Pairs, units: int) -> np.ndarray:
    """Return how far chance moves the widest pair `(b,)`, where every pair that may be the widest is."""
    apart, alpha = (pairs.moved - pairs.moved[:, :1]).std(axis=0), 0.1 / math.log(max(units, 3))
    near = pairs.value[0] - pairs.value <= float(-ndtri(alpha / len(pairs.value))) * apart
    return np.asarray(pairs.moved[:, near].max(axis=1))


def _seen(pairs: _Pairs) -> np.ndarray:
    """Return how far chance moves the widest pair `(b,)`, where pairs lie apart as they were seen to."""
    return np.asarray((pairs.moved + (pairs.value - pairs.value[0])).max(axis=1))

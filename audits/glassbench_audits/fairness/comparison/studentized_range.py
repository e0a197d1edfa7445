"""The distance between the largest and the smallest of several normal numbers around one mean: its distribution."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.special import ndtr

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(14)
_REACH, _STEP = 8.0, 0.4
"""Standard deviations beyond which nothing is looked for; steps in the narrowest spread, far finer than its bell needs."""
WIDEST_RATIO = 50
"""How many times the narrowest spread the widest may be: beyond, there would be too many steps."""


class Normals:
    """Independent normal numbers around one mean, and the span between the largest and the smallest of them.

    Args:
        spread: The standard deviations of the numbers `(k,)`, all above 0.
    """

    def __init__(self, spread: np.ndarray) -> None:
        self._spread = spread[:, None]
        self._step = _STEP * float(spread.min())
        self._side = int(np.ceil(_REACH * float(spread.max()) / self._step))
        self._places = self._step * np.arange(-self._side, self._side + 1)  # from far below 0 to far above it
        self._scaled = self._places / self._spread
        self._below = ndtr(self._scaled)

    @property
    def reach(self) -> float:
        """The width that the span is never beyond."""
        return _REACH * float(self._spread.max())

    @cached_property
    def mean(self) -> float:
        """The mean span: twice that of the largest, the chance to lie above each place right of 0 less that to lie below its
        mirror."""
        left, right = self._below[:, self._side :: -1], self._below[:, self._side :]
        inside = 1 - right.prod(axis=0) - left.prod(axis=0)
        return 2 * float(self._step * (inside.sum() - inside[0] / 2))

    def within(self, widths: np.ndarray) -> np.ndarray:
        """Return the probability that all numbers lie within each width `(w,)`.

        Integrated over the lowest number: each in turn is lowest, the others lie above it by no more than the width.
        """
        between = ndtr((self._places + widths[:, None, None]) / self._spread) - self._below
        turns = np.divide(self._density, between, out=np.zeros(between.shape), where=between > 1e-300).sum(axis=1)
        return np.asarray(self._step * (turns * between.prod(axis=1)).sum(axis=1))

    @cached_property
    def _density(self) -> np.ndarray:
        return np.asarray(np.exp(-0.5 * self._scaled**2) / (self._spread * (2 * np.pi) ** 0.5))


def span_beyond(spans: Sequence[Normals], gap: float) -> float:
    """Return the probability that the widest of several independent spans is as wide as `gap` or wider.

    Args:
        spans: The numbers whose spans these are.
        gap: The width asked for.

    Example:
        >>> round(span_beyond([Normals(np.ones(2))], 1.96 * 2**0.5), 3)
        0.05
    """
    within = [float(each.within(np.array([gap]))[0]) for each in spans]
    return float(np.clip(1 - np.prod(within), 0, 1))


def mean_span(spans: Sequence[Normals]) -> float:
    """Return the mean of the widest of several independent spans.

    Args:
        spans: The numbers whose spans these are.

    Example:
        >>> round(mean_span([Normals(np.ones(3))]), 3)  # Tippett (1925): 1.693 for three
        1.693
    """
    if len(spans) == 1:
        return spans[0].mean
    top = max(each.reach for each in spans)
    widths, weights = top * (_NODES + 1) / 2, top * _WEIGHTS / 2
    within = np.prod([each.within(widths) for each in spans], axis=0)
    return float(weights @ (1 - within))

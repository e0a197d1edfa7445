"""The distance between the largest and the smallest of several normal numbers around one mean: its distribution."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(14)
_REACH, _STEP = 8.0, 0.4
"""Standard deviations beyond which nothing is looked for; steps in the narrowest spread, far finer than its bell needs."""
WIDEST_RATIO = 50
"""How many times the narrowest spread the widest may be: beyond, there would be too many steps."""


def span_beyond(spreads: Sequence[np.ndarray], gap: float) -> float:
    """Return the probability that the widest of several independent spans is as wide as `gap` or wider.

    Args:
        spreads: For each span, the standard deviations of its numbers `(k,)`, all above 0.
        gap: The width asked for.

    Example:
        >>> round(span_beyond([np.ones(2)], 1.96 * 2**0.5), 3)
        0.05
    """
    within = [float(_within(each, np.array([gap]))[0]) for each in spreads]
    return float(np.clip(1 - np.prod(within), 0, 1))


def mean_span(spreads: Sequence[np.ndarray]) -> float:
    """Return the mean of the widest of several independent spans.

    Args:
        spreads: For each span, the standard deviations of its numbers `(k,)`, all above 0.

    Example:
        >>> round(mean_span([np.ones(3)]), 3)  # Tippett (1925): 1.693 for three
        1.693
    """
    if len(spreads) == 1:
        return 2 * _mean_largest(spreads[0])
    top = _REACH * max(float(each.max()) for each in spreads)
    widths, weights = top * (_NODES + 1) / 2, top * _WEIGHTS / 2
    within = np.prod([_within(each, widths) for each in spreads], axis=0)
    return float(weights @ (1 - within))


def _mean_largest(spread: np.ndarray) -> float:
    """Return the mean of the largest: the chance to lie above each place right of 0, less that to lie below its mirror."""
    places, step = _places(spread)
    places = places[places >= 0]
    scaled = places / spread[:, None]
    inside = 1 - ndtr(scaled).prod(axis=0) - ndtr(-scaled).prod(axis=0)
    return float(step * (inside.sum() - inside[0] / 2))


def _within(spread: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the probability that all numbers lie within each width `(w,)`.

    Integrated over the lowest number: each in turn is lowest, the others lie above it by no more than the width.
    """
    lowest, step = _places(spread)
    scaled = lowest / spread[:, None]
    density = np.exp(-0.5 * scaled**2) / (spread[:, None] * (2 * np.pi) ** 0.5)
    between = ndtr((lowest + widths[:, None, None]) / spread[:, None]) - ndtr(scaled)
    turns = np.divide(density, between, out=np.zeros(between.shape), where=between > 1e-300).sum(axis=1)
    return np.asarray(step * (turns * between.prod(axis=1)).sum(axis=1))


def _places(spread: np.ndarray) -> tuple[np.ndarray, float]:
    """Return places from far below 0 to far above it, 0 among them, and the step between them."""
    step = _STEP * float(spread.min())
    side = int(np.ceil(_REACH * float(spread.max()) / step))
    return step * np.arange(-side, side + 1), step

"""How far generated points cover real ones, and keep to them: precision and recall, density and coverage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOURS = 5
"""Neighbours behind density and coverage (Naeem et al. 2020)."""
CLOSE_NEIGHBOURS = 3
"""Neighbours behind precision and recall (Kynkäänniemi et al. 2019)."""
_FEWEST = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Manifold:
    """Real and generated points held against each other; all NaN where either side has fewer than two points.

    Args:
        reach: Of each real point, the distance to the nearest generated one, in units of the distance to its fifth nearest real
            neighbour `(n,)`; a real point is covered where this is at most 1 (Naeem et al. 2020).
        recalled: Whether each real point lies within reach of a generated one, as far as the third nearest generated neighbour of
            that `(n,)`, 0 or 1 (Kynkäänniemi et al. 2019).
        density: Of how many real points' neighbourhoods each generated point lies in, over the number expected, `(m,)`.
        precise: Whether each generated point lies within reach of a real one, as far as that one's third neighbour `(m,)`.
    """

    reach: np.ndarray
    recalled: np.ndarray
    density: np.ndarray
    precise: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """Whether each real point is covered `(n,)`, 0 or 1; NaN where that is not known."""
        return np.where(np.isnan(self.reach), np.nan, (self.reach <= 1).astype(float))


def manifold(real: np.ndarray, made: np.ndarray) -> Manifold:
    """Hold generated points against real ones.

    Args:
        real: Real points, float `(n, d)`.
        made: Generated points, float `(m, d)`.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(40, 3))
        >>> manifold(points, points).covered.mean(), manifold(points, points + 100).covered.mean()
        (np.float64(1.0), np.float64(0.0))
    """
    n, m = len(real), len(made)
    if min(n, m) < _FEWEST:
        return _unknown(n, m)
    across = cdist(real, made)
    own, theirs = _sorted(real), _sorted(made)
    wide, close = (own[:, min(k, n - 1) - 1] for k in (NEIGHBOURS, CLOSE_NEIGHBOURS))
    made_close = theirs[:, min(CLOSE_NEIGHBOURS, m - 1) - 1]
    nearest = across.min(axis=1)
    return Manifold(
        reach=np.where(nearest == 0, 0.0, nearest / np.maximum(wide, 1e-300)),
        recalled=(across <= made_close[None, :]).any(axis=1).astype(float),
        density=(across <= wide[:, None]).sum(axis=0) / min(NEIGHBOURS, n - 1),
        precise=(across <= close[:, None]).any(axis=0).astype(float),
    )


def drawn_reach(real: np.ndarray, pool: np.ndarray, draws: Sequence[np.ndarray]) -> np.ndarray:
    """Return the coverage and the recall of real points by parts of a pool, each as `manifold` gives them, `(2, draws)`.

    Args:
        real: Real points, float `(n, d)`, two at least.
        pool: What is drawn from, float `(m, d)`.
        draws: Which points of the pool each draw holds, two at least.
    """
    wide = _sorted(real)[:, min(NEIGHBOURS, len(real) - 1) - 1]
    across, among = cdist(real, pool), cdist(pool, pool)
    found = []
    for rows in draws:
        place = min(CLOSE_NEIGHBOURS, len(rows) - 1)  # the nearest is the point itself
        reach = np.partition(among[np.ix_(rows, rows)], place, axis=1)[:, place]
        to_drawn = across[:, rows]
        found.append(((to_drawn.min(axis=1) <= wide).mean(), (to_drawn <= reach).any(axis=1).mean()))
    return np.array(found).T


def expected_coverage(real: int, made: int) -> float:
    """Return the coverage to expect where generated points follow the real ones' distribution (Naeem et al. 2020, lemma 2).

    Example:
        >>> round(expected_coverage(100, 100), 3)
        0.971
    """
    missed = 1.0
    for k in range(1, min(NEIGHBOURS, real - 1) + 1):
        missed *= (real - k) / (real + made - k)
    return 1 - missed


def _sorted(points: np.ndarray) -> np.ndarray:
    """Return each point's distances to all others, the nearest first, `(n, n - 1)`."""
    distances = cdist(points, points)
    np.fill_diagonal(distances, -1.0)
    return np.sort(distances, axis=1)[:, 1:]


def _unknown(n: int, m: int) -> Manifold:
    real, made = np.full(n, np.nan), np.full(m, np.nan)
    return Manifold(reach=real, recalled=real, density=made, precise=made)

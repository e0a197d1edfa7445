"""Whether training rows lack a variety that held-out rows have: a model cannot learn what it was not shown."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from glassbench.stats.p_values import holm

NEIGHBOURS, PERMUTATIONS = 5, 1999
"""Nearest neighbours that are asked, and shuffles."""


@dataclass(frozen=True, kw_only=True)
class Unlearnt:
    """The held-out rows of a class beside its training rows.

    Args:
        name: The class.
        n: Its held-out rows.
        found: Share of the nearest neighbours of held-out rows that are held-out rows too, among all rows of the class.
        expected: The same where both are drawn alike.
        p: Share of the shuffles that reach as much, corrected for all classes; NaN where there are too few rows.
    """

    name: str
    n: int
    found: float
    expected: float
    p: float

    @property
    def lack(self) -> float:
        """By how much more often than expected held-out rows have held-out neighbours, 0 to 1; 1 where they have no others."""
        return (self.found - self.expected) / (1 - self.expected)


def unlearnt(classes: dict[str, tuple[np.ndarray, np.ndarray]], fewest: int, chance: np.random.Generator) -> list[Unlearnt]:
    """Hold held-out rows against training rows, class by class, by their nearest neighbours among both.

    A permutation test (Schilling 1986, Multivariate two-sample tests based on nearest neighbors), asked of held-out rows alone:
    what training rows have and held-out rows lack shows only in that fewer training rows are left elsewhere.

    Args:
        classes: Features of held-out `(n, d)` and of training rows `(m, d)` by class.
        fewest: Held-out rows below which nothing is said.
        chance: Shuffles.
    """
    each = {name: _held_against(*rows, fewest, chance) for name, rows in classes.items()}
    corrected = holm(np.array([p for _, _, p in each.values()]))
    return [
        Unlearnt(name=name, n=len(classes[name][0]), found=found, expected=expected, p=float(p))
        for (name, (found, expected, _)), p in zip(each.items(), corrected, strict=True)
    ]


def _held_against(
    held_out: np.ndarray, training: np.ndarray, fewest: int, chance: np.random.Generator
) -> tuple[float, float, float]:
    n, rows = len(held_out), len(held_out) + len(training)
    count = min(NEIGHBOURS, rows - 1)
    if n < fewest or not len(training):
        return float("nan"), float("nan"), float("nan")
    near = _nearest(np.concatenate([held_out, training]), count)
    found = float((near[:n] < n).mean())
    drawn = np.empty(PERMUTATIONS)
    for number in range(PERMUTATIONS):
        chosen = np.zeros(rows, dtype=bool)
        chosen[chance.choice(rows, n, replace=False)] = True
        drawn[number] = chosen[near[chosen]].mean()
    p = (1 + (drawn >= found - 1e-9).sum()) / (1 + PERMUTATIONS)
    return found, (n - 1) / (rows - 1), float(p)


def _nearest(points: np.ndarray, count: int) -> np.ndarray:
    """Return the nearest other points of each, `(n, count)`."""
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    return np.argpartition(distances, count - 1, axis=1)[:, :count]

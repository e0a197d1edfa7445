"""Which units are known together: the coalitions that Shapley values are computed from, and how each counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np


@dataclass(frozen=True, eq=False)
class Coalitions:
    """Sets of units, neither empty nor whole, for weighted least squares.

    Args:
        known: Which units each holds, bool `(s, units)`.
        weights: How much each counts `(s,)`.
    """

    known: np.ndarray
    weights: np.ndarray


def drawn(units: int, samples: int, generator: np.random.Generator) -> Coalitions:
    """Return about `samples` coalitions under the kernel of Lundberg and Lee (2017): all there are, where that suffices.

    Each stands beside its complement, which takes the error of first order out of the estimate (Covert and Lee 2021,
    Improving KernelSHAP). Sizes are taken from the outside in, where the kernel is heaviest: a size that the budget covers is
    enumerated, the rest is drawn in proportion to the kernel.

    Args:
        units: How many units there are, two at least.
        samples: Model evaluations per row that may be spent.
        generator: Draws.
    """
    enumerated, left, mass = _enumerated(units, max(samples // 2, 1))
    known = [*enumerated]
    weights = [_mass(units, int(row.sum())) / comb(units, int(row.sum())) for row in enumerated]
    sizes = [size for size in range(1, units // 2 + 1) if not any(row.sum() == size for row in enumerated)]
    if sizes and left:
        share = np.array([_pair_mass(units, size) for size in sizes])
        for size in generator.choice(sizes, left, p=share / share.sum()):
            row = np.zeros(units, dtype=bool)
            row[generator.permutation(units)[: int(size)]] = True
            known.append(row)
            weights.append((1 - mass) / 2 / left)
    rows = np.array(known)
    return Coalitions(np.concatenate([rows, ~rows]), np.tile(np.array(weights), 2))


def _enumerated(units: int, budget: int) -> tuple[list[np.ndarray], int, float]:
    """Return one of each pair of the sizes that the budget of pairs covers, the budget left, and their share of the kernel."""
    rows: list[np.ndarray] = []
    covered = 0.0
    for size in range(1, units // 2 + 1):
        pairs, share = comb(units, size) // (2 if 2 * size == units else 1), _pair_mass(units, size)
        if pairs > (budget - len(rows)) * share / max(1 - covered, 1e-12) + 1e-9:
            break
        rows += _of_size(units, size, pairs)
        covered += share
    return rows, budget - len(rows), covered


def _of_size(units: int, size: int, pairs: int) -> Iterator[np.ndarray]:
    """Yield the sets of a size; of the middle size one of each pair, those that hold the first unit."""
    for place, members in enumerate(combinations(range(units), size)):
        if place == pairs:
            return
        row = np.zeros(units, dtype=bool)
        row[list(members)] = True
        yield row


@lru_cache(maxsize=4096)
def _mass(units: int, size: int) -> float:
    """Return the share of the kernel that falls on all sets of a size."""
    total = sum(1 / (k * (units - k)) for k in range(1, units))
    return 1 / (size * (units - size)) / total


def _pair_mass(units: int, size: int) -> float:
    """Return the share of the kernel that falls on all sets of a size and their complements."""
    return _mass(units, size) * (1 if 2 * size == units else 2)


@lru_cache(maxsize=8)
def all_sets(units: int) -> np.ndarray:
    """Return every set of units, the empty and the whole too, bool `(2 ** units, units)`; bit u of the index is unit u."""
    codes = np.arange(2**units)
    known: np.ndarray = (codes[:, None] >> np.arange(units) & 1).astype(bool)
    return known

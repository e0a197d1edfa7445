"""Whether rows come from the distribution of a reference sample, asked as often as one likes and without any assumption about it.

Cells are cut at order statistics of the reference. However the reference and the new rows are distributed, if they are
exchangeable the cells of the new rows follow a Pólya urn with the numbers of reference rows in each cell. The chance of any
sequence of cells is then known exactly, the uncertainty of the finite reference included. Ties are broken at random, which makes
discrete columns as exact as continuous ones. Against this urn, a Pólya tree bets that some split of the cells has other odds (the
two-sample test of Holmes, Caron, Griffin and Stephens 2015, "Two-sample Bayesian nonparametric hypothesis testing", made
sequential). The wealth is a non-negative martingale with mean 1, so it ever exceeds 1/alpha with a chance of at most alpha
(Ville 1939).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import betaln, logsumexp

_MOST_DEPTH = 4
_FIRMNESS = (4.0, 16.0, 64.0, 256.0, 1024.0)
"""How many rows' worth of the old odds a bet on other odds starts with."""
_LIKELY = (0.5, 0.35, 0.25, 0.2)
"""Prior weight of other odds at a split, by its depth in the tree."""

Value = float | str | None
"""A number, a text, or what is absent; absent values come first, then numbers, then texts."""


@dataclass(frozen=True, eq=False)
class RankCells:
    """Cells between order statistics of a reference sample.

    Args:
        edges: The order statistics, each with the number that breaks its ties, rising.
        reference: How many reference rows each cell counts `(c,)`, one more in all than there are rows.
    """

    edges: tuple[tuple[Value, float], ...]
    reference: tuple[int, ...]

    @classmethod
    def of(cls, values: Sequence[Value], generator: np.random.Generator, depth: int = _MOST_DEPTH) -> "RankCells":
        """Cut cells of nearly equal size.

        Args:
            values: The reference sample `(m,)`.
            generator: Breaks ties.
            depth: Cells are 2 to the power of it; fewer where there are not as many rows.
        """
        keyed = sorted(zip(values, generator.random(len(values)).tolist(), strict=True), key=_order)
        total = len(keyed) + 1
        cells = 2 ** min(depth, int(math.log2(total)))
        ranks = [round(place * total / cells) for place in range(cells + 1)]
        return cls(tuple(keyed[rank - 1] for rank in ranks[1:-1]), tuple(b - a for a, b in pairwise(ranks)))

    def count(self, values: Sequence[Value], generator: np.random.Generator) -> np.ndarray:
        """Return how many values lie in each cell `(c,)`; ties with an edge are broken by the generator."""
        edges = [_order(edge) for edge in self.edges]
        tied = {edge[0] for edge in self.edges}
        cells: dict[Value, int] = {}
        found = np.zeros(len(self.reference), dtype=np.int64)
        for value, tie in zip(values, generator.random(len(values)).tolist(), strict=True):
            cell = cells.get(value)
            if cell is None:
                cell = _place(edges, _order((value, tie)))
                if value not in tied:
                    cells[value] = cell
            found[cell] += 1
        return found

    def log_evidence(self, counts: np.ndarray) -> float:
        """Return the logarithm of the wealth against equal distributions; 0 is none, log(1/alpha) rejects at alpha.

        Args:
            counts: How many new rows lie in each cell `(c,)`.
        """
        return _tree(np.asarray(self.reference, dtype=float), np.asarray(counts, dtype=float), 0)

    def distance(self, counts: np.ndarray) -> float:
        """Return the greatest difference of the two distribution functions at the edges of cells, 0 to 1."""
        if not np.sum(counts):
            return 0.0
        known, seen = np.asarray(self.reference, dtype=float), np.asarray(counts, dtype=float)
        return float(np.abs(np.cumsum(seen / seen.sum()) - np.cumsum(known / known.sum())).max())

    def to_json(self) -> dict[str, Any]:
        """Return the cells as plain JSON values."""
        return {"edges": [list(edge) for edge in self.edges], "reference": list(self.reference)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "RankCells":
        """Rebuild cells from `to_json`."""
        edges = tuple((value, float(tie)) for value, tie in content["edges"])
        reference = tuple(int(count) for count in content["reference"])
        if len(reference) != len(edges) + 1 or min(reference) < 1:
            raise ValueError("cells and their edges do not fit")
        return cls(edges, reference)


def _order(keyed: tuple[Value, float]) -> tuple[int, float | str, float]:
    """Return what a value with its tie-breaking number is sorted by."""
    value, tie = keyed
    if value is None:
        return 0, 0.0, tie
    return (2, value, tie) if isinstance(value, str) else (1, value, tie)


def _place(edges: Sequence[Any], key: Any) -> int:
    """Return how many edges lie at or below a key."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if key < edges[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def _tree(known: np.ndarray, seen: np.ndarray, depth: int) -> float:
    """Return the logarithm of the wealth of all splits of these cells."""
    if len(known) == 1 or not seen.sum():
        return 0.0
    half = len(known) // 2
    own = _split(known[:half].sum(), known[half:].sum(), seen[:half].sum(), seen[half:].sum(), _LIKELY[depth])
    return own + _tree(known[:half], seen[:half], depth + 1) + _tree(known[half:], seen[half:], depth + 1)


def _split(a: float, b: float, left: float, right: float, likely: float) -> float:
    """Return the logarithm of the wealth of bets that a split has other odds than a : b, as far as a and b rows know them."""
    firm = np.array([firmness for firmness in _FIRMNESS if firmness < a + b])
    if not len(firm):
        return 0.0
    alike = betaln(left + a, right + b) - betaln(a, b)
    x, y = firm * a / (a + b), firm * b / (a + b)
    other = betaln(left + x, right + y) - betaln(x, y) - alike
    return float(logsumexp([np.log1p(-likely), *(other + np.log(likely / len(firm)))]))

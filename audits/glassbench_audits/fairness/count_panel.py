"""Rates per group from confusion counts."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from glassbench.intervals import Limits, wilson
from glassbench_audits.fairness.groups import Group
from glassbench_audits.fairness.panel import Panel
from glassbench_audits.fairness.rates import Line, share, shares

_BLOCK = 4_000_000
"""Cells drawn at a time."""


class CountPanel(Panel):
    """Rates from confusion counts, with Wilson's intervals; resampling draws each group's cells from a multinomial.

    Args:
        groups: The groups.
        counts: Rows by truth and decision `(groups, classes, classes)`.
        lines: What the counts yield, as `rates.lines` says for the same focus.
        focus: Positions of the classes whose rates are asked for.
        truth: Whether the truth is known; if not, counts hold each row under its decision.
        replicates: How many resamples.
        generator: Source of the resamples.
    """

    ratios = True

    def __init__(
        self,
        groups: tuple[Group, ...],
        counts: np.ndarray,
        lines: tuple[Line, ...],
        focus: Sequence[int],
        *,
        truth: bool,
        replicates: int,
        generator: np.random.Generator,
    ) -> None:
        self.groups, self.lines = groups, lines
        self.rows = counts.sum(axis=(1, 2))
        self.part, self.n = shares(counts, focus, truth=truth)
        self.value = share(self.part, self.n)
        self.draws = resample(counts, focus, replicates, generator, truth=truth)

    def limits(self, z: float) -> Limits:
        """Return the rates with Wilson's intervals."""
        return self.value, *wilson(self.part, self.n, _level(z))

    def overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the rates over all rows."""
        part, whole = self.part.sum(axis=1), self.n.sum(axis=1)
        return (share(part, whole), *wilson(part, whole, _level(z))), whole

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw the numerators from one rate shared by all groups, the denominators held fixed."""
        part, whole = self.part[list(which)], self.n[list(which)]
        shared = share(part.sum(axis=1), whole.sum(axis=1))[:, None]
        drawn = generator.binomial(whole, np.nan_to_num(shared), size=(replicates, *whole.shape))
        return share(drawn, np.broadcast_to(whole, drawn.shape))


def resample(
    counts: np.ndarray, focus: Sequence[int], replicates: int, generator: np.random.Generator, *, truth: bool = True
) -> np.ndarray:
    """Draw each group's confusion cells anew, its number of rows held fixed, and return the rates.

    Exact: resampling rows within a group moves its counts just so.

    Args:
        counts: Rows by truth and decision `(groups, classes, classes)`.
        focus: Positions of the classes whose rates are asked for.
        replicates: How many resamples.
        generator: Source of the resamples.
        truth: Whether the truth is known.

    Returns:
        Rates `(replicates, lines, groups)`, NaN where a resample has an empty denominator.
    """
    flat = counts.reshape(len(counts), -1)
    step = max(1, _BLOCK // (replicates * flat.shape[1]))
    blocks = []
    for start in range(0, len(flat), step):
        cells = flat[start : start + step]
        n = cells.sum(axis=1)
        drawn = generator.multinomial(n, cells / n[:, None], size=(replicates, len(cells)))
        part, whole = shares(drawn.reshape(replicates, len(cells), *counts.shape[1:]), focus, truth=truth)
        blocks.append(share(part, whole))
    return np.concatenate(blocks, axis=-1)


def _level(z: float) -> float:
    return 2 * float(ndtr(z)) - 1

"""A panel: what was measured per group, how sure it is, and how it would vary."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from glassbench.intervals import Limits, wilson
from glassbench_audits.fairness.groups import Group
from glassbench_audits.fairness.rates import Line, share, shares

_BLOCK = 4_000_000
"""Cells drawn at a time."""


class Panel(ABC):
    """Lines (numbers that every group has) over groups, from counts or from rows; what gaps are computed from.

    Args:
        groups: The groups, in order.
        rows: Rows of each group `(groups,)`.
        lines: What is measured, in order.
        value: The numbers `(lines, groups)`, NaN where undefined.
        n: What each number rests on, its denominator `(lines, groups)`.
        draws: Resampled numbers `(replicates, lines, groups)`.
    """

    groups: tuple[Group, ...]
    rows: np.ndarray
    lines: tuple[Line, ...]
    value: np.ndarray
    n: np.ndarray
    draws: np.ndarray

    @abstractmethod
    def limits(self, z: float) -> Limits:
        """Return the numbers with the ends of their intervals at the critical value z, each `(lines, groups)`."""

    @abstractmethod
    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw the lines `which` as if every group were alike: `(replicates, which, groups)`, NaN where undefined."""


class CountPanel(Panel):
    """Rates from confusion counts; resampling draws each group's cells from a multinomial.

    Args:
        groups: The groups.
        counts: Rows by truth and decision `(groups, classes, classes)`.
        classes: Names of the classes.
        focus: Positions of the classes whose rates are asked for.
        replicates: How many resamples.
        generator: Source of the resamples.
    """

    def __init__(
        self,
        groups: tuple[Group, ...],
        counts: np.ndarray,
        lines: tuple[Line, ...],
        focus: Sequence[int],
        *,
        replicates: int,
        generator: np.random.Generator,
    ) -> None:
        self.groups, self.lines, self.counts = groups, lines, counts
        self.rows = counts.sum(axis=(1, 2))
        self.part, self.n = shares(counts, focus)
        self.value = share(self.part, self.n)
        self.draws = resample(counts, focus, replicates, generator)

    def limits(self, z: float) -> Limits:
        """Return the rates with Wilson's interval."""
        return self.value, *wilson_at(self.part, self.n, z)

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw the numerators from one rate shared by all groups, the denominators held fixed."""
        part, whole = self.part[list(which)], self.n[list(which)]
        shared = share(part.sum(axis=1), whole.sum(axis=1))[:, None]
        drawn = generator.binomial(whole, np.nan_to_num(shared), size=(replicates, *whole.shape))
        return share(drawn, np.broadcast_to(whole, drawn.shape))


def resample(counts: np.ndarray, focus: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
    """Draw each group's confusion cells anew, its number of rows held fixed, and return the rates.

    Exact: resampling rows within a group moves its counts just so.

    Args:
        counts: Rows by truth and decision `(groups, classes, classes)`.
        focus: Positions of the classes whose rates are asked for.
        replicates: How many resamples.
        generator: Source of the resamples.

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
        part, whole = shares(drawn.reshape(replicates, len(cells), *counts.shape[1:]), focus)
        blocks.append(share(part, whole))
    return np.concatenate(blocks, axis=-1)


def critical(level: float) -> float:
    """Return the two-sided critical value of the normal distribution."""
    return float(ndtri(0.5 + level / 2))


def wilson_at(part: np.ndarray, whole: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval at a critical value instead of a level."""
    return wilson(part, whole, 2 * float(ndtr(z)) - 1)

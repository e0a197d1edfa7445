"""Rates and other numbers of the same groups in one panel: what a policy decides, and what that brings."""

from collections.abc import Sequence

import numpy as np

from glassbench.intervals import Limits
from glassbench_audits.fairness.count_panel import CountPanel
from glassbench_audits.fairness.drawn_panel import DrawnPanel
from glassbench_audits.fairness.panel import Panel


class StackedPanel(Panel):
    """The lines of counted rates first, then those of numbers measured by resampling.

    Args:
        counted: The rates.
        drawn: The numbers, of the same groups in the same order and with as many resamples.
    """

    ratios = True

    def __init__(self, counted: CountPanel, drawn: DrawnPanel) -> None:
        self.counted, self.drawn = counted, drawn
        self.groups, self.rows = counted.groups, counted.rows
        self.lines = (*counted.lines, *drawn.lines)
        self.value = np.concatenate([counted.value, drawn.value])
        self.n = np.concatenate([counted.n, drawn.n])
        self.draws = np.concatenate([counted.draws, drawn.draws], axis=1)

    def limits(self, z: float) -> Limits:
        """Return every number with the interval its own panel gives it."""
        first, second = self.counted.limits(z), self.drawn.limits(z)
        value, low, high = (np.concatenate(pair) for pair in zip(first, second, strict=True))
        return value, low, high

    def overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows."""
        (first, n), (second, m) = self.counted.overall(z), self.drawn.overall(z)
        value, low, high = (np.concatenate(pair) for pair in zip(first, second, strict=True))
        return (value, low, high), np.concatenate([n, m])

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw each line as its own panel does."""
        split = len(self.counted.lines)
        parts = [self.counted.null([k], replicates, generator) for k in which if k < split]
        parts += [self.drawn.null([k - split], replicates, generator) for k in which if k >= split]
        return np.concatenate(parts, axis=1)


def counted_part(panel: Panel) -> CountPanel | None:
    """Return the panel of rates that a panel is or holds, or None."""
    if isinstance(panel, StackedPanel):
        return panel.counted
    return panel if isinstance(panel, CountPanel) else None

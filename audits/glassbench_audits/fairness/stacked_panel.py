"""Rates and other numbers of the same groups in one panel: what a policy decides, and what that brings."""

from collections.abc import Sequence

import numpy as np

from glassbench.stats.intervals import Limits
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
        self.unsupported = np.concatenate([np.full(counted.value.shape, None, dtype=object), drawn.unsupported])
        self.draws = np.concatenate([counted.draws, drawn.draws], axis=1)

    def measured(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None) -> Limits:
        """Return numbers with the interval their own panel gives them."""
        chosen = np.arange(len(self.lines)) if which is None else np.asarray(which)
        every = np.broadcast_to(z, (len(chosen), 1))
        found = [np.empty((len(chosen), len(self.groups))) for _ in range(3)]
        for panel, first, last in self._parts():
            mine = (chosen >= first) & (chosen < last)
            for whole, part in zip(found, panel.limits(every[mine], chosen[mine] - first), strict=True):
                whole[mine] = part
        return found[0], found[1], found[2]

    def measured_overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows."""
        (first, n), (second, m) = self.counted.overall(z), self.drawn.overall(z)
        value, low, high = (np.concatenate(pair) for pair in zip(first, second, strict=True))
        return (value, low, high), np.concatenate([n, m])

    def overall_unsupported(self) -> tuple[str | None, ...]:
        """Return why the numbers over all rows carry no interval; counted rates always do."""
        return (None,) * len(self.counted.lines) + self.drawn.overall_unsupported()

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw each line as its own panel does."""
        split = len(self.counted.lines)
        parts = [self.counted.null([k], replicates, generator) for k in which if k < split]
        parts += [self.drawn.null([k - split], replicates, generator) for k in which if k >= split]
        return np.concatenate(parts, axis=1)

    def alike(self, which: Sequence[int]) -> np.ndarray:
        """Return what each line's own panel says."""
        split = len(self.counted.lines)
        return np.concatenate([self.counted.alike([k]) if k < split else self.drawn.alike([k - split]) for k in which])

    def total(self, line: int) -> int:
        """Return what the line's own panel says."""
        split = len(self.counted.lines)
        return self.counted.total(line) if line < split else self.drawn.total(line - split)

    def counts_clusters(self, line: int) -> bool:
        """Whether rows hang together and the line is no counted rate."""
        return self.clusters is not None and line >= len(self.counted.lines)

    def _parts(self) -> tuple[tuple[Panel, int, int], ...]:
        split = len(self.counted.lines)
        return (self.counted, 0, split), (self.drawn, split, len(self.lines))


def counted_part(panel: Panel) -> CountPanel | None:
    """Return the panel of rates that a panel is or holds, or None."""
    if isinstance(panel, StackedPanel):
        return panel.counted
    return panel if isinstance(panel, CountPanel) else None

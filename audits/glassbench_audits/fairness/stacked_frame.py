"""Rates and other numbers of the same groups in one frame: what a policy decides, and what that brings."""

from collections.abc import Sequence

import numpy as np

from glassbench.stats.intervals import Limits
from glassbench_audits.fairness.bootstrap_frame import BootstrapFrame
from glassbench_audits.fairness.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.group_frame import GroupFrame


class StackedFrame(GroupFrame):
    """The metrics of counted rates first, then those of numbers measured by resampling.

    Args:
        counted: The rates.
        drawn: The numbers, of the same groups in the same order and with as many resamples.
    """

    ratios = True

    def __init__(self, counted: ConfusionFrame, drawn: BootstrapFrame) -> None:
        self.counted, self.drawn = counted, drawn
        self.groups, self.rows = counted.groups, counted.rows
        self.metrics = (*counted.metrics, *drawn.metrics)
        self.value = np.concatenate([counted.value, drawn.value])
        self.n = np.concatenate([counted.n, drawn.n])
        self.unsupported = np.concatenate([np.full(counted.value.shape, None, dtype=object), drawn.unsupported])
        self.draws = np.concatenate([counted.draws, drawn.draws])

    def measured(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None) -> Limits:
        """Return numbers with the interval their own frame gives them."""
        chosen = np.arange(len(self.metrics)) if which is None else np.asarray(which)
        every = np.broadcast_to(z, (len(chosen), 1))
        found = [np.empty((len(chosen), len(self.groups))) for _ in range(3)]
        for frame, first, last in self._parts():
            mine = (chosen >= first) & (chosen < last)
            for whole, part in zip(found, frame.limits(every[mine], chosen[mine] - first), strict=True):
                whole[mine] = part
        return found[0], found[1], found[2]

    def measured_overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows."""
        (first, n), (second, m) = self.counted.overall(z), self.drawn.overall(z)
        value, low, high = (np.concatenate(pair) for pair in zip(first, second, strict=True))
        return (value, low, high), np.concatenate([n, m])

    def overall_unsupported(self) -> tuple[str | None, ...]:
        """Return why the numbers over all rows carry no interval; counted rates always do."""
        return (None,) * len(self.counted.metrics) + self.drawn.overall_unsupported()

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw each metric as its own frame does."""
        split = len(self.counted.metrics)
        parts = [self.counted.null([k], replicates, generator) for k in which if k < split]
        parts += [self.drawn.null([k - split], replicates, generator) for k in which if k >= split]
        return np.concatenate(parts, axis=1)

    def null_std(self, which: Sequence[int]) -> np.ndarray:
        """Return what each metric's own frame says."""
        split = len(self.counted.metrics)
        return np.concatenate([self.counted.null_std([k]) if k < split else self.drawn.null_std([k - split]) for k in which])

    def total(self, metric: int) -> int:
        """Return what the metric's own frame says."""
        split = len(self.counted.metrics)
        return self.counted.total(metric) if metric < split else self.drawn.total(metric - split)

    def counts_clusters(self, metric: int) -> bool:
        """Whether rows hang together and the metric is no counted rate."""
        return self.clusters is not None and metric >= len(self.counted.metrics)

    def _parts(self) -> tuple[tuple[GroupFrame, int, int], ...]:
        split = len(self.counted.metrics)
        return (self.counted, 0, split), (self.drawn, split, len(self.metrics))


def confusion_part(frame: GroupFrame) -> ConfusionFrame | None:
    """Return the frame of rates that a frame is or holds, or None."""
    if isinstance(frame, StackedFrame):
        return frame.counted
    return frame if isinstance(frame, ConfusionFrame) else None

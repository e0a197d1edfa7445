"""Rates and other numbers of the same groups in one frame."""

from collections.abc import Sequence

import numpy as np

from glassbench.stats.intervals import Limits
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.group_frame import GroupFrame


class StackedFrame(GroupFrame):
    """The metrics of several frames, one frame's after the other's.

    Args:
        parts: The frames, of the same groups in the same order and with as many resamples; counted rates first.
    """

    ratios = True

    def __init__(self, parts: Sequence[GroupFrame]) -> None:
        self.parts = tuple(parts)
        self.groups, self.rows = parts[0].groups, parts[0].rows
        self.metrics = tuple(metric for part in parts for metric in part.metrics)
        self.value = np.concatenate([part.value for part in parts])
        self.n = np.concatenate([part.n for part in parts])
        if any(part.effective is not None for part in parts):
            self.effective = np.concatenate([part.evidence.astype(float) for part in parts])
        self.unsupported = np.concatenate([_unsupported(part) for part in parts])
        self.draws = np.concatenate([part.draws for part in parts])
        self._first = np.cumsum([0, *(len(part.metrics) for part in parts)])

    def measured(self, z: float | np.ndarray, which: Sequence[int] | np.ndarray | None) -> Limits:
        """Return numbers with the interval their own frame gives them."""
        chosen = np.arange(len(self.metrics)) if which is None else np.asarray(which)
        every = np.broadcast_to(z, (len(chosen), 1))
        found = [np.empty((len(chosen), len(self.groups))) for _ in range(3)]
        for frame, first, last in zip(self.parts, self._first, self._first[1:], strict=False):
            mine = (chosen >= first) & (chosen < last)
            for whole, part in zip(found, frame.limits(every[mine], chosen[mine] - first), strict=True):
                whole[mine] = part
        return found[0], found[1], found[2]

    def measured_overall(self, z: float) -> tuple[Limits, np.ndarray]:
        """Return the numbers over all rows."""
        limits, sizes = zip(*(part.overall(z) for part in self.parts), strict=True)
        value, low, high = (np.concatenate(ends) for ends in zip(*limits, strict=True))
        return (value, low, high), np.concatenate(sizes)

    def overall_unsupported(self) -> tuple[str | None, ...]:
        """Return why the numbers over all rows carry no interval, as each frame says."""
        return tuple(reason for part in self.parts for reason in part.overall_unsupported())

    def null(self, which: Sequence[int], replicates: int, generator: np.random.Generator) -> np.ndarray:
        """Draw each metric as its own frame does."""
        drawn = [part.null([metric], replicates, generator) for part, metric in map(self._of, which)]
        return np.concatenate(drawn, axis=1)

    def null_std(self, which: Sequence[int]) -> np.ndarray:
        """Return what each metric's own frame says."""
        return np.concatenate([part.null_std([metric]) for part, metric in map(self._of, which)])

    def total(self, metric: int) -> int:
        """Return what the metric's own frame says."""
        part, own = self._of(metric)
        return part.total(own)

    def counts_clusters(self, metric: int) -> bool:
        """Whether rows hang together and the metric is no counted rate."""
        return self.clusters is not None and not isinstance(self._of(metric)[0], ConfusionFrame)

    def _of(self, metric: int) -> tuple[GroupFrame, int]:
        """Return the frame that a metric is of, and its position there."""
        part = int(np.searchsorted(self._first, metric, side="right")) - 1
        return self.parts[part], metric - int(self._first[part])


def stacked(*parts: GroupFrame) -> GroupFrame:
    """Return the only frame, or several as one."""
    return parts[0] if len(parts) == 1 else StackedFrame(parts)


def confusion_part(frame: GroupFrame) -> ConfusionFrame | None:
    """Return the first frame of rates that a frame is or holds, or None."""
    first = frame.parts[0] if isinstance(frame, StackedFrame) else frame
    return first if isinstance(first, ConfusionFrame) else None


def counted_numbers(frame: GroupFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Return numerators and denominators of the counted rates, which come first, each `(rates, groups)`; None without any.

    Of a survey they are sums of weights.

    Args:
        frame: The numbers of all choices of some groups.
    """
    counted = _counted_parts(frame)
    if not counted:
        return None
    return np.concatenate([part.part for part in counted]), np.concatenate([part.whole for part in counted])


def pooled_rates(frame: GroupFrame) -> np.ndarray | None:
    """Return the counted rates, each group's drawn towards that of all groups, `(rates, groups)`; None without any."""
    counted = _counted_parts(frame)
    return np.concatenate([part.partly_pooled() for part in counted]) if counted else None


def _counted_parts(frame: GroupFrame) -> list[ConfusionFrame]:
    parts = frame.parts if isinstance(frame, StackedFrame) else (frame,)
    return [part for part in parts if isinstance(part, ConfusionFrame)]


def _unsupported(frame: GroupFrame) -> np.ndarray:
    return np.full(frame.value.shape, None, dtype=object) if frame.unsupported is None else frame.unsupported

"""Frames of groups whose numbers or counts are written down, for tests of what is said of them."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import GroupMetric, class_rates

Z = norm.ppf(0.975)
MISSES = GroupMetric("mean_signed_error", words="mean error", of="rows", higher_is_better=None, unit="mm", scaled=True)
SELECTED = GroupMetric("selection_rate", words="selection rate", of="rows", higher_is_better=None, outcome="yes")
FOUND = GroupMetric("true_positive_rate", words="hit rate", of="rows with actual “yes”", higher_is_better=True, klass="yes")


class Given(GroupFrame):
    """A frame of given numbers, each with a normal interval of a given standard error."""

    def __init__(
        self,
        value: Sequence[Sequence[float]],
        error: float | Sequence[Sequence[float]] = 0.03,
        metrics: tuple[GroupMetric, ...] = (SELECTED,),
        names: str = "abcdef",
        by: str = "job",
        n: int | Sequence[Sequence[int]] = 100,
    ) -> None:
        self.value = np.asarray(value, dtype=float)
        self.error = np.broadcast_to(error, self.value.shape)
        self.groups = tuple(Group(by=(by,), values=(name,)) for name in names[: self.value.shape[1]])
        self.n = np.broadcast_to(n, self.value.shape)
        self.rows, self.metrics = self.n[0], metrics
        self.draws, self.ratios = np.empty((*self.value.shape, 0)), True

    def measured(self, z, which):
        chosen = slice(None) if which is None else np.asarray(which)
        value, reach = self.value[chosen], z * self.error[chosen]
        return value, value - reach, value + reach

    def measured_overall(self, z):
        value = self.value.mean(axis=1)
        return (value, value - z * self.error[:, 0], value + z * self.error[:, 0]), self.n.sum(axis=1)

    def null(self, which, replicates, generator):
        raise NotImplementedError

    def null_std(self, which):
        return self.error[list(which)]


def counted(table: dict[str, list[list[int]]], classes: tuple[str, ...] = ("no", "yes"), **more: object) -> ConfusionFrame:
    """A frame of counts by truth and decision, of each value of sex."""
    groups = tuple(Group(by=("sex",), values=(value,)) for value in table)
    focus = [1] if len(classes) == 2 else list(range(len(classes)))
    rates = class_rates(classes, focus, **more)
    return ConfusionFrame(groups, np.array(list(table.values())), rates, replicates=100, generator=np.random.default_rng(0))

"""Many small data sets at once, seen by the fairness audit's own code: each metric of the frame is a data set of its own."""

import numpy as np

from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import GroupMetric, share


class DataSets(ConfusionFrame):
    """The shares of several groups in many independent data sets.

    Args:
        part: Numerators `(data sets, groups)`.
        n: Denominators `(groups,)`.
        replicates: Resamples of each data set.
        generator: Source of the resamples.
    """

    def __init__(self, part: np.ndarray, n: np.ndarray, *, replicates: int, generator: np.random.Generator) -> None:
        self.groups = tuple(Group(by=("group",), values=(str(i),)) for i in range(len(n)))
        self.metrics = tuple(
            GroupMetric("selection_rate", "selection rate", "rows", None, klass=str(i)) for i in range(len(part))
        )
        self._kept = {}
        self.rows, self.part, self.n = n, part, np.broadcast_to(n, part.shape)
        self.value, self._size = share(part, self.n), self.n.astype(float)
        self._freedom, self.by_cluster = np.full(self.n.shape, np.inf), None
        self.draws = np.moveaxis(generator.binomial(n, self.value, size=(replicates, *part.shape)) / n, 0, -1)


def drawn(rates: np.ndarray, n: np.ndarray, count: int, replicates: int, generator: np.random.Generator) -> DataSets:
    """Draw data sets whose groups have known rates.

    Args:
        rates: True rates `(groups,)`.
        n: Rows of each group `(groups,)`.
        count: How many data sets.
        replicates: Resamples of each.
        generator: Source of everything drawn.
    """
    return DataSets(generator.binomial(n, rates, size=(count, len(n))), n, replicates=replicates, generator=generator)

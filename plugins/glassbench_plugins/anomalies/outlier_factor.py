"""The local outlier factor."""

import numpy as np
import torch
from sklearn.neighbors import LocalOutlierFactor
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count
from glassbench_plugins.unsupervised.grown import Grown, flat


class OutlierFactor(Grown):
    """How much thinner a row's surroundings are than its neighbours', with what scikit-learn measured on the training rows.

    Args:
        neighbours: How many neighbours.
    """

    differentiable = False  # it jumps where a neighbour takes another's place
    rows: Tensor
    reach: Tensor
    thickness: Tensor

    def __init__(self, *, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.training_scores: np.ndarray | None = None
        self.grow("rows", "reach", "thickness")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "OutlierFactor":
        """Measure the surroundings of rows `(n, ...)`.

        Raises:
            FitError: There are no more rows than neighbours.
        """
        vectors = flat(rows)
        if len(vectors) <= self.neighbours:
            raise FitError(
                "there are not more training rows than neighbours",
                got=f"{len(vectors)} rows, {self.neighbours} neighbours",
                fix=f"set model.neighbours to less than {len(vectors)}",
            )
        found = LocalOutlierFactor(n_neighbors=self.neighbours, novelty=True).fit(vectors)
        far = found.kneighbors(None, return_distance=True)[0][:, -1]
        self.keep(rows=vectors, reach=far, thickness=found._lrd)
        self.training_scores = -found.negative_outlier_factor_
        self.facts = {"neighbours": self.neighbours}
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to minus the score `(n,)`, float64."""
        return -self.score(inputs)

    def score(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to their outlier factor `(n,)`, float64: about 1 amid others, larger outside."""
        vectors = inputs.flatten(1).double()
        apart = torch.cdist(vectors, self.rows, compute_mode="donot_use_mm_for_euclid_dist")
        distance, index = apart.topk(self.neighbours, dim=1, largest=False)
        reached = torch.maximum(distance, self.reach[index]).mean(dim=1)
        return self.thickness[index].mean(dim=1) * (reached + 1e-10)


def local_outlier_factor(schema: Schema, *, neighbours: Count = 20) -> OutlierFactor:
    """The local outlier factor (Breunig et al. 2000), as scikit-learn has it for new rows.

    Args:
        schema: What the rows are.
        neighbours: How many neighbours a row is compared with.
    """
    if neighbours < 1:
        raise FitError("there must be at least one neighbour", got=str(neighbours), fix="set model.neighbours")
    return OutlierFactor(neighbours=neighbours)

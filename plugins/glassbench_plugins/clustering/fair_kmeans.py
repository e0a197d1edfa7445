"""k-means whose clusters hold each group about as often as all rows do."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, NonNegativeNumber
from glassbench_plugins.clustering.counting import check_count
from glassbench_plugins.clustering.kmeans import Centres
from glassbench_plugins.unsupervised.grown import Grown, flat

_STEPS, _RATE, _TINY = 400, 0.02, 1e-12


class FairCentres(Grown):
    """Assigns rows to the nearest of k centres that were moved until groups are spread over them.

    From the centres of k-means on, Adam descends the mean squared distance to the own centre, as a share of that of k-means, plus
    `strength` times the mean over clusters of the Kullback-Leibler divergence of the groups of all rows from the cluster's.
    Which cluster a row is in is soft meanwhile, as the mixture behind k-means has it. A new row is assigned by its distances
    alone: its group is needed in training and never again.

    Args:
        clusters: How many.
        by: The sensitive feature whose groups are spread; None for the first.
        strength: Weight of the divergence; 0 is k-means.
        starts: Random starts of k-means, of which the best is kept.
    """

    centres: Tensor
    variance: Tensor

    def __init__(self, *, clusters: int, by: str | None, strength: float, starts: int) -> None:
        super().__init__()
        self.clusters, self.by, self.strength, self.starts = clusters, by, strength, starts
        self.grow("centres", "variance")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None, *, groups: pd.DataFrame | None = None) -> "FairCentres":
        """Find the centres of rows `(n, ...)` with sensitive features `groups`, n rows.

        Raises:
            FitError: There are fewer rows than clusters, or no groups of that name.
        """
        if groups is None or groups.empty or (self.by is not None and self.by not in groups):
            raise FitError(
                "fair-kmeans spreads the groups of a sensitive feature",
                got=self.by or "rows without sensitive features",
                available=[] if groups is None else list(map(str, groups.columns)),
                fix="name the column under dataset.sensitive, and under model.by where there are several",
            )
        vectors = flat(rows)
        check_count(vectors, self.clusters)
        begun = Centres(clusters=self.clusters, most=self.clusters, starts=self.starts).fit(rows)
        by = self.by or str(groups.columns[0])
        names, codes = np.unique(groups[by].astype(str), return_inverse=True)
        member = functional.one_hot(torch.as_tensor(codes), len(names)).double()
        centres = self._moved(torch.as_tensor(vectors), member, begun)
        nearest = torch.cdist(torch.as_tensor(vectors), centres).amin(dim=1)
        variance = max(float((nearest**2).sum()) / vectors.size, _TINY)
        self.keep(centres=centres.numpy(), variance=variance)
        self.facts = {"clusters": self.clusters, "spread_by": by, "groups": len(names), "strength": self.strength}
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to how well each centre explains them, joint log-densities up to a constant `(n, k)`, float64."""
        squared = ((inputs.flatten(1).double()[:, None, :] - self.centres) ** 2).sum(dim=-1)
        return -squared / (2 * self.variance)

    def _moved(self, vectors: Tensor, member: Tensor, begun: Centres) -> Tensor:
        """Return the centres `(k, d)` after the descent."""
        centres = begun.centres.clone().requires_grad_()
        variance = float(begun.variance)
        whole, scale = member.mean(dim=0), variance * vectors.shape[1]
        optimizer = torch.optim.Adam([centres], lr=_RATE * float(vectors.std()))
        for _ in range(_STEPS if self.strength else 0):
            squared = ((vectors[:, None, :] - centres) ** 2).sum(dim=-1)
            soft = torch.softmax(-squared / (2 * variance), dim=1)
            held = (soft.T @ member + _TINY) / (soft.sum(dim=0)[:, None] + _TINY)
            divergence = (whole * ((whole + _TINY) / held).log()).sum(dim=1).mean()
            loss = (soft * squared).sum(dim=1).mean() / scale + self.strength * divergence
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return centres.detach()


def fair_kmeans(
    schema: Schema,
    *,
    clusters: Count = 3,
    by: str | None = None,
    strength: NonNegativeNumber = 5.0,
    starts: Count = 10,
) -> FairCentres:
    """k-means with a penalty on clusters whose groups differ from those of all rows.

    The penalty is that of Ziko, Yuan, Granger and Ben Ayed (2021), Variational fair clustering; groups are needed in training
    alone.

    Args:
        schema: What the rows are.
        clusters: How many clusters.
        by: The sensitive feature whose groups are spread over clusters; None for the first.
        strength: Weight of the penalty against the distances; 0 is k-means. Clusters that truly follow the groups are torn apart
            by a large one.
        starts: Random starts of k-means, of which the best is kept.

    Raises:
        FitError: The data name no such sensitive feature.
    """
    if not schema.sensitive or (by is not None and by not in schema.sensitive):
        raise FitError(
            "fair-kmeans spreads the groups of a sensitive feature",
            got=by or "data without sensitive features",
            available=schema.sensitive,
            fix="name the column under dataset.sensitive",
        )
    return FairCentres(clusters=clusters, by=by, strength=strength, starts=starts)

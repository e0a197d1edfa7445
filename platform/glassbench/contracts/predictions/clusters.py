"""The cluster each row belongs to."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.choices import Choices, scores_of
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.schema import Schema


class Clusters(Choices):
    """A cluster per row, and how probable each is. A cluster's number is no name of a class, so nothing is right or wrong."""

    name = "clusters"

    def decided_words(self, schema: Schema) -> str:
        """Return that rows are grouped."""
        return f"puts each {schema.unit} into a cluster of its like; no answer is given to learn from"

    def class_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ClassOutput, ...]:
        """Return the one choice among the clusters, without a truth."""
        scores = scores_of(frame)
        names = tuple(map(str, scores.columns))
        return (ClassOutput(classes=names, predicted=frame["y_pred"], scores=scores, selects=False, symmetric=False),)

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return none: groups are compared by how often they are put into each cluster."""
        return ()

    def missed(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return None: being put into a cluster is neither right nor wrong."""
        return None

    def attribution_words(self, schema: Schema) -> str:
        """Return that log-odds are explained."""
        return "the log-odds of its cluster against all others"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return the same side for every row: each is explained for its own cluster."""
        return np.ones(len(frame), dtype=int)

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Refuse: rows are explained for clusters of their own, and there is no single one that directions could be said of."""
        raise LookupError("directions are said of one cluster")

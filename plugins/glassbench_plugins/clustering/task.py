"""The task of finding groups of like rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.clusters import Clusters
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import FitError
from glassbench.rows.log_odds import log_odds
from glassbench_plugins.clustering import agreement, quality
from glassbench_plugins.unsupervised.grown import flat
from glassbench_plugins.unsupervised.unlabelled import frame_of, true_names

_METRICS = (
    Metric(name="silhouette", compute=quality.silhouette, compares=False, lowest=-1.0, highest=1.0),
    Metric(name="calinski_harabasz", compute=quality.calinski_harabasz, compares=False, lowest=0.0),
    Metric(name="davies_bouldin", compute=quality.davies_bouldin, higher_is_better=False, compares=False, lowest=0.0),
    Metric(name="assigned", compute=quality.assigned, rate=True, compares=False),
    Metric(name="adjusted_rand_index", compute=agreement.adjusted_rand_index, highest=1.0),
    Metric(name="normalized_mutual_information", compute=agreement.normalized_mutual_information, lowest=0.0, highest=1.0),
    Metric(name="matched_accuracy", compute=agreement.matched_accuracy, rate=True),
)


class Clustering(Task):
    """Finds groups of like rows.

    A model gives one number per row and cluster, the joint log-density of both up to a constant per row; their softmax is the
    soft assignment, the decision the most probable cluster. Classes of the data set, where there are any, are no part of
    the training; they only tell afterwards how far the clusters agree with them.
    """

    kind = Clusters()
    attribution_output_name = "the log-odds of belonging to its cluster"

    def __init__(self) -> None:
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The silhouette first; agreement with labels only counts where there are labels."""
        return _METRICS

    def check(self, schema: Schema) -> None:
        """Keep the schema; any rows can be clustered."""
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Let a network that clusters say how it learns.

        Raises:
            FitError: The network cannot learn to cluster.
        """
        build = getattr(model, "clustering_learner", None)
        if build is None:
            raise FitError(
                "this network does not learn to cluster",
                got=type(model).__name__,
                fix="choose a model that serves the task 'clustering', such as deep-clustering",
            )
        learner = build(data, optimization)
        assert isinstance(learner, pl.LightningModule)
        return learner

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Assign every row; columns beside the scores say what the metrics need of it."""
        assert isinstance(source, Split)
        memberships = torch.softmax(forward_all(model, source).double(), dim=1)
        chosen = memberships.argmax(dim=1)
        names = cluster_names(model, memberships.shape[1])
        decided = np.array(names, dtype=object)[chosen.numpy()]
        codes = np.where(decided == quality.NOISE, -1, chosen.numpy())
        scores = pd.DataFrame({f"score.{name}": memberships[:, k].numpy() for k, name in enumerate(names)})
        columns = quality.row_columns(flat(source.batch(slice(None)).inputs[0].numpy()), codes)
        frame = frame_of(source, true_names(source, self._schema), decided, scores, columns)
        return Predictions(frame=frame, source=source, target_index=chosen)

    def attribution_output(self, output: Any) -> Tensor:
        """Return the log-odds of each cluster against all others `(n, clusters)`; 0 where there is one only.

        Between two clusters of k-means this is linear in the inputs, so that attributions of it are exact, where the soft
        assignment itself is flat nearly everywhere.
        """
        assert isinstance(output, Tensor)
        return log_odds(output)


def cluster_names(model: nn.Module, clusters: int) -> tuple[str, ...]:
    """Return the name of each output of a model: the model's own, or the numbers scikit-learn gives."""
    return tuple(getattr(model, "cluster_names", None) or (f"cluster {k}" for k in range(clusters)))

"""The task of giving each row any number of labels."""

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import Loss, SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.labels import Labels, joined_labels, prediction_columns, truth_columns
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, GlassbenchError, SettingsError
from glassbench.stats.settings_types import Share
from glassbench_plugins.supervised.metrics import LABEL_SCORES, LABELS
from glassbench_plugins.supervised.outputs import checked_width
from glassbench_plugins.supervised.rows import frame_of


class MultilabelClassification(Task):
    """Gives each row any number of labels, or none.

    A network gives one logit per label; each label learns by binary cross-entropy of its own. A label is predicted wherever its
    probability reaches the threshold. A label that is not known of a training row is left out of that row's loss.

    Args:
        threshold: Probability from which a label is predicted, between 0 and 1.
        label_weight: `balanced` weighs the rows that have a label by how many do not, so that rare labels count as much as
            common ones.
    """

    kind = Labels()

    def __init__(self, *, threshold: Share = 0.5, label_weight: Literal["balanced"] | None = None) -> None:
        if not 0 < threshold < 1:
            raise SettingsError("threshold must lie between 0 and 1", got=str(threshold), where="task.threshold")
        self.threshold = threshold
        self.label_weight = label_weight
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Macro-averaged F1 first; what needs scores is there unless a schema says that the model gives none."""
        scored = self._schema is None or self._schema.scored
        return (*LABELS, *LABEL_SCORES) if scored else LABELS

    def check(self, schema: Schema) -> None:
        """Keep the schema whose labels are given.

        Raises:
            DataError: The target is no labels.
        """
        target = schema.target
        if target.kind != "labels":
            fix = {"class": "use the task 'classification'", "value": "use the task 'regression'"}.get(target.kind)
            raise DataError(
                f"multi-label classification needs labels, but '{target.name}' is a {target.kind}",
                fix=fix or "choose a data set with labels",
            )
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of logits `(n, labels)` with the binary cross-entropy."""
        self.check(data.schema)
        return SupervisedLearner(model, self._loss(data), optimization, self.evaluate)

    def evaluate(self, logits: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the share of wrong labels on held-out rows, from logits and truths `(n, labels)`; unknown ones do not count."""
        known = torch.isfinite(truth)
        wrong = (torch.sigmoid(logits.float()) >= self.threshold) != (truth > 0)
        return {"hamming_loss": wrong[known].float().mean().item()}

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Decide every label of every row; scores are the logistic function of the logits in double precision."""
        assert isinstance(source, Split)
        names = self._known().target.classes
        probabilities = torch.sigmoid(checked_width(forward_all(model, source), len(names), "label").double())
        given = (probabilities >= self.threshold).numpy()
        truth = None if source.target is None else source.target.double().numpy()
        columns: dict[str, np.ndarray] = {} if truth is None else truth_columns(truth, names)
        columns |= prediction_columns(given, names)
        columns |= {f"score.{name}": probabilities[:, k].numpy() for k, name in enumerate(names)}
        known = None if truth is None else joined_labels(truth, names)
        frame = frame_of(source, known, joined_labels(given, names), pd.DataFrame(columns))
        return Predictions(frame=frame, source=source, target_index=probabilities.argmax(dim=1))

    def decision(self) -> dict[str, Any]:
        """Return how logits become labels, as `ExportedTask` says."""
        return {"kind": "labels", "labels": list(self._known().target.classes), "threshold": self.threshold}

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the binary cross-entropy of each row, unweighted, over its known labels and divided by the number of labels."""
        return _each_loss(output, batch).mean(dim=1)

    def attribution_output(self, output: Any) -> Tensor:
        """Return the logits `(n, labels)`, the log-odds of each label."""
        assert isinstance(output, Tensor)
        return output

    def _loss(self, data: Data) -> Loss:
        weight: Tensor | None = None
        if self.label_weight is not None:
            assert isinstance(data.train, Split)
            assert data.train.target is not None
            rows = data.train.unit_weights
            counted = torch.ones(len(data.train)) if rows is None else rows
            having = ((data.train.target == 1) * counted[:, None]).sum(dim=0)
            weight = ((data.train.target == 0) * counted[:, None]).sum(dim=0) / torch.where(having > 0, having, 1)

        def loss(output: Tensor, batch: Batch) -> Tensor:
            each = _each_loss(output, batch, weight)
            return each.mean() if batch.weight is None else each.mean(dim=1)

        return loss

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def _each_loss(output: Tensor, batch: Batch, weight: Tensor | None = None) -> Tensor:
    """Return the loss of each label `(n, labels)`, 0 where it is not known."""
    output, known = checked_width(output, batch.target.shape[1], "label"), torch.isfinite(batch.target)
    truth = torch.where(known, batch.target, torch.zeros_like(batch.target))
    having = None if weight is None else weight.to(output.device)
    each = functional.binary_cross_entropy_with_logits(output, truth, pos_weight=having, reduction="none")
    return torch.where(known, each, torch.zeros_like(each))

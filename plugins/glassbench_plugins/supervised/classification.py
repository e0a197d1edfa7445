"""The task of deciding a class."""

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
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, GlassbenchError, SettingsError
from glassbench.stats.settings_types import Share
from glassbench_plugins.supervised.costs import Costs, cost_metric
from glassbench_plugins.supervised.metrics import RATES, SCORES
from glassbench_plugins.supervised.outputs import checked_width, softmax
from glassbench_plugins.supervised.rows import class_truth, frame_of


class Classification(Task):
    """Decides one of two or more classes.

    A network gives one logit per class; it learns by cross-entropy. The decision is the class of the largest
    probability, or, with a threshold, the positive class wherever its probability reaches it.

    Args:
        threshold: Probability from which the positive class is decided, between 0 and 1; two classes only. Without it
            the more probable class is decided.
        class_weight: `balanced` weighs each class by the inverse of its share in the training split, so that rare
            classes count as much as common ones. It acts on networks; estimators have a setting of their own.
        costs: What wrong decisions between two classes cost, `{false_negative: 5, false_positive: 1}`: adds the metric
            `cost`, the mean cost per row, also by group. It changes no decision.
    """

    kind = Classes()

    def __init__(
        self,
        *,
        threshold: Share | None = None,
        class_weight: Literal["balanced"] | None = None,
        costs: Costs | None = None,
    ) -> None:
        if threshold is not None and not 0 < threshold < 1:
            raise SettingsError("threshold must lie between 0 and 1", got=str(threshold), where="task.threshold")
        self.threshold = threshold
        self.class_weight = class_weight
        self.costs = costs
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Accuracy first; what needs scores is there unless a schema says that the model gives none."""
        scored = self._schema is None or self._schema.scored
        metrics = (*RATES, *SCORES) if scored else RATES
        if self.costs is None:
            return metrics
        target = None if self._schema is None else self._schema.target
        return (*metrics, cost_metric(self.costs, None if target is None else target.positive or target.classes[-1]))

    def check(self, schema: Schema) -> None:
        """Keep the schema whose classes are decided.

        Raises:
            DataError: The target is no class, there are fewer than two classes, or a threshold meets more than two.
        """
        target = schema.target
        if target.kind != "class":
            fix = "use the task 'regression'" if target.kind == "value" else "choose a data set with classes"
            raise DataError(f"classification needs classes, but '{target.name}' is a {target.kind}", fix=fix)
        if len(target.classes) < 2:
            raise DataError(f"the target '{target.name}' has one class only", got=", ".join(target.classes))
        if self.threshold is not None and (len(target.classes) > 2 or target.positive is None):
            raise DataError(
                "a threshold needs two classes, one of them the positive",
                got=f"{len(target.classes)} classes, positive {target.positive}",
                fix="remove task.threshold, or name dataset.positive",
            )
        if self.costs is not None and len(target.classes) > 2:
            raise DataError(
                "costs of false negatives and false positives need two classes",
                got=f"{len(target.classes)} classes",
                fix="remove task.costs, or merge classes",
            )
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of logits `(n, classes)` with the cross-entropy."""
        self.check(data.schema)
        return SupervisedLearner(model, self._loss(data), optimization, self.evaluate)

    def evaluate(self, logits: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the accuracy on held-out rows, from logits `(n, classes)` and truths `(n,)`."""
        right = self._decide(torch.softmax(logits.float(), dim=1)) == truth
        return {"accuracy": right.float().mean().item()}

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Decide every row; scores are the softmax of the logits in double precision."""
        assert isinstance(source, Split)
        classes = self._known().target.classes
        probabilities = softmax(checked_width(forward_all(model, source), len(classes), "class"))
        decided = self._decide(probabilities)
        names = np.array(classes, dtype=object)
        columns = {f"score.{name}": probabilities[:, k].numpy() for k, name in enumerate(classes)}
        frame = frame_of(source, class_truth(source, classes), names[decided.numpy()], pd.DataFrame(columns))
        return Predictions(frame=frame, source=source, target_index=decided)

    def decision(self) -> dict[str, Any]:
        """Return how logits become a class, as `ExportedTask` says."""
        target = self._known().target
        positive = None if self.threshold is None else target.positive
        return {"kind": "classes", "classes": list(target.classes), "threshold": self.threshold, "positive": positive}

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the cross-entropy of each row, unweighted."""
        return functional.cross_entropy(output, batch.target.long(), reduction="none")

    def attribution_output(self, output: Any) -> Tensor:
        """Return the logits `(n, classes)`."""
        assert isinstance(output, Tensor)
        return output

    def _decide(self, probabilities: Tensor) -> Tensor:
        """From probabilities `(n, classes)` to the index of the decided class `(n,)`."""
        if self.threshold is None:
            return probabilities.argmax(dim=1)
        target = self._known().target
        positive = target.classes.index(target.positive or "")
        return torch.where(probabilities[:, positive] >= self.threshold, positive, 1 - positive)

    def _loss(self, data: Data) -> Loss:
        classes = len(data.schema.target.classes)
        if self.class_weight is None:
            return lambda output, batch: _cross_entropy(checked_width(output, classes, "class"), batch)
        assert isinstance(data.train, Split)
        assert data.train.target is not None
        rows = data.train.unit_weights
        counts = torch.bincount(data.train.target, rows, minlength=classes)
        counts = counts.clamp(min=1) if rows is None else torch.where(counts > 0, counts, 1)
        weight = len(data.train) / (len(counts) * counts.float())

        def weighted(output: Tensor, batch: Batch) -> Tensor:
            each = functional.cross_entropy(checked_width(output, classes, "class"), batch.target, reduction="none")
            return each * weight.to(each.device)[batch.target]

        return weighted

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def _cross_entropy(output: Tensor, batch: Batch) -> Tensor:
    return functional.cross_entropy(output, batch.target, reduction="mean" if batch.weight is None else "none")

"""A task whose training or decisions mitigations change."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Encoder, Split
from glassbench.contracts.exporting import ExportedTask
from glassbench.contracts.metric import Metric
from glassbench.contracts.mitigation import GradientObjective, Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Generation, Optimization, Predictions, Task
from glassbench.errors import FitError, RunError

if TYPE_CHECKING:
    import pytorch_lightning as pl


class MitigatedTask(Task):
    """A task as it is, but for the loss that its learner descends and the decisions that it takes.

    What mitigations fit to validation rows is stored beside what the task itself calibrates.

    Args:
        task: The task.
        mitigations: What changes it, in order.
    """

    def __init__(self, task: Task, mitigations: Sequence[Mitigation]) -> None:
        self.task = task
        self.mitigations = tuple(mitigations)
        self.kind = task.kind
        self.attribution_output_name = task.attribution_output_name
        self.facts: tuple[Mapping[str, Any] | None, ...] | None = None
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of the task, then those of what mitigations decide."""
        return (*self.task.metrics, *(metric for one in self.mitigations for metric in one.metrics))

    def check(self, schema: Schema) -> None:
        """Check the schema as the task does, and keep it."""
        self.task.check(schema)
        self._schema = schema

    def check_data(self, data: Data) -> None:
        """Check the data as the task does."""
        self.task.check_data(data)

    def model_schema(self, schema: Schema) -> Schema:
        """Return the schema that the task's models are built for."""
        return self.task.model_schema(schema)

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Return the network as the task trains it."""
        return self.task.adapt(model, schema)

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> "pl.LightningModule":
        """Return the task's learner, its loss changed by each mitigation that has an objective.

        Raises:
            FitError: The learner has no loss of its own that could be changed.
        """
        learner = self.task.learner(model, data, optimization)
        objectives = [o for one in self.mitigations if (o := one.objective(data)) is not None]
        if objectives:
            loss = getattr(learner, "loss", None)
            if not callable(loss):
                raise FitError("the loss of this task cannot be changed by a mitigation", got=type(self.task).__name__)
            for objective in objectives:
                if isinstance(objective, GradientObjective):
                    objective.take_parameters([p for p in model.parameters() if p.requires_grad])
            learner.loss = MitigatedLoss(loss, objectives)
        return learner

    def calibrate(self, model: nn.Module, data: Data) -> Mapping[str, Any] | None:
        """Return what the task calibrates, and what each mitigation fits to the decisions on validation rows."""
        own = self.task.calibrate(model, data)
        if own is not None:
            self.task.use_calibration(own)
        found: list[Mapping[str, Any] | None] = []
        if any(one.decides for one in self.mitigations):
            assert self._schema is not None
            predictions = self.task.predict(model, data.validation)
            for one in self.mitigations:
                facts = one.fit_decisions(predictions, self._schema)
                found.append(facts)
                predictions = predictions if facts is None else one.decide(predictions, facts)
        return None if own is None and not found else {"task": own, "decisions": found}

    def use_calibration(self, facts: Mapping[str, Any]) -> None:
        """Take what `calibrate` returned."""
        if facts["task"] is not None:
            self.task.use_calibration(facts["task"])
        self.facts = tuple(facts["decisions"])

    def predict(self, model: Any, source: Any) -> Predictions:
        """Decide as the task does, then as each mitigation does."""
        return self._decided(self.task.predict(model, source))

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str] | None:
        """Return the task's own baseline."""
        return self.task.baseline_predictions(predictions)

    def predict_rows(self, model: Any, source: Split) -> Predictions | None:
        """Predict rows one by one, then decide as each mitigation does."""
        predictions = self.task.predict_rows(model, source)
        return None if predictions is None else self._decided(predictions)

    def row_loss(self, output: Any, batch: Batch) -> Tensor | None:
        """Return the task's loss of each row, which mitigations leave as it is."""
        return self.task.row_loss(output, batch)

    def generate(self, model: nn.Module, encoder: Encoder, prompt: str, how: Generation) -> str:
        """Write as the task does."""
        return self.task.generate(model, encoder, prompt, how)

    def decision(self) -> Mapping[str, Any]:
        """Return the task's own decision, as `ExportedTask` says.

        Raises:
            RunError: A mitigation decides, or the task's decisions cannot be told as data.
        """
        deciding = [type(m).__name__ for m, facts in zip(self.mitigations, self.facts or (), strict=False) if facts is not None]
        if deciding or not isinstance(self.task, ExportedTask):
            raise RunError(
                "a mitigation decides in place of the model's scores, and its rule cannot be exported"
                if deciding
                else "what this task predicts cannot be told as data, so it cannot be exported",
                got=", ".join(deciding) or type(self.task).__name__,
                fix="predict with `glassbench predict`, which applies every rule",
            )
        return self.task.decision()

    def attribution_output(self, output: Any) -> Tensor:
        """Return what the task explains."""
        return self.task.attribution_output(output)

    def _decided(self, predictions: Predictions) -> Predictions:
        decides = any(one.decides for one in self.mitigations)
        if self.facts is None and decides:
            raise RunError("the rule that turns scores into decisions is missing", fix="`glassbench resume` the run")
        for one, facts in zip(self.mitigations, self.facts or (), strict=False):
            predictions = predictions if facts is None else one.decide(predictions, facts)
        return predictions


class MitigatedLoss(nn.Module):
    """The loss of each row as it stands, changed by objectives one after the other.

    Args:
        loss: From the model's output and its batch to the loss of each row; it may be their mean where the batch has no weights.
        objectives: What changes it; their buffers are part of the learner's state.
    """

    def __init__(self, loss: Any, objectives: Sequence[nn.Module]) -> None:
        super().__init__()
        self.plain = loss
        self.objectives = nn.ModuleList(objectives)

    def forward(self, output: Any, batch: Batch) -> Tensor:
        """Return the loss of each row `(n,)`.

        Raises:
            FitError: The task gives no loss per row.
        """
        weighed = (
            batch if batch.weight is not None else batch._replace(weight=torch.ones_like(batch.positions, dtype=torch.float))
        )
        losses = self.plain(output, weighed)
        if losses.ndim != 1:
            raise FitError(
                "this task gives no loss per row, which the mitigation needs",
                got=f"losses of shape {tuple(losses.shape)}",
                fix="choose a mitigation that acts before or after training",
            )
        for objective in self.objectives:
            losses = objective(losses, output, batch)
        return cast(Tensor, losses)

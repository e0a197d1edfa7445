"""The task of predicting a value."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.estimator import EstimatorModule, SelfFitting
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError
from glassbench.stats.settings_types import PositiveNumber
from glassbench_plugins.supervised.metrics import MEAN_ABSOLUTE_ERROR, R2, ROOT_MEAN_SQUARED_ERROR
from glassbench_plugins.supervised.outputs import checked_values
from glassbench_plugins.supervised.rows import frame_of
from glassbench_plugins.supervised.standardized import Standardized

_LOSSES: dict[str, Callable[..., Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": functional.huber_loss,
}


class Regression(Task):
    """Predicts a number.

    A network learns the target in standard deviations from its mean, both taken from the training split and saved
    with the weights; its answers and their explanations are in the target's own unit.

    Args:
        loss: What training minimises: `mse` the squared error, `mae` the absolute error, `huber` squared for small
            errors and absolute for large ones.
        huber_delta: Where `huber` turns from squared to absolute, in standard deviations of the target.
    """

    kind = Values()

    def __init__(self, *, loss: Literal["mse", "mae", "huber"] = "mse", huber_delta: PositiveNumber = 1.0) -> None:
        self.loss = loss
        self.huber_delta = huber_delta
        self._unit: str | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean absolute error first; errors carry the target's unit once a schema was checked."""
        return replace(MEAN_ABSOLUTE_ERROR, unit=self._unit), replace(ROOT_MEAN_SQUARED_ERROR, unit=self._unit), R2

    def check(self, schema: Schema) -> None:
        """Keep the unit of the value.

        Raises:
            DataError: The target is no value.
        """
        target = schema.target
        if target.kind != "value":
            fix = "use the task 'classification'" if target.kind == "class" else "choose a data set with a value to predict"
            raise DataError(f"regression needs a value, but '{target.name}' is a {target.kind}", fix=fix)
        self._unit = target.unit

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Wrap the network so that it learns on a standardised scale."""
        return model if isinstance(model, Standardized | EstimatorModule | SelfFitting) else Standardized(model)

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Measure the training targets and wrap the network with the chosen loss."""
        assert isinstance(data.train, Split)
        assert data.train.target is not None
        scaled = model if isinstance(model, Standardized) else Standardized(model)
        scaled.measure(data.train.target)
        options = {"delta": self.huber_delta} if self.loss == "huber" else {}
        compare = _LOSSES[self.loss]

        def loss(output: Tensor, batch: Batch) -> Tensor:
            off = (checked_values(output) - batch.target) / scaled.std
            return compare(off, torch.zeros_like(off), reduction="mean" if batch.weight is None else "none", **options)

        return SupervisedLearner(scaled, loss, optimization, self.evaluate)

    def evaluate(self, output: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the mean absolute error on held-out rows, in the target's unit."""
        return {"mean_absolute_error": (checked_values(output) - truth).abs().mean().item()}

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Predict every row, in the target's unit."""
        assert isinstance(source, Split)
        values = checked_values(forward_all(model, source)).double().numpy()
        truth = None if source.target is None else source.target.double().numpy()
        frame = frame_of(source, truth, values, pd.DataFrame({"score": values}))
        return Predictions(frame=frame, source=source, target_index=torch.zeros(len(source), dtype=torch.long))

    def decision(self) -> dict[str, Any]:
        """Return that the output is the prediction, as `ExportedTask` says."""
        return {"kind": "value"}

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the chosen loss of each row, of errors in the target's own unit; half of a squared one."""
        off = checked_values(output) - batch.target
        options = {"delta": self.huber_delta} if self.loss == "huber" else {}
        each = _LOSSES[self.loss](off, torch.zeros_like(off), reduction="none", **options)
        return each / 2 if self.loss == "mse" else each

    def attribution_output(self, output: Any) -> Tensor:
        """Return the value as the only output, `(n, 1)`."""
        assert isinstance(output, Tensor)
        return checked_values(output)[:, None]

"""The task of forecasting the next steps of every channel."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.facts import ForecastFacts, SeriesFacts
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, GlassbenchError
from glassbench_plugins.series.forecast_errors import (
    ABSOLUTE,
    CHANNEL_ABSOLUTE,
    CHANNEL_SQUARED,
    SQUARED,
    forecast_metrics,
)

_LOSSES: dict[str, Callable[..., Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": functional.huber_loss,
}
_ROWS = 512


class Forecasting(Task):
    """Predicts the next steps of every channel.

    A row is a window. It learns and is judged by the errors of all steps and channels on the standardised scale; the
    decision of a row is the mean forecast of the target channel over the horizon, in its own unit, and so is what
    explanations explain.

    Args:
        loss: What training minimises: `mse` the squared error, `mae` the absolute error, `huber` squared for small
            errors and absolute for those beyond a standard deviation.
    """

    kind = Values(continues=True)

    def __init__(self, *, loss: Literal["mse", "mae", "huber"] = "mse") -> None:
        self.loss = loss
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean absolute error on the standardised scale first."""
        return forecast_metrics(None if self._schema is None else self._schema.target.unit)

    def check(self, schema: Schema) -> None:
        """Keep the schema, whose scale and target channel predictions speak of.

        Raises:
            DataError: The rows are no windows with something to forecast.
        """
        facts = schema.facts_of(SeriesFacts)
        if facts is None or facts.forecast is None or schema.target.kind != "value":
            raise DataError(
                "forecasting needs windows of a series and what follows them",
                got=f"{schema.modality} rows with a {schema.target.kind} to predict",
                fix="use the data set 'series-table' or 'seasonal', or the task 'classification' for classes",
            )
        self._schema = schema
        unit = f" ({schema.target.unit})" if schema.target.unit else ""
        channel = schema.features[self._channel].name
        self.attribution_output_name = f"the mean forecast of {channel}{unit}"

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of forecasts `(n, horizon, channels)` with the chosen loss."""
        self.check(data.schema)
        compare = _LOSSES[self.loss]

        def loss(output: Tensor, batch: Batch) -> Tensor:
            return compare(output, batch.target)

        return SupervisedLearner(model, loss, optimization, self.evaluate)

    def evaluate(self, output: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the mean absolute error on held-out windows, on the standardised scale."""
        return {"mean_absolute_error": functional.l1_loss(output, truth).item()}

    def predict(self, model: nn.Module | None, source: Any) -> Predictions:
        """Forecast every window."""
        assert isinstance(source, Split)
        assert model is not None
        frame = self._frame(source, forward_all(model, source, _ROWS))
        target_index = torch.full((len(source),), self._channel, dtype=torch.long)
        return Predictions(frame=frame, source=source, target_index=target_index)

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str] | None:
        """Return the windows forecast by repeating their last day, or their last step where steps are no part of a day."""
        source = predictions.source
        if source is None:
            return None
        season, horizon = self._wanted.season, self._wanted.horizon
        last = torch.cat([batch.inputs[0][:, -season:] for batch in source.batches(_ROWS)])
        repeated = last.repeat(1, -(-horizon // season), 1)[:, :horizon]
        words = "repeating the last day" if season > 1 else "repeating the last step"
        return self._frame(source, repeated), words

    def decision(self) -> dict[str, Any]:
        """Return how forecasts on the standardised scale become predictions, as `ExportedTask` says."""
        mean, std = (part.tolist() for part in self._scale)
        return {"kind": "forecast", "channel": self._channel, "mean": mean, "std": std}

    def attribution_output(self, output: Any) -> Tensor:
        """Return the mean forecast of each channel over the horizon, in its own unit, `(n, channels)`."""
        assert isinstance(output, Tensor)
        mean, std = (torch.as_tensor(part).to(output) for part in self._scale)
        return output.mean(dim=1) * std + mean

    def _frame(self, source: Split, forecast: Tensor) -> pd.DataFrame:
        """Return the prediction rows of forecasts `(n, horizon, channels)`."""
        columns: dict[str, Any] = {"row": source.rows}
        if source.target is not None:
            columns["y_true"] = self._spoken(source.target)
        columns["y_pred"] = columns["score"] = self._spoken(forecast)
        if source.target is not None:
            columns |= self._errors(forecast, source.target)
        if source.clusters is not None:
            columns["cluster"] = source.clusters
        frame = pd.DataFrame(columns)
        groups = [] if source.groups is None else [source.groups.reset_index(drop=True).add_prefix("group.")]
        return pd.concat([frame, *groups], axis=1)

    def _spoken(self, steps: Tensor) -> np.ndarray:
        """From steps `(n, horizon, channels)` to the mean of the target channel in its own unit `(n,)`, float64."""
        mean, std = self._scale
        values: np.ndarray = steps[..., self._channel].double().mean(dim=1).numpy() * std[self._channel] + mean[self._channel]
        return values

    def _errors(self, forecast: Tensor, truth: Tensor) -> dict[str, np.ndarray]:
        """Return each window's mean squared and absolute errors."""
        off = forecast - truth
        own, std = off[..., self._channel].double(), self._scale[1][self._channel]
        return {
            SQUARED: off.square().mean(dim=(1, 2), dtype=torch.float64).numpy(),
            ABSOLUTE: off.abs().mean(dim=(1, 2), dtype=torch.float64).numpy(),
            CHANNEL_SQUARED: own.square().mean(dim=1).numpy() * std**2,
            CHANNEL_ABSOLUTE: own.abs().mean(dim=1).numpy() * std,
        }

    @property
    def _channel(self) -> int:
        return self._wanted.channel

    @property
    def _scale(self) -> tuple[np.ndarray, np.ndarray]:
        facts = self._facts
        return np.asarray(facts.mean, dtype=np.float64), np.asarray(facts.std, dtype=np.float64)

    @property
    def _wanted(self) -> ForecastFacts:
        wanted = self._facts.forecast
        assert wanted is not None
        return wanted

    @property
    def _facts(self) -> SeriesFacts:
        facts = None if self._schema is None else self._schema.facts_of(SeriesFacts)
        if facts is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return facts

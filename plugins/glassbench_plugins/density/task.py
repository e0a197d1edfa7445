"""The task of saying how likely rows are."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError
from glassbench_plugins.unsupervised.descent import objective_learner
from glassbench_plugins.unsupervised.unlabelled import frame_of


def log_likelihood(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean log-density of rows the model has not seen, in nats, `(b,)`."""
    return np.asarray(weights @ frame["score"].to_numpy(dtype=np.float64) / weights.sum(axis=1))


class Density(Task):
    """Says how likely each row is.

    A model gives log-densities in nats `(n,)`, or those of a row and each component together `(n, k)`, which are summed. They
    are densities of the encoded inputs: of standardised columns, where the data set standardises them.
    """

    kind = Values()
    attribution_output_name = "the log-density"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean log-density of held-out rows."""
        return (Metric(name="log_likelihood", compute=log_likelihood, unit="nats", compares=False),)

    def check(self, schema: Schema) -> None:
        """Refuse rows that have no density.

        Raises:
            DataError: The rows are tokens.
        """
        if schema.modality == "text":
            raise DataError("tokens have no density", got="text", fix="use the task 'language-modeling'")

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Let a network maximise the likelihood of the training rows."""
        return objective_learner(model, data, optimization)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Give every row its log-density."""
        assert isinstance(source, Split)
        values = log_density(forward_all(model, source)).double().numpy()
        frame = frame_of(source, None, values, pd.DataFrame({"score": values}))
        return Predictions(frame=frame, source=source, target_index=torch.zeros(len(source), dtype=torch.long))

    def attribution_output(self, output: Any) -> Tensor:
        """Return the log-density as the only output, `(n, 1)`."""
        assert isinstance(output, Tensor)
        return log_density(output)[:, None]


def log_density(output: Tensor) -> Tensor:
    """Return log-densities `(n,)` from a model's output: themselves, or summed over components `(n, k)`."""
    return output.logsumexp(dim=1) if output.ndim == 2 else output

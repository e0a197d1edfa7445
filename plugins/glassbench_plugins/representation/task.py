"""The task of saying rows in fewer numbers."""

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
from glassbench.stats.settings_types import Count
from glassbench_plugins.representation import trustworthiness
from glassbench_plugins.unsupervised.descent import objective_learner
from glassbench_plugins.unsupervised.grown import flat
from glassbench_plugins.unsupervised.unlabelled import frame_of, true_names

_CHUNK = 4096


class Representation(Task):
    """Says rows in fewer numbers, their code, from which they can be restored.

    A model's output is the code `(n, m)`; `decode` restores rows from it. The value of a row is its reconstruction error, the
    mean squared difference per encoded column. What is explained is the entry of the code that is furthest from its mean in the
    row.

    Args:
        neighbours: How many neighbours trustworthiness and the neighbourhood hit look at.
    """

    kind = Values()
    attribution_output_name = "the most unusual entry of its code"

    def __init__(self, *, neighbours: Count = 5) -> None:
        self.neighbours = neighbours
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The reconstruction error first."""
        return (
            Metric(name="reconstruction_error", compute=_error, higher_is_better=False, compares=False, lowest=0.0),
            Metric(name="explained_variance", compute=_explained, compares=False, highest=1.0),
            Metric(name="trustworthiness", compute=_trustworthiness, compares=False, lowest=0.0, highest=1.0),
            Metric(name="neighbourhood_hit", compute=_hit, compares=False, lowest=0.0, highest=1.0),
        )

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: The rows are tokens.
        """
        if schema.modality == "text":
            raise DataError("tokens cannot be restored from a code", got="text", fix="choose rows of numbers")
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Let a network minimise its own objective."""
        return objective_learner(model, data, optimization)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Encode and restore every row."""
        assert isinstance(source, Split)
        codes = forward_all(model, source)
        with torch.no_grad():
            restored = torch.cat([model.decode(part) for part in torch.split(codes, _CHUNK)])  # type: ignore[operator]
        rows = flat(source.batch(slice(None)).inputs[0].numpy())
        errors = ((rows - flat(restored.numpy())) ** 2).mean(axis=1)
        columns = {
            "score": errors,
            "variation": ((rows - rows.mean(axis=0)) ** 2).mean(axis=1),
            "intrusion": trustworthiness.intrusions(rows, flat(codes.numpy()), self.neighbours),
            "hit": trustworthiness.hits(flat(codes.numpy()), true_names(source, self._schema), self.neighbours),
        }
        unusual = (codes - codes.mean(dim=0)) / codes.std(dim=0).clamp(min=1e-12)
        frame = frame_of(source, None, errors, pd.DataFrame(columns))
        return Predictions(frame=frame, source=source, target_index=unusual.abs().argmax(dim=1))

    def attribution_output(self, output: Any) -> Tensor:
        """Return the code `(n, m)`."""
        assert isinstance(output, Tensor)
        return output


def _error(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return _mean(frame["score"], weights)


def _explained(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of the rows' variance that survives, `(b,)`."""
    return np.asarray(1 - _mean(frame["score"], weights) / np.maximum(_mean(frame["variation"], weights), 1e-300))


def _trustworthiness(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return 1 - _mean(frame["intrusion"], weights)


def _hit(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return _mean(frame["hit"], weights)


def _mean(values: pd.Series, weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights @ values.to_numpy(dtype=np.float64) / weights.sum(axis=1))

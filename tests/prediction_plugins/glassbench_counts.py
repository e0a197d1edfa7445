"""How often something happens: a kind of prediction, a data set and a task (Poisson regression)."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench import (
    Batch,
    Data,
    DatasetSpec,
    Losses,
    Metric,
    Optimization,
    Predictions,
    Schema,
    Split,
    SupervisedLearner,
    Task,
    TaskSpec,
    Values,
    forward_all,
    hookimpl,
)
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data


@hookimpl
def glassbench_datasets() -> list[DatasetSpec]:
    return [DatasetSpec(name="visits", summary="How often patients come.", target="glassbench_counts:visits", targets=("value",))]


@hookimpl
def glassbench_tasks() -> list[TaskSpec]:
    return [TaskSpec(name="counting", summary="How often.", target="glassbench_counts:Counting", models_of=("regression",))]


def visits(seed: int) -> Data:
    """Visits in a year: one more year of age is worth 2 %, a chronic illness doubles them; `site` has nothing to do with them."""
    chance, rows = np.random.default_rng(seed), 1200
    frame = pd.DataFrame({"age": chance.uniform(20, 80, rows).round(), "chronic": chance.random(rows) < 0.3})
    frame["site"] = chance.choice(["north", "south"], rows)
    frame["visits"] = chance.poisson(np.exp(0.02 * (frame["age"] - 50) + np.log(2) * frame["chronic"] + 0.5))
    return table_data(frame, Columns(target="visits", kind="value", sensitive=("site",)), Division(seed=seed))


class Counts(Values):
    """A number of events per row, predicted by its expectation."""

    name = "counts"

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses:
        """Return the Poisson deviance beside that of the mean."""
        truth, rate = frame["y_true"].to_numpy(dtype=float), frame["y_pred"].to_numpy(dtype=float)
        return Losses(predicted=deviance(truth, rate), guessed=deviance(truth, np.full(len(truth), max(truth.mean(), 1e-9))))


def deviance(truth: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the deviance of each row from its rate `(n,)` (McCullagh, Nelder 1989)."""
    ratio = np.where(truth > 0, truth, 1) / rate
    return np.asarray(2 * (np.where(truth > 0, truth * np.log(ratio), 0) - (truth - rate)))


def _mean_deviance(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    each = deviance(frame["y_true"].to_numpy(dtype=float), frame["y_pred"].to_numpy(dtype=float))
    return np.asarray(weights @ each / weights.sum(axis=1))


class Counting(Task):
    kind = Counts()
    attribution_output_name = "the logarithm of the expected number"
    metrics = (Metric(name="deviance", compute=_mean_deviance, higher_is_better=False, lowest=0.0),)

    def check(self, schema: Schema) -> None: ...

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        return functional.poisson_nll_loss(output[:, 0], batch.target, reduction="none")

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        return SupervisedLearner(model, self.row_loss, optimization)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        rate = forward_all(model, source)[:, 0].double().exp().numpy()
        frame = pd.DataFrame({"row": source.rows, "y_pred": rate, "score": rate, **_known(source)})
        return Predictions(frame=frame, source=source, target_index=torch.zeros(len(source), dtype=torch.long))

    def attribution_output(self, output: Any) -> Tensor:
        return torch.as_tensor(output)


def _known(source: Split) -> dict[str, Any]:
    groups = {} if source.groups is None else {f"group.{name}": source.groups[name].to_numpy() for name in source.groups}
    return groups if source.target is None else {"y_true": source.target.double().numpy(), **groups}

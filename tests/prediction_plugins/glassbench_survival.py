"""Times to an event that may be censored: a kind of prediction, a data set and a task (an exponential model)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench import (
    BaselinePredictions,
    Batch,
    Data,
    DatasetSpec,
    Metric,
    NotableRows,
    Optimization,
    PredictionKind,
    Predictions,
    RowErrors,
    Schema,
    Split,
    SupervisedLearner,
    Task,
    TaskSpec,
    forward_all,
    hookimpl,
)
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data

HORIZON = 12.0
"""The month at which stated chances of surviving are held against what happened."""


@hookimpl
def glassbench_datasets() -> list[DatasetSpec]:
    summary = "Months until a relapse, some not observed."
    return [DatasetSpec(name="relapses", summary=summary, target="glassbench_survival:relapses")]


@hookimpl
def glassbench_tasks() -> list[TaskSpec]:
    summary, target = "Predict the time to an event.", "glassbench_survival:Surviving"
    return [TaskSpec(name="survival", summary=summary, target=target, models_of=("regression",))]


def relapses(seed: int, *, rows: int = 1500, planted: bool = False) -> Data:
    """Months until a relapse, shorter for higher stages.

    Args:
        rows: How many patients.
        planted: Whether stages say nothing in the south.
    """
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({"stage": chance.integers(1, 5, rows), "marker": chance.normal(size=rows).round(2)})
    frame["site"] = chance.choice(["north", "south"], rows)
    stage = np.where(planted & (frame["site"] == "south"), chance.integers(1, 5, rows), frame["stage"])
    months = chance.exponential(40 * np.exp(-0.7 * stage + 0.3 * frame["marker"]))
    seen = chance.exponential(40, rows)
    frame["months"], frame["event"] = np.minimum(months, seen).round(4) + 0.01, (months <= seen).astype(int)
    columns = Columns(target="months", kind="value", sensitive=("site",), drop=("event",))
    data = table_data(frame, columns, Division(seed=seed))
    parts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    return replace(data, **{name: _censored(split) for name, split in parts.items() if split is not None})


def _censored(split: Split) -> Split:
    """Return a split whose target holds the time and whether the event was seen, `(n, 2)`."""
    assert split.target is not None
    assert split.beside is not None
    event = torch.tensor(split.beside["event"].astype(float).tolist())
    return replace(split, target=torch.stack([split.target.float(), event], dim=1))


class Survival(PredictionKind):
    """A predicted median time per row. The true time of a row whose event was not seen is only known to be longer."""

    name = "times to an event"
    required = ("row", "y_pred", "event")

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return how far each time is off; where the event was not seen, by how much it is too short (Haider et al. 2020)."""
        if "y_true" not in frame:
            return None
        short = frame["y_true"].to_numpy(dtype=float) - frame["y_pred"].to_numpy(dtype=float)
        size = np.where(frame["event"].to_numpy(dtype=bool), np.abs(short), np.maximum(short, 0))
        usual = float(frame["y_pred"].std(ddof=0)) or 1.0
        return RowErrors(size=size, binary=False, words="mean error of times", measure="hinge_error", unit="months", usual=usual)

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors:
        """Return by how much each predicted time moved."""
        size = np.abs(after["y_pred"].to_numpy(dtype=float) - before["y_pred"].to_numpy(dtype=float))
        usual = float(before["y_pred"].std(ddof=0)) or 1.0
        return RowErrors(size=size, binary=False, words="mean change of times", measure="change", unit="months", usual=usual)

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions:
        """Return the median of the times of events for every row, with half a chance of surviving it."""
        middle = float(frame.loc[frame["event"] > 0, "y_true"].median())
        shown = frame.assign(y_pred=middle, survives=0.5 ** (HORIZON / middle))
        return BaselinePredictions(frame=shown, words=f"always answering {middle:.3g} months", constant=True)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the shortest and the longest predicted times."""
        order = np.argsort(frame["y_pred"].to_numpy(dtype=float), kind="stable")
        return NotableRows(title="the shortest predicted time", rows=order), NotableRows(title="the longest", rows=order[::-1])

    def said(self, value: object, schema: Schema) -> str:
        """Return a time in months."""
        return f"{float(str(value)):.3g} months"


def concordance(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return Harrell's concordance under each row of weights `(b,)`: of pairs whose order is known, the share predicted in it."""
    time, event, predicted = (frame[name].to_numpy(dtype=float) for name in ("y_true", "event", "y_pred"))
    known = (time[:, None] < time) & (event[:, None] > 0)
    right = known * ((predicted[:, None] < predicted) + 0.5 * (predicted[:, None] == predicted))
    pairs = ((weights @ known) * weights).sum(axis=1)
    return np.asarray(((weights @ right) * weights).sum(axis=1) / np.where(pairs > 0, pairs, np.nan))


def horizon_error(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return how far stated chances of surviving the horizon lie from Kaplan and Meier's estimate on average `(b,)`."""
    order = np.argsort(frame["y_true"].to_numpy(dtype=float), kind="stable")
    time, event = (frame[name].to_numpy(dtype=float)[order] for name in ("y_true", "event"))
    held = weights[:, order]
    at_risk = held[:, ::-1].cumsum(axis=1)[:, ::-1]
    leaves = np.where((time <= HORIZON) & (at_risk > 0), held * event / np.where(at_risk > 0, at_risk, 1), 0)
    stated = weights @ frame["survives"].to_numpy(dtype=float) / weights.sum(axis=1)
    return np.asarray(np.abs(stated - np.prod(1 - leaves, axis=1)))


class Surviving(Task):
    kind = Survival()
    attribution_output_name = "the logarithm of the predicted time"
    metrics = (
        Metric(name="concordance", compute=concordance, lowest=0.0, highest=1.0, judged=True),
        Metric(name="horizon_error", compute=horizon_error, higher_is_better=False, lowest=0.0, highest=1.0),
    )

    def check(self, schema: Schema) -> None: ...

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the negative log-likelihood of an exponential time, `(n,)`."""
        scale, time, event = output[:, 0], batch.target[:, 0], batch.target[:, 1]
        return event * scale + time * torch.exp(-scale)

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        return SupervisedLearner(model, self.row_loss, optimization)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        mean = forward_all(model, source)[:, 0].double().exp().numpy()
        columns: dict[str, Any] = {"row": source.rows, "y_pred": np.log(2) * mean, "survives": np.exp(-HORIZON / mean)}
        columns["event"] = np.ones(len(mean))
        if source.target is not None:
            columns |= {"y_true": source.target[:, 0].double().numpy(), "event": source.target[:, 1].double().numpy()}
        if source.groups is not None:
            columns |= {f"group.{name}": source.groups[name].to_numpy() for name in source.groups}
        index = torch.zeros(len(source), dtype=torch.long)
        return Predictions(frame=pd.DataFrame(columns), source=source, target_index=index)

    def attribution_output(self, output: Any) -> Tensor:
        return torch.as_tensor(output)

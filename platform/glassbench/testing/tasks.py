"""What every task promises."""

import json
from typing import Any

import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.task import Optimization, Task
from glassbench.testing.metrics import check_metric
from glassbench.testing.prediction_kinds import check_kind


def check_task(task: Task, data: Data, model: Any) -> None:
    """Check that a task keeps its promises.

    Args:
        task: The task, made with its settings.
        data: Rows it can learn from.
        model: A network for these rows, trained or not.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    task.check(data.schema)
    names = [metric.name for metric in task.metrics]
    assert names, "a task has metrics"
    assert len(names) == len(set(names)), "the names of metrics must differ"
    model = task.adapt(model, data.schema)
    assert task.adapt(model, data.schema) is model, "adapting twice is adapting once"
    assert task.learner(model, data, Optimization()) is not None
    _calibrate(task, model, data)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    predictions = task.predict(model, data.test)
    frame = predictions.frame
    assert isinstance(task.kind, PredictionKind), "a task says what kind its predictions are (`Task.kind`)"
    check_kind(task.kind, frame, data.schema)
    groups = {f"group.{name}" for name in data.schema.sensitive}
    assert groups <= set(frame.columns), f"predictions need the columns {sorted(groups)}"
    same = all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert same, "predicting must leave the model as it was"
    assert frame.equals(task.predict(model, data.test).frame), "predicting twice must give the same"
    _check_explained(task, model, predictions.source, predictions.target_index)
    _check_loss(task, model, predictions.source)
    _check_metrics(task, frame)


def _calibrate(task: Task, model: Any, data: Data) -> None:
    """Read off held-out rows what predicting needs, as a run does, and write it as a run keeps it."""
    facts = task.calibrate(model.eval(), data)
    if facts is not None:
        task.use_calibration(json.loads(json.dumps(facts, allow_nan=False)))
        assert task.calibrate(model, data) == facts, "calibrating twice must give the same"


def _check_explained(task: Task, model: Any, source: Split | None, target_index: torch.Tensor | None) -> None:
    if source is None or target_index is None:
        return
    batch = source.batch(slice(0, 8))
    explained = task.attribution_output(model(*batch.inputs))
    assert explained.ndim >= 2, "what is explained has a row axis and at least one axis of outputs"
    assert len(explained) == len(batch.positions), "what is explained has one entry per row"
    depth = 1 if target_index.ndim == 1 else target_index.shape[-1]
    assert explained.ndim == depth + 1, "target_index must index every axis of what is explained but the first"


def _check_loss(task: Task, model: Any, source: Split | None) -> None:
    if source is None or source.target is None:
        return
    batch = source.batch(slice(0, 8))
    losses = task.row_loss(model(*batch.inputs), batch)
    assert losses is None or losses.shape == (len(batch.positions),), "there is one loss per row"


def _check_metrics(task: Task, frame: Any) -> None:
    if "y_true" not in frame:
        return
    for metric in task.metrics:
        check_metric(metric, frame, task.kind.together)

"""What every trainer promises."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glassbench.contracts.data import Data, Split
from glassbench.contracts.trainer import Fitted, Record, Trainer, Workspace
from glassbench.testing.fixtures import ToyTask, toy_data


def check_trainer(trainer: Trainer, model: Callable[..., Any], *, data: Data | None = None) -> None:
    """Check that a trainer keeps its promises.

    Args:
        trainer: The trainer, made with its settings.
        model: A model component of the form it trains, `(schema) -> model`.
        data: What to learn; without it, a toy table with two classes.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    data = data or toy_data()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, history = _fitted(trainer, model, data, Path(one))
        _check_fitted(first, history, data)
        again, repeated = _fitted(trainer, model, data, Path(one))
        assert torch.equal(_outputs(first, data), _outputs(again, data)), (
            "fitting again in the same folder must give the same model"
        )
        assert {r["step"]: r for r in [*history, *repeated]} == {r["step"]: r for r in history}, "nor may it change the history"
        fresh, _ = _fitted(trainer, model, _other_test(data), Path(other))
        same = torch.equal(_outputs(first, data), _outputs(fresh, data))
        assert same, "the same seed must give the same model, whatever the test split holds"


def _other_test(data: Data) -> Data:
    """Return the same data with a test split that teaches the contrary."""
    assert isinstance(data.test, Split)
    assert isinstance(data.test.inputs, tuple)
    return replace(data, test=replace(data.test, inputs=tuple(-tensor for tensor in data.test.inputs)))


def _fitted(trainer: Trainer, model: Callable[..., Any], data: Data, folder: Path) -> tuple[Fitted, list[Record]]:
    task, history = ToyTask(kind="class" if data.schema.target.classes else "value"), list[Record]()
    task.check(data.schema)
    torch.manual_seed(5)
    fitted = trainer.fit(model(data.schema), task, data, Workspace(seed=5, folder=folder, record=history.append))
    return fitted, history


def _check_fitted(fitted: Fitted, history: list[Record], data: Data) -> None:
    assert isinstance(fitted, Fitted), f"fit returns Fitted, got {type(fitted).__name__}"
    try:
        json.dumps(fitted.facts, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"facts of the training are JSON values: {error}") from error
    assert not fitted.model.training, "the fitted model comes in evaluation mode"
    assert all("step" in record for record in history), "every record of the history has a step"
    steps = [record["step"] for record in history]
    assert steps == sorted(steps), "the history goes forward"
    assert isinstance(data.test, Split)
    assert data.test.target is not None
    right = (_outputs(fitted, data).argmax(1) == data.test.target).float().mean()
    assert right > 0.7, f"it must learn what is easy: {right:.2f} of the held-out rows are right"


def _outputs(fitted: Fitted, data: Data) -> Tensor:
    assert isinstance(data.test, Split)
    with torch.inference_mode():
        output: Tensor = fitted.model(*data.test.batch(slice(None)).inputs)
    return output.clone()

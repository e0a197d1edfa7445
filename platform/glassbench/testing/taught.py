"""What every model promises that only its own task can teach: clusterings, densities, codes, scores."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import differentiable
from glassbench.contracts.task import Task
from glassbench.contracts.trainer import Trainer, Workspace
from glassbench.experiments.settings import settings_model

_ROWS = 24


def check_taught(factory: Callable[..., Any], task: Task, trainer: Trainer, data: Data, **settings: Any) -> None:
    """Check that a model without classes or values to learn keeps its promises, trained as an experiment trains it.

    Args:
        factory: The component, `(schema, *, settings...)`.
        task: A task that it serves.
        trainer: A trainer of its form, with settings that make it quick.
        data: What it learns from and is asked about.
        settings: Settings to make it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(factory)
    task.check(data.schema)
    assert isinstance(data.test, Split)
    rows = data.test.take(torch.arange(min(_ROWS, len(data.test))).numpy())
    model, again = (_taught(factory, task, trainer, data, settings) for _ in range(2))
    same = all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
    assert same, "the same seed must give the same model"
    _check_output(model, rows)
    _check_gradient(model, task, rows)
    fresh = _made(factory, task, data, settings)
    fresh.load_state_dict(model.state_dict())
    frame = task.predict(model, data.test).frame
    assert frame.equals(task.predict(fresh.eval(), data.test).frame), "a model's weights and buffers must say all it has learnt"


def _made(factory: Callable[..., Any], task: Task, data: Data, settings: dict[str, Any]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return task.adapt(factory(task.model_schema(data.schema), **settings), data.schema)


def _taught(factory: Callable[..., Any], task: Task, trainer: Trainer, data: Data, settings: dict[str, Any]) -> nn.Module:
    model = _made(factory, task, data, settings)
    with tempfile.TemporaryDirectory() as folder:
        return trainer.fit(model, task, data, Workspace(seed=5, folder=Path(folder), record=lambda line: None)).model


def _check_output(model: nn.Module, rows: Split) -> None:
    inputs = rows.batch(slice(None)).inputs
    with torch.no_grad():
        output: Tensor = model(*inputs)
        single = torch.cat([model(*(t[i : i + 1] for t in inputs)) for i in range(len(rows))])
        repeated: Tensor = model(*inputs)
    assert len(output) == len(rows), "the output has one entry per row"
    assert torch.isfinite(output).all(), "the output must be finite"
    assert torch.allclose(output, single, atol=1e-4), "a row's output must not depend on the rows beside it"
    assert torch.equal(output, repeated), "the same rows must give the same output"


def _check_gradient(model: nn.Module, task: Task, rows: Split) -> None:
    """Check that what is explained has gradients by the inputs where the model says so."""
    if not differentiable(model):
        return
    first, *others = rows.batch(slice(None)).inputs
    first = first.clone().requires_grad_()
    explained = task.attribution_output(model(first, *others)).flatten(1)
    slopes = [torch.autograd.grad(column.sum(), first, retain_graph=True)[0] for column in explained.T]
    assert all(bool(slope.isfinite().all()) for slope in slopes), "gradients by the inputs must be finite"
    assert any(bool((slope != 0).any()) for slope in slopes), "gradients must flow from the inputs to what is explained"

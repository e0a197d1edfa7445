"""What every model promises."""

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import EstimatorModule, SelfFitting
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Task
from glassbench.errors import FitError
from glassbench.experiments.settings import settings_model
from glassbench.pipeline.building import seed_all
from glassbench.runs.artifacts import load_trained, save_trained
from glassbench.system.process_state import put_back
from glassbench.testing.fixtures import Descended, ToyTask, descend, toy_data

_ROWS = 128
"""Training rows that a network descends on, at most."""


def check_model(
    factory: Callable[..., Any],
    *,
    data: Data | Sequence[Data] | None = None,
    task: Task | None = None,
    trusts: Sequence[str] = (),
    **settings: Any,
) -> None:
    """Check that a model keeps its promises.

    Args:
        factory: The component, `(schema, *, settings...)`.
        data: What it is for, or several sets of which it must serve one; without it, toy tables with two classes, three
            classes and a value.
        task: Whose loss a network descends; without it, that of classes or values. Tokens need theirs.
        trusts: Types that its spec trusts (`ModelSpec.trusts`), for an estimator.
        settings: Settings to make it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(factory)
    served = 0
    given = [data] if isinstance(data, Data) else data
    for each in given or [toy_data(), toy_data(classes=3), toy_data("value")]:
        try:
            model = _made(factory, each.schema, settings)
        except FitError:
            continue  # a model may refuse a kind of target, as long as it serves one
        served += 1
        if isinstance(model, nn.Module) and isinstance(model, SelfFitting):
            _check_self_fitting(partial(_made, factory, each.schema, settings), each)
        elif isinstance(model, nn.Module):
            _check_network(factory, model, each, settings, task)
        else:
            _check_estimator(model, each, trusts)
    assert served, "a model must serve classes or values"


def _made(factory: Callable[..., Any], schema: Schema, settings: dict[str, Any]) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return factory(schema, **settings)


def _check_network(
    factory: Callable[..., Any], model: nn.Module, data: Data, settings: dict[str, Any], task: Task | None
) -> None:
    assert isinstance(data.train, Split)
    batch = data.train.take(torch.arange(min(32, len(data.train))).numpy()).batch(slice(None))
    _same_weights(model, _made(factory, data.schema, settings))
    model.eval()
    _check_inputs_kept(model, batch.inputs)
    output = model(*batch.inputs)
    assert not any(module.training for module in model.modules()), "asking a model must not turn its training mode on"
    assert output.dtype is torch.float32, f"the output must be float32 as the inputs are, got {output.dtype}"
    _check_output(output, tuple(batch.target.shape), data.schema)
    single = torch.cat([model(*(t[i : i + 1] for t in batch.inputs)) for i in range(len(batch.positions))])
    assert torch.allclose(output, single, atol=1e-4), "in evaluation mode a row's output must not depend on the rows beside it"
    assert torch.equal(output, model(*batch.inputs)), "in evaluation mode the same rows must give the same output"
    descended = _descended(model, data, task)
    _check_gradients(model, descended.loss(model(*batch.inputs), batch).mean())
    _check_inputs_reached(model, batch.inputs)
    few = data.train.take(torch.arange(min(_ROWS, len(data.train))).numpy())
    losses = descend(model, descended, few, 60, learning_rate=0.01)
    assert min(losses[-5:]) < losses[0], f"the loss must fall while training: {losses[0]:.3f} at first, {losses[-1]:.3f} at last"
    trained = model.eval()(*batch.inputs)
    if data.schema.target.kind == "class" and trained.ndim == 2:
        _check_logits(trained)
    with tempfile.TemporaryDirectory() as folder:
        save_trained(Path(folder), model)
        fresh = load_trained(Path(folder), _made(factory, data.schema, settings))
    assert torch.equal(fresh(*batch.inputs), trained), "a model's weights and buffers must say all it has learnt"


def _check_self_fitting(make: Callable[[], Any], data: Data) -> None:
    assert isinstance(data.train, Split)
    assert isinstance(data.train.inputs, tuple)
    rows, target = data.train.inputs[0].numpy(), None if data.train.target is None else data.train.target.numpy()
    before, models = rows.copy(), [make(), make()]
    for model in models:
        with put_back():
            seed_all(1)
            model.fit(rows, target)
    assert np.array_equal(rows, before), "fitting must not change the rows"
    _same_weights(*models)
    fitted = models[0].eval()
    json.dumps(dict(fitted.facts), allow_nan=False)
    inputs = data.train.take(np.arange(min(32, len(rows)))).batch(slice(None)).inputs
    _check_inputs_kept(fitted, inputs)
    output = fitted(*inputs)
    assert output.is_floating_point(), f"the output must be float32 or float64, got {output.dtype}"
    assert len(output) == len(inputs[0]), f"the output must have one entry per row, got {tuple(output.shape)}"
    assert torch.isfinite(output).all(), "the output must be finite"
    with tempfile.TemporaryDirectory() as folder:
        save_trained(Path(folder), fitted)
        fresh = load_trained(Path(folder), make()).eval()
    assert torch.equal(fresh(*inputs), output), "a model's weights and buffers must say all it has learnt"


def _check_inputs_kept(model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    before = [tensor.clone() for tensor in inputs]
    model(*inputs)
    kept = all(torch.equal(tensor, was) for tensor, was in zip(inputs, before, strict=True))
    assert kept, "a model must not change its inputs (an operation in place, such as `x += 1` or `relu_`)"


def _check_inputs_reached(model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Check that gradients reach numbers that are given as inputs; tokens have none."""
    given = tuple(t.clone().requires_grad_(t.is_floating_point()) for t in inputs)
    floating = [tensor for tensor in given if tensor.requires_grad]
    if not floating:
        return
    output = model(*given)
    assert output.requires_grad, "the output must depend on the inputs by gradients (no `detach`, no `no_grad`, no NumPy)"
    reached = torch.autograd.grad(output.square().sum(), floating, allow_unused=True)
    found = any(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in reached)
    assert found, "gradients must reach the inputs (no `detach`), or no explanation can follow them"


def _check_logits(output: Tensor) -> None:
    sums = output.sum(dim=1)
    shares = bool((output >= 0).all() and (output <= 1).all() and torch.allclose(sums, torch.ones_like(sums), atol=1e-4))
    assert not shares, "a classifier returns logits, not probabilities: leave out the softmax"


def _descended(model: nn.Module, data: Data, task: Task | None) -> Descended:
    """Return what has the loss that the network descends."""
    known = task or ToyTask(kind="class" if data.schema.target.classes else "value")
    known.check(data.schema)
    if isinstance(known, ToyTask):
        return known
    learner = known.learner(model, data, Optimization())
    assert isinstance(learner, SupervisedLearner), "a model is checked by a task whose learner has a loss"
    return learner


def _same_weights(first: nn.Module, second: nn.Module) -> None:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs), "the same seed must give the same weights"


def _check_output(output: Tensor, truth: tuple[int, ...], schema: Schema) -> None:
    """Check the shape of an output, given that of the truth: a score per class (and position or pixel), or the truth's own."""
    classes = len(schema.target.classes)
    shapes: list[tuple[int, ...]] = [(*truth, classes)] if classes else [truth, (*truth, 1)]
    if schema.target.kind == "labels":
        shapes = [truth]
    if schema.target.kind == "ranking":
        shapes = [(truth[0], classes)]
    if schema.target.kind == "mask":
        shapes = [(truth[0], classes, *truth[1:])]
    if schema.target.kind == "sequence" and schema.modality == "audio":
        shapes = [(truth[0], *output.shape[1:-1], classes)]  # a score per class and frame, of which there may be any number
    if schema.target.kind == "boxes":
        shapes = [tuple(output.shape)]  # how boxes are given is between a network and its task, which refuses what it cannot read
    assert tuple(output.shape) in shapes, f"the output's shape must be {' or '.join(map(str, shapes))}, got {tuple(output.shape)}"
    assert torch.isfinite(output).all(), "the output must be finite"


def _check_gradients(model: nn.Module, loss: Tensor) -> None:
    model.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    idle = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not idle, f"the loss must reach every weight; it does not reach {', '.join(idle)}"


def _check_estimator(model: Any, data: Data, trusts: Sequence[str]) -> None:
    for method in ("fit", "predict"):
        assert callable(getattr(model, method, None)), f"a model is a torch.nn.Module or has fit and predict; no {method}"
    assert isinstance(data.train, Split)
    assert isinstance(data.train.inputs, tuple)
    assert data.train.target is not None
    rows = data.train.inputs[0].numpy()
    before = rows.copy()
    model.fit(rows, data.train.target.numpy())
    assert np.array_equal(rows, before), "fitting must not change the rows"
    classes = len(data.schema.target.classes)
    if classes:
        assert hasattr(model, "predict_proba"), "a classifier must give probabilities (predict_proba)"
        assert model.predict_proba(rows[:3]).shape == (3, classes), "probabilities must have one column per class"
    with tempfile.TemporaryDirectory() as folder:
        save_trained(Path(folder), EstimatorModule(model))
        loaded = load_trained(Path(folder), model, trusts)
    again = loaded.estimator.predict(rows[:50])  # type: ignore[union-attr,operator]
    assert np.array_equal(again, model.predict(rows[:50])), "an estimator that is stored and loaded must predict the same"

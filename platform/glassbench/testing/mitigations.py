"""What every mitigation promises."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from glassbench.contracts.data import Data, Episodes, Split
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError
from glassbench.testing.fixtures import ToyTask, toy_data, toy_model


def check_mitigation(mitigation: Mitigation, data: Data | None = None, task: Task | None = None, model: Any = None) -> None:
    """Check that a mitigation keeps its promises.

    Args:
        mitigation: The mitigation, made with its settings.
        data: Rows it can serve, or episodes; None for a small table with the sensitive feature `side`.
        task: A task for these rows; None for the toy task.
        model: An untrained network or estimator for these rows; None for a small network.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    assert isinstance(mitigation, Mitigation), "a mitigation derives from glassbench.Mitigation"
    changed = [name for name in _HOOKS if getattr(type(mitigation), name) is not getattr(Mitigation, name)]
    assert changed, f"a mitigation overrides at least one of {', '.join(_HOOKS)}"
    data = toy_data(rows=480) if data is None else data
    if isinstance(data.train, Episodes):
        _check_episodes(mitigation, data, task, model)
        return
    task = ToyTask() if task is None else task
    task.check(data.schema)
    network = toy_model(data.schema) if model is None or not isinstance(model, nn.Module) else model
    mitigation.check(data, task, network if model is None else model)
    inputs = _check_inputs(mitigation, data)
    _check_rows(mitigation, data)
    if model is not None and not isinstance(model, nn.Module):
        _check_wrapped(mitigation, model, data)
    else:
        _check_objective(mitigation, data, task, network)
    decisions = _check_decisions(mitigation, data, task, network)
    _check_account(mitigation, _trained_on(mitigation, data), {**(inputs or {}), **(decisions or {})})


_HOOKS = ("training_rows", "training_episodes", "fit_inputs", "wrap", "objective", "fit_decisions")


def _check_account(mitigation: Mitigation, data: Data, facts: Mapping[str, Any]) -> None:
    told = mitigation.account(data, facts)
    assert isinstance(told, str), "account returns a text"
    assert told.strip().endswith("."), "account returns sentences"


def _check_episodes(mitigation: Mitigation, data: Data, task: Task | None, model: Any) -> None:
    assert isinstance(data.train, Episodes)
    mitigation.check(data, ToyTask() if task is None else task, model)
    changed = mitigation.training_episodes(data.train, data.schema)
    assert isinstance(changed, Episodes), "training_episodes returns episodes"
    first, again, plain = (episodes.make(3) for episodes in (changed, changed, data.train))
    assert first.observation_space == plain.observation_space, "episodes show what they showed before"
    assert first.action_space == plain.action_space, "episodes take the actions that they took before"
    first.action_space.seed(0)
    for action in (first.action_space.sample() for _ in range(50)):
        (seen, paid, *ended, _), (same, as_much, *also, _) = first.step(action), again.step(action)
        assert np.array_equal(seen, same), "the same seed and actions lead to the same observations"
        assert np.isfinite(paid), "rewards are finite"
        assert (paid, ended) == (as_much, also), "the same seed and actions are paid alike"
        if any(ended):
            break
    _check_account(mitigation, Data(**{**vars(data), "train": changed}), {})


def _trained_on(mitigation: Mitigation, data: Data) -> Data:
    assert isinstance(data.train, Split)
    return Data(**{**vars(data), "train": mitigation.training_rows(data.train, data.schema, 0)})


def _check_inputs(mitigation: Mitigation, data: Data) -> Mapping[str, Any] | None:
    assert isinstance(data.train, Split)
    assert isinstance(data.test, Split)
    facts = mitigation.fit_inputs(data.train, data.schema)
    if facts is None:
        return None
    assert _stored(facts) == facts, "what fit_inputs returns is JSON"
    changed = mitigation.transform(data.test, facts)
    assert (changed.rows == data.test.rows).all(), "transform keeps the rows and their order"
    before, after = data.test.batch(slice(None)).inputs, changed.batch(slice(None)).inputs
    assert [t.shape for t in before] == [t.shape for t in after], "transform keeps the shape of inputs"
    part = mitigation.transform(data.test.take(np.arange(5)), facts).batch(slice(None)).inputs
    same = all(torch.allclose(a, b[:5], atol=1e-6) for a, b in zip(part, after, strict=True))
    assert same, "transform treats each row by itself"
    return facts


def _check_rows(mitigation: Mitigation, data: Data) -> None:
    assert isinstance(data.train, Split)
    first, again = (mitigation.training_rows(data.train, data.schema, 3) for _ in range(2))
    assert set(first.rows) <= set(data.train.rows), "training rows are drawn from the training rows"
    assert (first.rows == again.rows).all(), "the same seed draws the same rows"
    if first.weights is not None:
        assert again.weights is not None
        assert (first.weights == again.weights).all(), "the same seed gives the same weights"
        assert (first.weights >= 0).all(), "weights are 0 or above"
        assert first.weights.any(), "not all weights are 0"


def _check_wrapped(mitigation: Mitigation, model: Any, data: Data) -> None:
    assert type(mitigation.wrap(model, None)) is type(mitigation.wrap(model, data)), "wrap gives one type of estimator"


def _check_objective(mitigation: Mitigation, data: Data, task: Task, network: nn.Module) -> None:
    trained = _trained_on(mitigation, data)
    objective = mitigation.objective(trained)
    if objective is None:
        return
    assert isinstance(objective, nn.Module), "an objective is a module, so that a checkpoint holds its state"
    assert isinstance(trained.train, Split)
    batch = trained.train.batch(torch.arange(0, len(trained.train), 3))
    output = network(*batch.inputs)
    plain = task.row_loss(output, batch)
    assert plain is not None, "this task gives no loss per row to check an objective with"
    losses = objective.train()(plain, output, batch)
    assert losses.shape == plain.shape, "an objective returns one loss per row"
    assert bool(losses.isfinite().all()), "losses are finite"
    losses.mean().backward()
    assert any(p.grad is not None for p in network.parameters()), "the loss has a gradient"
    network.zero_grad(set_to_none=True)
    if isinstance(trained.validation, Split) and len(trained.validation):
        before = {name: value.clone() for name, value in objective.state_dict().items()}
        held_out = trained.validation.batch(slice(0, 16))
        with torch.no_grad():
            output = network(*held_out.inputs)
            losses = objective.eval()(task.row_loss(output, held_out), output, held_out)
        assert losses.shape == (16,), "an objective returns one loss per row of validation rows too"
        same = all(torch.equal(value, before[name]) for name, value in objective.state_dict().items())
        assert same, "validation rows change nothing in an objective"


def _check_decisions(mitigation: Mitigation, data: Data, task: Task, network: nn.Module) -> Mapping[str, Any] | None:
    facts = mitigation.fit_decisions(task.predict(network.eval(), data.validation), data.schema)
    if facts is None:
        return None
    assert _stored(facts) == facts, "what fit_decisions returns is JSON"
    plain = task.predict(network, data.test)
    decided = mitigation.decide(plain, _stored(facts))
    task.kind.check(decided.frame, data.schema)
    kept = [c for c in plain.frame.columns if c == "row" or c == "y_true" or str(c).startswith("group.")]
    assert decided.frame[kept].equals(plain.frame[kept]), "decide keeps rows, truths and groups"
    part = mitigation.decide(plain.take(np.arange(7)), facts).frame
    for column in ("y_pred", *(c for c in decided.frame.columns if c not in plain.frame.columns)):
        assert part[column].tolist() == decided.frame[column].iloc[:7].tolist(), "decide treats each row by itself"
    for metric in mitigation.metrics:
        told = metric.compute(decided.frame, np.ones((2, len(decided.frame))))
        assert np.shape(told) == (2,), f"the metric {metric.name} gives one number for each row of weights"
    bare = Predictions(frame=plain.frame.drop(columns=[c for c in plain.frame.columns if str(c).startswith("group.")]))
    assert _taken_or_refused_with_a_fix(mitigation, bare, facts), "rows without their groups are refused with what to do"
    return facts


def _taken_or_refused_with_a_fix(mitigation: Mitigation, bare: Predictions, facts: Mapping[str, Any]) -> bool:
    try:
        mitigation.decide(bare, facts)
    except DataError as error:
        return error.fix is not None
    return True


def _stored(facts: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(facts, allow_nan=False))

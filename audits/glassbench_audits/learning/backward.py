"""One backward pass on training rows: gradients per layer and per time step, and which units fire."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence
from torch.utils.hooks import RemovableHandle

from glassbench.contracts.data import Batch, Data
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Optimization, Task
from glassbench.errors import GlassbenchError
from glassbench_audits.learning.padding import real_steps

RECTIFIERS = (nn.ReLU, nn.ReLU6)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)
CHANNELS_FIRST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

Loss = Callable[[Any, Batch], Tensor]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """The gradient of one layer's own parameters, layers in the order in which they are called.

    Args:
        name, kind: Its path in the network and its class.
        signal: Norm of the gradient of what the layer puts out, over all rows: what reaches it from the loss.
        gradient: Root mean square of the gradient of its parameters.
        weight: Root mean square of the parameters.
        weights: Whether it has a matrix of weights that is no table of embeddings.
    """

    name: str
    kind: str
    signal: float
    gradient: float
    weight: float
    weights: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Backward:
    """What one backward pass showed.

    Args:
        rows: How many training rows it took.
        loss: Their mean loss.
        layers: The gradient of each layer.
        steps: For each recurrent layer, the norm of the gradient at each time step that it reads of each row `(rows, steps)`, NaN
            after the end of a row and where padding stands.
        fired: For each rectifier, which of its units were above 0 for any row, bool `(units,)`.
    """

    rows: int
    loss: float
    layers: tuple[Layer, ...]
    steps: dict[str, np.ndarray]
    fired: dict[str, np.ndarray]


def backward(subject: Subject, rows: int) -> Backward | None:
    """Run a copy of the model forward and backward on training rows, as it stands after training.

    Args:
        subject: What is examined; it is left as it is.
        rows: The most rows.

    Returns:
        None where the task gives no loss of rows, or the model no gradients.
    """
    if subject.train is None or subject.missing(("gradients",)) or not isinstance(subject.task, Task):
        return None
    network = copy.deepcopy(subject.model)
    assert network is not None
    network.eval().zero_grad(set_to_none=True)
    loss = loss_of(subject, network)
    if loss is None:
        return None
    chosen = np.sort(subject.generator("learning.rows").permutation(len(subject.train))[:rows])
    batch = subject.train.batch(torch.as_tensor(chosen))
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    batch = Batch(tuple(t.to(device) for t in batch.inputs), batch.target.to(device), batch.positions)
    with _watched(network) as seen, torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(subject.seed)
        value = loss(network(*batch.inputs), batch).mean()
        if not value.requires_grad:
            return None
        value.backward()  # type: ignore[no-untyped-call]
    facts = subject.schema.facts_of(TextFacts)
    read = real_steps(batch.inputs, None if facts is None else facts.padding)
    steps = {name: _per_step(*values, read) for name, values in seen.read.items()}
    return Backward(
        rows=len(chosen),
        loss=float(value.detach()),
        layers=tuple(_layers(network, seen)),
        steps={name: values for name, values in steps.items() if values is not None},
        fired={name: parts.cpu().numpy() for name, parts in seen.fired.items()},
    )


def loss_of(subject: Subject, network: nn.Module) -> Loss | None:
    """Return the loss that the task's learner descends, or None where it descends none of rows."""
    from glassbench.contracts.learner import (
        SupervisedLearner,  # seconds to import, and most subjects have nothing trained step by step
    )

    assert subject.train is not None
    data = Data(schema=subject.schema, train=subject.train, test=subject.train)
    try:
        learner = subject.task.learner(network, data, Optimization(seed=subject.seed))
    except GlassbenchError:  # a task may need more than training rows to make a learner
        return None
    return learner.loss if isinstance(learner, SupervisedLearner) else None


@dataclass(eq=False)
class _Seen:
    """What the hooks saw."""

    order: list[str] = field(default_factory=list)
    read: dict[str, tuple[Tensor, Tensor | bool]] = field(default_factory=dict)
    fired: dict[str, Tensor] = field(default_factory=dict)
    signals: dict[str, float] = field(default_factory=dict)
    last: nn.Module | None = None

    def heard(self, name: str, output: Any) -> None:
        """Listen for the gradient of what a layer puts out; its square is added where there are several."""
        for part in output if isinstance(output, tuple) else (output,):
            if isinstance(part, tuple):
                self.heard(name, part)
            elif isinstance(part, Tensor) and part.requires_grad:
                part.register_hook(lambda grad: self._add(name, float(grad.double().square().sum())))  # type: ignore[no-untyped-call]

    def _add(self, name: str, square: float) -> None:
        self.signals[name] = self.signals.get(name, 0.0) + square


@contextmanager
def _watched(network: nn.Module) -> Iterator[_Seen]:
    seen, handles = _Seen(), list[RemovableHandle]()
    for name, module in network.named_modules():
        if isinstance(module, RECURRENT):
            handles.append(module.register_forward_pre_hook(_reader(seen, name)))
        if not list(module.children()) or isinstance(module, RECURRENT):
            handles.append(module.register_forward_hook(_noter(seen, name)))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _reader(seen: _Seen, name: str) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]:
    def before(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        given = inputs[0]
        packed = isinstance(given, PackedSequence)
        values = given.data if packed else given
        values = values if values.requires_grad else values.detach().requires_grad_()
        values.retain_grad()
        seen.read[name] = (values, given.batch_sizes if packed else bool(module.batch_first))
        return (given._replace(data=values) if packed else values, *inputs[1:])

    return before


def _noter(seen: _Seen, name: str) -> Callable[[nn.Module, Any, Any], None]:
    def after(module: nn.Module, _: Any, output: Any) -> None:
        if name not in seen.order:
            seen.order.append(name)
        seen.heard(name, output)
        if isinstance(module, RECTIFIERS) and isinstance(output, Tensor) and output.ndim > 1:
            first = output.ndim == 4 or isinstance(seen.last, CHANNELS_FIRST)
            units = output.detach().movedim(1 if first else -1, 0).flatten(1)
            fired = (units > 0).any(dim=1)
            before = seen.fired.get(name)
            seen.fired[name] = fired if before is None or len(before) != len(fired) else before | fired
        seen.last = module

    return after


def _per_step(values: Tensor, layout: Tensor | bool, read: Sequence[Tensor]) -> np.ndarray | None:
    """Return the norm of the gradient at each real time step of each row `(rows, steps)`, NaN where there is none; None where no
    gradient flowed.

    Args:
        values: What the layer read, with its gradient.
        layout: How many rows each step has where rows were packed, else whether rows come first.
        read: Which steps of each row are no padding, bool `(rows, steps)`, for each input that has steps.
    """
    if values.grad is None or (isinstance(layout, bool) and values.ndim != 3):
        return None
    norms = values.grad.detach().double().norm(dim=-1)
    if isinstance(layout, Tensor):
        padded, lengths = pad_packed_sequence(PackedSequence(norms, layout), batch_first=True)
        real = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
        return np.asarray(torch.where(real, padded, torch.nan).cpu().numpy())
    norms = norms if layout else norms.T
    real = torch.ones_like(norms, dtype=torch.bool)
    for tokens in read:
        if tokens.shape == norms.shape:
            real &= tokens
    # A step after which no gradient flows is not read: a network that pools over real tokens leaves the padding behind them out.
    ends = norms.flip(1).cumsum(dim=1).flip(1) > 0
    return np.asarray(torch.where(real & ends, norms, torch.nan).cpu().numpy())


def _layers(network: nn.Module, seen: _Seen) -> Iterator[Layer]:
    modules = dict(network.named_modules())
    for name in seen.order:
        own = [p for p in modules[name].parameters(recurse=False) if p.grad is not None]
        if own:
            flat = torch.cat([p.detach().double().flatten() for p in own])
            grads = torch.cat([p.grad.double().flatten() for p in own if p.grad is not None])
            yield Layer(
                name=name or type(network).__name__,
                kind=type(modules[name]).__name__,
                signal=float(np.sqrt(seen.signals.get(name, 0.0))),
                gradient=float(grads.square().mean().sqrt()),
                weight=float(flat.square().mean().sqrt()),
                weights=any(p.ndim > 1 for p in own) and not isinstance(modules[name], nn.Embedding),
            )

"""What every compression promises."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.exporting import LinearMap, TreeSum
from glassbench.contracts.task import Task
from glassbench.testing.fixtures import ToyTask, descend, toy_data, toy_model

_NETWORK = 2048
"""Width of the toy network, wide enough that there is something to save."""

_STEPS = 60
"""Steps over all training rows where a compression names no epochs."""


def check_compression(
    compression: Compression,
    data: Data | None = None,
    task: Task | None = None,
    network: nn.Module | None = None,
    *,
    estimator: Any = None,
) -> None:
    """Check that a compression keeps its promises; it needs the packages of the extra `export`.

    Args:
        compression: The compression, made with its settings.
        data: Rows; None for a small table.
        task: A task for these rows; None for the toy task.
        network: A trained network for these rows with one input; None for a small one.
        estimator: A scikit-learn estimator fitted to these rows, in place of a network.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    from glassbench.export.arrays_to_onnx import arrays_to_onnx  # only where a compression is checked
    from glassbench.export.estimators import estimator_arrays
    from glassbench.export.networks import network_to_onnx, program_of

    assert isinstance(compression, Compression), "a compression derives from glassbench.Compression"
    data = data or toy_data(classes=3, rows=400)
    assert isinstance(data.test, Split)
    task = task or ToyTask()
    task.check(data.schema)
    sample = data.test.take(np.arange(3)).batch(slice(None)).inputs

    def written(model: nn.Module | TreeSum | LinearMap) -> bytes:
        if isinstance(model, nn.Module):
            return bytes(network_to_onnx(program_of(model.eval(), sample)).SerializeToString())
        return bytes(arrays_to_onnx(model, sample[0].shape[1]).SerializeToString())

    if estimator is None:
        network = network or _trained(data)
        arrays = None
    else:
        network = EstimatorModule(estimator, classes=len(data.schema.target.classes) or None)
        arrays = estimator_arrays(estimator, data.schema)
    source = _source(data, task, network.eval(), arrays, written(network if arrays is None else arrays))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    made, again = (compression.compress(source) for _ in range(2))
    same = all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert same, "a compression leaves the network that it is given as it is"
    _check_result(made)
    models = [one.arrays if one.network is None else one.network for one in (made, again)]
    graphs = [one.graph if model is None else written(model) for one, model in zip((made, again), models, strict=True)]
    _check_answers(graphs, network, data.test)
    assert _told(made.facts) == _told(again.facts), "the same source gives the same facts"
    assert _size(graphs[0], made) < _size(source.graph, made), "what is returned takes fewer bytes than the original"
    said = compression.account(made.facts)
    assert isinstance(said, str), "account returns a text"
    assert said.strip().endswith("."), "account returns sentences"
    _check_harder(compression)


def _check_result(made: Any) -> None:
    assert isinstance(made, Compressed), "compress returns Compressed"
    assert made.forms == 1, "compress returns a network, arrays or a graph, and one of them alone"
    assert _told(made.facts) is not None, "facts are JSON values"


def _check_answers(graphs: list[bytes | None], network: nn.Module, rows: Split) -> None:
    from glassbench.compressing.onnx_network import OnnxNetwork

    inputs = rows.batch(slice(None)).inputs
    first, again = (OnnxNetwork(graph or b"")(*inputs) for graph in graphs)
    with torch.no_grad():
        original: Tensor = network(*inputs)
    assert first.shape == original.shape, "what is returned answers in the shape of the original"
    assert bool(first.isfinite().all()), "what is returned answers finite numbers"
    assert torch.equal(first, again), "the same source gives the same answers"
    few = OnnxNetwork(graphs[0] or b"")(*(tensor[:1] for tensor in inputs))
    assert few.shape[0] == 1, "what is returned takes any number of rows"


def _check_harder(compression: Compression) -> None:
    """Make sure that asking for more comes to an end."""
    further, steps = compression.harder(), 0
    while further is not None:
        steps += 1
        assert steps < 100, "harder comes to an end"
        assert further != compression, "harder returns other settings"
        compression, further = further, further.harder()


def _size(graph: bytes | None, made: Compressed) -> int:
    from glassbench.compressing.stored_model import as_stored

    return len(as_stored(graph or b"", packed=made.packed)[1])


def _source(data: Data, task: Task, model: nn.Module, arrays: TreeSum | LinearMap | None, graph: bytes) -> CompressionSource:
    def build(_: Mapping[str, Any] | None, share: float) -> nn.Module:
        torch.manual_seed(0)
        return toy_model(data.schema, width=max(2, round(_NETWORK * share)))

    def fit(network: nn.Module, objective: Callable[[Data], nn.Module] | None = None, *, epochs: int | None = None) -> nn.Module:
        changed = None if objective is None else objective(data).train()
        _descend(network, task, data, changed, _STEPS if epochs is None else epochs)
        return network.eval()

    return CompressionSource(
        model=model,
        network=model if arrays is None else None,
        arrays=arrays,
        graph=graph,
        train=data.train if isinstance(data.train, Split) else None,
        task=task,
        schema=data.schema,
        seed=0,
        build=build,
        fit=fit,
    )


def _descend(student: nn.Module, task: Task, data: Data, objective: nn.Module | None, steps: int) -> None:
    assert isinstance(data.train, Split)
    batch = data.train.batch(slice(None))
    optimizer = torch.optim.Adam(student.parameters(), lr=0.02)
    student.train()
    for _ in range(steps):
        output = student(*batch.inputs)
        losses = task.row_loss(output, batch)
        assert losses is not None, "this task gives no loss per row to check an objective with"
        changed = losses if objective is None else objective(losses, output, batch)
        assert changed.shape == losses.shape, "an objective returns one loss per row"
        optimizer.zero_grad()
        changed.mean().backward()
        optimizer.step()


def _trained(data: Data) -> nn.Module:
    assert isinstance(data.train, Split)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = toy_model(data.schema, width=_NETWORK)
    task = ToyTask()
    task.check(data.schema)
    descend(network, task, data.train, 60)
    return network.eval()


def _told(facts: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(facts), allow_nan=False))

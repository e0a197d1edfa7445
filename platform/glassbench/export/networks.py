"""Networks as PyTorch programs and as ONNX graphs, for any number of rows."""

import inspect
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from glassbench.errors import FOREIGN, RunError, said
from glassbench.export.arrays_to_onnx import INPUTS, IR, OPSET, OUTPUT

_SAMPLE = 3
"""Rows of the sample that a network is traced with; any other number then fits too."""

_KINDS = {"float32": torch.float32, "float64": torch.float64, "uint8": torch.uint8, "int64": torch.int64}


def sample_inputs(spec: Mapping[str, Any], rows: int = _SAMPLE) -> Tensor:
    """Return inputs of zeros for a few rows, of the `dtype` and `shape` that a preprocessing names."""
    return torch.zeros((rows, *spec["shape"]), dtype=_KINDS[spec["dtype"]])


def program_of(network: nn.Module, inputs: Sequence[Tensor]) -> ExportedProgram:
    """Return a network as a program for any number of rows.

    Args:
        network: In evaluation mode, called with `inputs`.
        inputs: A sample of its inputs, `(n, ...)` each.

    Raises:
        RunError: PyTorch cannot trace it.
    """
    rows = Dim("rows", min=1)
    each = tuple({0: rows} for _ in inputs)
    try:
        with _quiet(), torch.no_grad():
            return torch.export.export(network, tuple(inputs), dynamic_shapes=(each,) if _variadic(network) else each)
    except FOREIGN as error:
        raise RunError(
            "PyTorch cannot trace this network for any number of rows",
            got=said(error),
            fix="let its forward ask `inputs.shape[0]` in place of `len(inputs)`, and branch on no value",
        ) from error


def _variadic(network: nn.Module) -> bool:
    """Whether a network takes its inputs as one argument `*inputs`, which PyTorch traces as one tuple."""
    kinds = [parameter.kind for parameter in inspect.signature(network.forward).parameters.values()]
    return inspect.Parameter.VAR_POSITIONAL in kinds


def network_to_onnx(program: ExportedProgram) -> onnx.ModelProto:
    """Return a program with one input and one output as an ONNX graph.

    Raises:
        RunError: It uses an operation that ONNX does not have.
    """
    try:
        with _quiet():
            exported = torch.onnx.export(program, dynamo=True, verbose=False, opset_version=OPSET)
        assert exported is not None
        model: onnx.ModelProto = exported.model_proto
    except FOREIGN as error:
        raise RunError("this network cannot be told in ONNX", got=said(error), fix="export it with --to torch-export") from error
    model.ir_version = min(model.ir_version, IR)
    _rename(model.graph, {model.graph.input[0].name: INPUTS, model.graph.output[0].name: OUTPUT})
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "rows"
    del model.graph.value_info[:]
    _forget(model)
    onnx.checker.check_model(model)
    return model


def _rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)


def _forget(model: onnx.ModelProto) -> None:
    """Take out where on this machine each operation came from."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:]
    del model.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what exporting says to developers of PyTorch."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

"""A model as one ONNX graph: raw rows in, predictions out."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from glassbench.export.arrays_to_onnx import INPUTS, IR, OUTPUT, Graph
from glassbench.export.graph_cells import absent_numbers, text_places
from glassbench.export.group_graph import group_code, group_input, own_offsets
from glassbench.export.parts import Parts

ROWS = "rows"
"""The input of a graph whose rows are no table; a table has an input for each column."""

_MODEL, _ENCODED = "#model/", "#encoded"
_KINDS = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8,
    "int64": TensorProto.INT64,
    "text": TensorProto.STRING,
    "bool": TensorProto.BOOL,
}
Outputs = Mapping[str, tuple[str, tuple[Any, ...]]]
"""Names of outputs with their types and shapes."""


def raw_graph(core: onnx.ModelProto, parts: Parts) -> onnx.ModelProto:
    """Return the graph from raw rows to predictions.

    Args:
        core: The graph from encoded rows to the model's output.
        parts: What it is an export of.
    """
    before, inputs = _before(parts.preprocessing)
    after, outputs = _after(parts, core.graph.output[0])
    opsets = {opset.domain: opset.version for opset in core.opset_import} | {"ai.onnx.ml": 5}
    inner = compose.add_prefix(core, _MODEL)
    graph = helper.make_graph(
        [*before.nodes, *_joined(inner.graph, {_MODEL + INPUTS: _ENCODED}), *after.nodes],
        "glassbench",
        [helper.make_tensor_value_info(name, _KINDS[kind], [ROWS, *shape]) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, _KINDS[kind], [ROWS, *shape]) for name, (kind, shape) in outputs.items()],
        [*before.constants, *inner.graph.initializer, *after.constants],
    )
    imports = [helper.make_opsetid(domain, number) for domain, number in opsets.items()]
    made = {"opset_imports": imports, "ir_version": IR, "producer_name": "glassbench"}
    model = helper.make_model(graph, functions=list(inner.functions), **made)
    onnx.checker.check_model(model)
    return model


def input_names(preprocessing: Mapping[str, Any]) -> list[str]:
    """Return the inputs of a graph: the columns of a table, one of which may not be called as an output is, or the rows."""
    if preprocessing["kind"] != "table":
        return [ROWS]
    return [f"{column['name']} (input)" if column["name"] in _TAKEN else column["name"] for column in preprocessing["columns"]]


def group_of(preprocessing: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the input that tells a row's group, and the kind of its cells; None where no group is asked for."""
    return None if preprocessing["kind"] != "table" else group_input(preprocessing, input_names(preprocessing))


def _joined(graph: onnx.GraphProto, names: Mapping[str, str]) -> list[onnx.NodeProto]:
    """Return a graph's nodes with some values called otherwise."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    return list(graph.node)


def _before(spec: Mapping[str, Any]) -> tuple[Graph, Outputs]:
    """Return the nodes from raw rows to encoded ones, and the inputs they read."""
    graph = Graph("#before/")
    if spec["kind"] == "table":
        _encode_table(graph, spec)
        kinds = {"number": "float64", "category": "text"}
        columns = zip(input_names(spec), spec["columns"], strict=True)
        inputs: dict[str, tuple[str, tuple[Any, ...]]] = {name: (kinds[column["kind"]], ()) for name, column in columns}
        group = group_of(spec)
        return graph, inputs if group is None else {**inputs, group[0]: (kinds[group[1]], ())}
    if spec["kind"] == "scaled":
        kind = "float32" if spec["dtype"] == "uint8" else "float64"
        shape = [1] * (len(spec["shape"]) + 1)
        shape[spec["axis"] + 1] = len(spec["mean"])
        mean, std = (np.asarray(spec[name], dtype=kind).reshape(shape) for name in ("mean", "std"))
        rows = graph.add("Div", graph.add("Cast", ROWS, to=_KINDS[kind]), graph.constant(spec["divide"], kind))
        scaled = graph.add("Div", graph.add("Sub", rows, graph.constant(mean)), graph.constant(std))
        graph.add("Cast", scaled, output=_ENCODED, to=TensorProto.FLOAT)
    else:
        graph.add("Identity", ROWS, output=_ENCODED)
    return graph, {ROWS: (spec["dtype"], tuple(spec["shape"]))}


def _encode_table(graph: Graph, spec: Mapping[str, Any]) -> None:
    """Add what `TableEncoder.encode` does: numbers side by side, then one block for each category, in the order of the model."""
    named = list(zip(input_names(spec), spec["columns"], strict=True))
    numbers = [(name, column) for name, column in named if column["kind"] == "number"]
    blocks: list[str] = []
    places: dict[str, list[int]] = {column["name"]: [] for column in spec["columns"]}
    width = 0
    if numbers:
        standard, gaps = _numbers(graph, numbers, spec["cells"])
        blocks += [standard, gaps]
        for place, (_, column) in enumerate(numbers):
            places[column["name"]] = [place, *([len(numbers) + place] if column["indicator"] else [])]
        width = 2 * len(numbers)
    for name, column in named:
        if column["kind"] == "category":
            blocks.append(_category(graph, name, column, spec))
            places[column["name"]] = list(range(width, width + len(column["categories"])))
            width += len(column["categories"])
    order = [place for column in spec["columns"] for place in places[column["name"]]]
    joined = graph.add("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]
    graph.add("Gather", joined, graph.constant(order, np.int64), axis=1, output=_ENCODED)


def _numbers(graph: Graph, numbers: list[tuple[str, Mapping[str, Any]]], cells: Mapping[str, Any]) -> tuple[str, str]:
    """Return numbers on the model's scale, and which were missing, float32 `(n, columns)` each."""
    axis = graph.constant([1], np.int64)
    each = [graph.add("Unsqueeze", name, axis) for name, _ in numbers]
    values = graph.add("Concat", *each, axis=1)
    absent = absent_numbers(graph, values, cells)
    median, mean, std = (graph.constant([c[name] for _, c in numbers], np.float64) for name in ("median", "mean", "std"))
    filled = graph.add("Where", absent, median, values)
    standard = graph.add("Div", graph.add("Sub", filled, mean), std)
    return graph.add("Cast", standard, to=TensorProto.FLOAT), graph.add("Cast", absent, to=TensorProto.FLOAT)


def _category(graph: Graph, name: str, column: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """Return a category's encoded columns, float32 `(n, categories)`; texts that stand for nothing known leave all of them 0."""
    place = {category: k for k, category in enumerate(column["categories"])}
    code = text_places(graph, name, column["name"], place, spec)
    wide = graph.add("Unsqueeze", code, graph.constant([1], np.int64))
    same = graph.add("Equal", wide, graph.constant([list(range(len(place)))], np.int64))
    return graph.add("Cast", same, to=TensorProto.FLOAT)


def _after(parts: Parts, given: onnx.ValueInfoProto) -> tuple[Graph, Outputs]:
    """Return the nodes from the model's output to predictions, and the outputs they give."""
    graph, decision = Graph("#after/"), parts.decision
    output = graph.add("Cast", _MODEL + OUTPUT, to=TensorProto.DOUBLE)
    shape = tuple(dim.dim_value for dim in given.type.tensor_type.shape.dim)[1:]
    group = group_of(parts.preprocessing)
    if group is None:
        return graph, _KINDS_OF_DECISION[decision["kind"]](graph, output, decision, shape)
    code = group_code(graph, group[0], parts.preprocessing, decision["by"]["offsets"])
    interval = _interval(graph, output, decision, own_offsets(graph, code, decision))
    return graph, {**interval, "corrected_as": ("text", ())}


def _classes(graph: Graph, output: str, decision: Mapping[str, Any], shape: tuple[int, ...]) -> Outputs:
    scores, names = graph.add("Softmax", output, axis=1, output="scores"), decision["classes"]
    if decision["threshold"] is None:
        chosen = graph.add("ArgMax", scores, axis=1, keepdims=0)
    else:
        positive = names.index(decision["positive"])
        own = graph.add("Gather", scores, graph.constant(positive, np.int64), axis=1)
        reached = graph.add("GreaterOrEqual", own, graph.constant(decision["threshold"], np.float64))
        chosen = graph.add("Where", reached, graph.constant(positive, np.int64), graph.constant(1 - positive, np.int64))
    places = list(range(len(names)))
    graph.add("LabelEncoder", chosen, domain="ai.onnx.ml", keys_int64s=places, values_strings=list(names), output="y_pred")
    return {"y_pred": ("text", ()), "scores": ("float64", (len(names),))}


def _labels(graph: Graph, output: str, decision: Mapping[str, Any], shape: tuple[int, ...]) -> Outputs:
    one = graph.constant(1, np.float64)
    scores = graph.add("Div", one, graph.add("Add", one, graph.add("Exp", graph.add("Neg", output))), output="scores")
    graph.add("GreaterOrEqual", scores, graph.constant(decision["threshold"], np.float64), output="y_pred")
    width = (len(decision["labels"]),)
    return {"y_pred": ("bool", width), "scores": ("float64", width)}


def _value(graph: Graph, output: str, decision: Mapping[str, Any], shape: tuple[int, ...]) -> Outputs:
    graph.add("Reshape", output, graph.constant([-1], np.int64), output="y_pred")
    return {"y_pred": ("float64", ())}


def _quantiles(graph: Graph, output: str, decision: Mapping[str, Any], shape: tuple[int, ...]) -> Outputs:
    return _interval(graph, output, decision, graph.constant(decision["offset"], np.float64))


def _interval(graph: Graph, output: str, decision: Mapping[str, Any], offset: str) -> Outputs:
    levels = len(decision["levels"])
    graph.nodes.append(
        helper.make_node("TopK", [output, graph.constant([levels], np.int64)], ["quantiles", "#places"], axis=1, largest=0)
    )

    def at(place: int) -> str:
        return graph.add("Gather", "quantiles", graph.constant(place, np.int64), axis=1)

    low, high = decision["ends"]
    middle = graph.add("Identity", at(decision["middle"]), output="y_pred")
    graph.add("Min", graph.add("Sub", at(low), offset), middle, output="low")
    graph.add("Max", graph.add("Add", at(high), offset), middle, output="high")
    single: dict[str, tuple[str, tuple[Any, ...]]] = dict.fromkeys(("y_pred", "low", "high"), ("float64", ()))
    return {**single, "quantiles": ("float64", (levels,))}


def _forecast(graph: Graph, output: str, decision: Mapping[str, Any], shape: tuple[int, ...]) -> Outputs:
    mean, std = (graph.constant(decision[name], np.float64) for name in ("mean", "std"))
    steps = graph.add("Add", graph.add("Mul", output, std), mean, output="forecast")
    own = graph.add("Gather", steps, graph.constant(decision["channel"], np.int64), axis=2)
    graph.add("ReduceMean", own, graph.constant([1], np.int64), keepdims=0, output="y_pred")
    return {"y_pred": ("float64", ()), "forecast": ("float64", shape)}


_KINDS_OF_DECISION: Mapping[str, Callable[[Graph, str, Mapping[str, Any], tuple[int, ...]], Outputs]] = {
    "classes": _classes,
    "labels": _labels,
    "value": _value,
    "quantiles": _quantiles,
    "forecast": _forecast,
}
_TAKEN = frozenset({"y_pred", "scores", "low", "high", "quantiles", "forecast", "corrected_as"})
"""Names of outputs."""

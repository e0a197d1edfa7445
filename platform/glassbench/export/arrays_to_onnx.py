"""Trees and linear maps as an ONNX graph, in the precision in which their library computes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from glassbench.contracts.estimator import FLOOR
from glassbench.contracts.exporting import LinearMap, Tree, TreeSum

OPSET, ML_OPSET, IR = 20, 5, 10
"""Versions of the operators: the first with trees in double precision, read by ONNX Runtime from 1.20 on."""

INPUTS, OUTPUT = "inputs", "output"
"""Names of a graph's encoded rows and of what the model gives for them."""

_SUM, _LESS_OR_EQUAL = 1, 0


class Graph:
    """Nodes and constants of a graph that is being built.

    Args:
        prefix: What names of values start with.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = output or f"{self.prefix}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add a constant; return its name."""
        name = f"{self.prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def model(self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """Return the checked model."""
        graph = helper.make_graph(self.nodes, "glassbench", list(inputs), list(outputs), self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="glassbench")
        onnx.checker.check_model(model)
        return model


def arrays_to_onnx(arrays: TreeSum | LinearMap, width: int) -> onnx.ModelProto:
    """Return the graph from encoded rows, float32 `(n, width)`, to the model's output `(n, outputs)`.

    The output is what a run's model gives: values, scores, or the logarithms of probabilities, floored as `EstimatorModule`
    floors them; float32, or float64 where the model answers so.
    """
    graph = Graph()
    answer = _summed(graph, arrays) if isinstance(arrays, TreeSum) else _weighed(graph, arrays)
    outputs = arrays.classes or (len(arrays.start) if isinstance(arrays, TreeSum) else len(arrays.weight))
    if arrays.classes is not None:
        answer = _scored(graph, answer, arrays)
    kind = TensorProto.DOUBLE if isinstance(arrays, TreeSum) and arrays.double else TensorProto.FLOAT
    graph.add("Cast", answer, output=OUTPUT, to=kind)
    rows = helper.make_tensor_value_info(INPUTS, TensorProto.FLOAT, ["rows", width])
    return graph.model([rows], [helper.make_tensor_value_info(OUTPUT, kind, ["rows", outputs])])


def _summed(graph: Graph, trees: TreeSum) -> str:
    kind = trees.trees[0].value.dtype if trees.trees else np.dtype(np.float64)
    rows = graph.add("Cast", INPUTS, to=TensorProto.DOUBLE)
    if trees.asked is not None:
        rows = graph.add("MatMul", rows, graph.constant(trees.asked, np.float64))
    if kind == np.float32:
        rows = graph.add("Cast", rows, to=TensorProto.FLOAT)
    started = Tree(
        feature=np.zeros(1, dtype=np.int64),
        threshold=np.zeros(1),
        left=np.zeros(1, dtype=np.int64),
        right=np.zeros(1, dtype=np.int64),
        leaf=np.ones(1, dtype=bool),
        value=np.array([trees.start], dtype=kind),
    )
    every = tuple(range(len(trees.start)))
    singles = [
        (tree, place, target)
        for tree, targets in zip((started, *trees.trees), (every, *trees.outputs), strict=True)
        for place, target in enumerate(targets)
    ]
    total = graph.add("TreeEnsemble", rows, domain="ai.onnx.ml", **_ensemble(singles, len(trees.start)))
    return total if trees.divide == 1 else graph.add("Div", total, graph.constant(trees.divide, kind))


def _ensemble(singles: Sequence[tuple[Tree, int, int]], targets: int) -> dict[str, Any]:
    """Return the attributes of a `TreeEnsemble` in which every leaf answers one number.

    Args:
        singles: Trees, the column of their values to take, and the output it is added to.
        targets: How many outputs there are.
    """
    parts = [_placed(tree, column) for tree, column, _ in singles]
    first_node = np.cumsum([0, *(len(part["splits"]) for part in parts)])
    first_leaf = np.cumsum([0, *(len(part["weights"]) for part in parts)])
    shifts = list(zip(parts, first_node.tolist(), first_leaf.tolist(), strict=False))

    def joined(name: str) -> np.ndarray:
        return np.concatenate([part[name] for part, _, _ in shifts])

    def places(side: str) -> np.ndarray:
        return np.concatenate([p[side] + np.where(p[f"{side}_leaf"], leaf, node) for p, node, leaf in shifts])

    splits = joined("splits")
    return {
        "aggregate_function": _SUM,
        "n_targets": targets,
        "post_transform": 0,
        "tree_roots": first_node[:-1].tolist(),
        "nodes_featureids": joined("feature").tolist(),
        "nodes_splits": numpy_helper.from_array(splits),
        "nodes_modes": numpy_helper.from_array(np.full(len(splits), _LESS_OR_EQUAL, dtype=np.uint8)),
        "nodes_truenodeids": places("left").tolist(),
        "nodes_trueleafs": joined("left_leaf").astype(int).tolist(),
        "nodes_falsenodeids": places("right").tolist(),
        "nodes_falseleafs": joined("right_leaf").astype(int).tolist(),
        "leaf_targetids": np.repeat([target for _, _, target in singles], [b - a for a, b in pairwise(first_leaf)]).tolist(),
        "leaf_weights": numpy_helper.from_array(joined("weights")),
    }


def _placed(tree: Tree, column: int) -> dict[str, np.ndarray]:
    """Return a tree's inner nodes, the root first, and its leaves, counted apart; a lone leaf hangs below a node of its own."""
    inner, leaves = np.flatnonzero(~tree.leaf), np.flatnonzero(tree.leaf)
    if not len(inner):
        alone, yes = np.zeros(1, dtype=np.int64), np.ones(1, dtype=bool)
        sides = {"left": alone, "left_leaf": yes, "right": alone, "right_leaf": yes}
        return {"splits": np.zeros(1, tree.value.dtype), "feature": alone, **sides, "weights": tree.value[:1, column]}
    place = np.empty(len(tree.leaf), dtype=np.int64)
    place[inner], place[leaves] = np.arange(len(inner)), np.arange(len(leaves))
    left, right = tree.left[inner], tree.right[inner]
    return {
        "splits": tree.threshold[inner].astype(tree.value.dtype),
        "feature": tree.feature[inner],
        "left": place[left],
        "left_leaf": tree.leaf[left],
        "right": place[right],
        "right_leaf": tree.leaf[right],
        "weights": tree.value[leaves, column],
    }


def _weighed(graph: Graph, linear: LinearMap) -> str:
    kind = np.float32 if linear.weight.dtype == np.float32 else np.float64
    rows = INPUTS if kind == np.float32 else graph.add("Cast", INPUTS, to=TensorProto.DOUBLE)
    product = graph.add("MatMul", rows, graph.constant(np.ascontiguousarray(linear.weight.T), kind))
    total = graph.add("Add", product, graph.constant(linear.bias, kind))
    return total if kind == np.float64 else graph.add("Cast", total, to=TensorProto.DOUBLE)


def _scored(graph: Graph, answer: str, arrays: TreeSum | LinearMap) -> str:
    """Return scores of all classes, whose softmax are their probabilities."""
    if arrays.link == "scores":
        return answer
    if arrays.link == "log_odds":
        half = graph.add("Div", answer, graph.add("CastLike", graph.constant(2, np.float64), answer))
        return graph.add("Concat", graph.add("Neg", half), half, axis=1)
    if isinstance(arrays, TreeSum) and arrays.trees and arrays.trees[0].value.dtype == np.float32:
        answer = graph.add("Cast", answer, to=TensorProto.DOUBLE)  # probabilities are computed in double precision
    return _logarithms(graph, _linked(graph, answer, arrays), arrays)


def _linked(graph: Graph, answer: str, arrays: TreeSum | LinearMap) -> str:
    """Return the probabilities of the classes that the model knows."""
    if arrays.link == "softmax":
        return graph.add("Softmax", answer, axis=1)
    if arrays.link == "logistic":
        one = graph.constant(1, np.float64)
        yes = graph.add("Div", one, graph.add("Add", one, graph.add("Exp", graph.add("Neg", answer))))
        return graph.add("Concat", graph.add("Sub", one, yes), yes, axis=1)
    return answer


def _logarithms(graph: Graph, probabilities: str, arrays: TreeSum | LinearMap) -> str:
    if arrays.present is not None:
        spread = np.zeros((len(arrays.present), int(arrays.classes or 0)))
        spread[np.arange(len(arrays.present)), list(arrays.present)] = 1
        probabilities = graph.add("MatMul", probabilities, graph.constant(spread))
    low, high = graph.constant(FLOOR, np.float64), graph.constant(1, np.float64)
    return graph.add("Log", graph.add("Clip", probabilities, low, high))

"""The part of a graph that reads a row's group, where predictions depend on it beside the model's inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.export.arrays_to_onnx import Graph
from glassbench.export.graph_cells import MISSING, absent_numbers, text_places
from glassbench.export.scorer.group_column import EVERYONE


def group_input(spec: Mapping[str, Any], names: Sequence[str]) -> tuple[str, str] | None:
    """Return the input that tells the group, and the kind of its cells; None where no group is asked for.

    An input of the model is read where the group comes from its column and its cells are of the same kind.

    Args:
        spec: The preprocessing.
        names: The inputs of the graph that the model's columns have, in their order.
    """
    if not spec.get("groups"):
        return None
    (group,) = spec["groups"]
    kind = "category" if group["bins"] is None else "number"
    for name, column in zip(names, spec["columns"], strict=True):
        if (column["name"], column["kind"]) == (group["column"], kind):
            return name, kind
    return (f"{group['column']} (group)" if group["column"] in names else group["column"]), kind


def group_code(graph: Graph, name: str, spec: Mapping[str, Any], offsets: Mapping[str, float]) -> str:
    """Return the place of each row's group among those with an offset of their own, int64 `(n,)`; -1 where it has none."""
    (group,) = spec["groups"]
    place = {known: k for k, known in enumerate(offsets)}
    if group["bins"] is None:
        return text_places(graph, name, group["column"], place, spec)
    wide = graph.add("Unsqueeze", name, graph.constant([1], np.int64))
    reached = graph.add("GreaterOrEqual", wide, graph.constant([group["bins"]], np.float64))
    summed = graph.add("ReduceSum", graph.add("Cast", reached, to=_INT64), graph.constant([1], np.int64), keepdims=0)
    bands = graph.add("Gather", graph.constant([place.get(band, -1) for band in group["names"]], np.int64), summed)
    absent = absent_numbers(graph, name, spec["cells"])
    return graph.add("Where", absent, graph.constant(place.get(MISSING, -1), np.int64), bands)


def own_offsets(graph: Graph, code: str, decision: Mapping[str, Any]) -> str:
    """Return the offset of each row, float64 `(n,)`, and add the output that names the group it is of."""
    offsets: Mapping[str, float] = decision["by"]["offsets"]
    named = {"keys_int64s": list(range(len(offsets))) or [0], "values_strings": list(offsets) or [EVERYONE]}
    graph.add("LabelEncoder", code, domain="ai.onnx.ml", **named, default_string=EVERYONE, output="corrected_as")
    return graph.add("Gather", graph.constant([*offsets.values(), decision["offset"]], np.float64), code)


_INT64 = 7

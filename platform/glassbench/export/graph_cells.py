"""Raw cells in a graph: which numbers are missing, and which known text a cell stands for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from glassbench.export.arrays_to_onnx import Graph

MISSING = "missing"


def absent_numbers(graph: Graph, values: str, cells: Mapping[str, Any]) -> str:
    """Return whether numbers are missing: NaN, or one of the numbers that mean so."""
    absent = graph.add("IsNaN", values)
    for mark in _marks(cells):
        absent = graph.add("Or", absent, graph.add("Equal", values, graph.constant(mark, np.float64)))
    return absent


def text_places(graph: Graph, name: str, column: str, place: Mapping[str, int], spec: Mapping[str, Any]) -> str:
    """Return the place of each cell's text, int64 `(n,)`; -1 of texts that stand for nothing known.

    Args:
        graph: The graph.
        name: The input with the cells.
        column: What the column is called.
        place: The known texts and their places.
        spec: The preprocessing of the kind `table`, which knows spellings, labels and marks of missing values.
    """
    reading = spec["cells"].get("columns", {}).get(column, {})
    known = {**place, **{text: place[kept] for text, kept in reading.get("spellings", {}).items() if kept in place}}
    raw = next((raw for raw, title in spec["labels"]["titles"].items() if title == column), column)
    called = spec["labels"]["values"].get(raw, {})
    known = {**{text: known[label] for text, label in called.items() if label in known}, **known}
    known |= dict.fromkeys(["", *spec["cells"]["missing"]], place.get(MISSING, -1))
    keys, values = list(known), list(known.values())
    return graph.add("LabelEncoder", name, domain="ai.onnx.ml", keys_strings=keys, values_int64s=values, default_int64=-1)


def _marks(cells: Mapping[str, Any]) -> list[float]:
    """Return the numbers that mean a value is missing."""
    found = []
    for mark in cells["missing"]:
        try:
            value = float(mark)
        except ValueError:
            continue
        found += [value] if value == value else []
    return found

"""How an export is used, Markdown for its card."""

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import TensorProto

from glassbench.export.parts import Parts

SCORER_USE = """`python score.py rows.csv` prints a prediction per row, and notes on missing cells, categories that the model has
no input for and values out of the range of the training rows; `--strict` refuses such rows. From Python:

```python
from score import Scorer

predictions = Scorer().predict([{"column": "cell"}])
```

`pip install -r requirements.txt` brings what it needs: NumPy and ONNX Runtime. `python install.py packages` puts them into a
folder of their own, without what scoring never opens, and `PYTHONPATH=packages python score.py rows.csv` scores with that."""

_SHOWN = 60


def onnx_use(graph: onnx.ModelProto, parts: Parts) -> str:
    """Return how the graph is called."""
    inputs, outputs = (_values(values) for values in (graph.graph.input, graph.graph.output))
    rows = (
        "Each column is an input: numbers with NaN where missing; texts without blanks around them, empty where missing."
        if parts.tabular
        else _rows(parts.preprocessing)
    )
    single = "Sums of trees are equal to the last digit where a session uses one thread (`intra_op_num_threads = 1`)."
    return f"`model.onnx` takes raw rows, any number at a time. {rows}\n\n{inputs}\n\n{outputs}" + (
        f"\n\n{single}" if parts.arrays is not None else ""
    )


def program_use(parts: Parts) -> str:
    """Return how the PyTorch program is called."""
    call = '`torch.export.load("model.pt2").module()` takes raw rows, any number at a time, and gives a dictionary of tensors.'
    if not parts.tabular:
        return f"{call} {_rows(parts.preprocessing)}"
    return (
        f"{call} Its first input holds the columns of numbers in order, float64, NaN where missing; its second the place of each "
        "category in its column's list in preprocessing.json, -1 for one that is not in it, and the place of `missing` where the "
        "list has it and the cell is empty. Classes are given by their places in the list of classes."
    )


def _rows(spec: Mapping[str, Any]) -> str:
    shape = " x ".join(map(str, spec["shape"]))
    if spec["kind"] == "tokens":
        return (
            f"A row is {shape} token numbers, as `tokenizer.json` (package `tokenizers`) makes them. Longer texts are cut and "
            f"keep the tokens that end a text; shorter ones get token {spec['padding']} at their end; an empty text is one "
            f"token {spec['unknown']}."
        )
    if spec["kind"] == "scaled":
        return f"A row is {shape} numbers of type {spec['dtype']} in their own units; the scale is part of the model."
    return f"A row is {shape} numbers of type {spec['dtype']}, as the data set encodes them."


def _values(values: Sequence[onnx.ValueInfoProto]) -> str:
    lines = []
    for value in values[:_SHOWN]:
        kind = value.type.tensor_type
        shape = ", ".join(dim.dim_param or str(dim.dim_value) for dim in kind.shape.dim)
        lines.append(f"| `{value.name}` | {TensorProto.DataType.Name(kind.elem_type).lower()} | ({shape}) |")
    return "\n".join(["| name | type | shape |", "|---|---|---|", *lines])

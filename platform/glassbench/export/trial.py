"""An export tried on made rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import torch
from torch import Tensor
from torch.export import ExportedProgram

from glassbench.contracts.data import Split
from glassbench.export.agreement import ROWS, Agreement, agreement
from glassbench.export.made_rows import made_inputs, made_rows
from glassbench.export.parts import Parts
from glassbench.export.raw_graph import group_of, input_names
from glassbench.export.raw_program import ScaledRows

Asked = Callable[[Any], pd.DataFrame]
"""From raw rows, a frame or a tensor, to predictions."""


def tried(parts: Parts, asked: Asked) -> Agreement:
    """Hold an export against its run on made rows.

    Raises:
        RunError: They predict differently.
    """
    if parts.tabular:
        rows = made_rows(parts.preprocessing, ROWS)
        return agreement(parts.run.predict(rows), asked(rows))
    raw = made_inputs(parts.preprocessing, ROWS // 5)
    source = Split(inputs=(ScaledRows(parts.preprocessing)(raw),), rows=np.arange(len(raw)))
    return agreement(parts.run.task.predict(parts.model, source).frame, asked(raw))


def asked_onnx(content: bytes, parts: Parts) -> Asked:
    """Return a graph as a function of raw rows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def asked(rows: Any) -> pd.DataFrame:
        found = session.run(names, onnx_inputs(rows, parts.preprocessing))
        return predictions_frame(dict(zip(names, found, strict=True)), parts.decision)

    return asked


def onnx_inputs(rows: Any, preprocessing: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return raw rows as the inputs of a graph: numbers with NaN where missing, texts that are empty where missing."""
    names = input_names(preprocessing)
    if not isinstance(rows, pd.DataFrame):
        return {names[0]: rows.numpy()}
    columns = zip(names, preprocessing["columns"], strict=True)
    cells = {name: _cells(rows[column["name"]].tolist(), column["kind"]) for name, column in columns}
    group = group_of(preprocessing)
    if group is not None and group[0] not in cells:
        cells[group[0]] = _cells(rows[preprocessing["groups"][0]["column"]].tolist(), group[1])
    return cells


def _cells(cells: Sequence[Any], kind: str) -> np.ndarray:
    if kind == "number":
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    return np.array(["" if cell is None else str(cell) for cell in cells], dtype=object)


def asked_program(program: ExportedProgram, parts: Parts) -> Asked:
    """Return a PyTorch program as a function of raw rows."""
    module = program.module()

    def asked(rows: Any) -> pd.DataFrame:
        inputs = program_inputs(rows, parts.preprocessing)
        with torch.no_grad():
            found = {name: value.numpy() for name, value in module(*inputs).items()}
        if parts.decision["kind"] == "classes":
            found["y_pred"] = np.array(parts.decision["classes"], dtype=object)[found["y_pred"]]
        return predictions_frame(found, parts.decision)

    return asked


def program_inputs(rows: Any, preprocessing: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """Return raw rows as the inputs of a program: numbers with NaN where missing, categories by their places."""
    if not isinstance(rows, pd.DataFrame):
        return (rows,)
    columns = preprocessing["columns"]
    numbers = [_cells(rows[c["name"]].tolist(), "number") for c in columns if c["kind"] == "number"]
    codes = [_places(rows[c["name"]].tolist(), c["categories"]) for c in columns if c["kind"] == "category"]
    parts = (np.array(numbers, dtype=np.float64), np.array(codes, dtype=np.int64))
    return tuple(torch.from_numpy(part.reshape(-1, len(rows)).T.copy()) for part in parts)


def _places(cells: Sequence[Any], categories: Sequence[str]) -> list[int]:
    place = {name: k for k, name in enumerate(categories)}
    return [place.get("missing" if cell is None else cell, -1) for cell in cells]


def predictions_frame(outputs: Mapping[str, np.ndarray], decision: Mapping[str, Any]) -> pd.DataFrame:
    """Return a graph's outputs as predictions are called in a run."""
    kind, columns = decision["kind"], dict(outputs)
    scores, quantiles = columns.pop("scores", None), columns.pop("quantiles", None)
    columns.pop("forecast", None)
    if kind == "labels":
        given = columns.pop("y_pred")
        columns = {f"y_pred.{name}": given[:, k].astype(np.int64) for k, name in enumerate(decision["labels"])}
    if scores is not None:
        columns |= {f"score.{name}": scores[:, k] for k, name in enumerate(decision.get("classes") or decision["labels"])}
    if quantiles is not None:
        columns |= {f"quantile.{level:g}": quantiles[:, k] for k, level in enumerate(decision["levels"])}
    return pd.DataFrame(columns)

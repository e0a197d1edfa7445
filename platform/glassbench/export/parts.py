"""What an export is made of: how rows become inputs, the model, how its output becomes a prediction; or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from glassbench.contracts.exporting import ExportedEncoder, ExportedTask, LinearMap, TreeSum
from glassbench.contracts.schema import Schema
from glassbench.errors import RunError
from glassbench.export.estimators import as_arrays
from glassbench.run_handle import Run

FORMS = ("onnx", "torch-export", "scorer")
"""What a run can be exported to."""

_TASKS = ("classes", "several labels per row", "values", "quantiles of values", "forecasts")
_INSTEAD = "predict with `glassbench predict` or from Python: glassbench.load_run(folder).predict(frame)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts:
    """What an export of a run is made of.

    Args:
        run: The run.
        schema: What the model was built for.
        preprocessing: How raw rows become inputs (`ExportedEncoder.preprocessing`), or the kind `encoded`.
        decision: How outputs become predictions (`ExportedTask.decision`).
        model: The trained model, in evaluation mode.
        arrays: What it computes where it is no network; None where it is one.
    """

    run: Run
    schema: Schema
    preprocessing: Mapping[str, Any]
    decision: Mapping[str, Any]
    model: nn.Module
    arrays: TreeSum | LinearMap | None

    @property
    def tabular(self) -> bool:
        """Whether raw rows are those of a table."""
        return bool(self.preprocessing["kind"] == "table")

    @property
    def width(self) -> int:
        """How many inputs a row of a table has."""
        return int(self.schema.shape[0] or 0)


def parts_of(run: Run) -> Parts:
    """Return what an export of a run is made of.

    Raises:
        RunError: It cannot be exported; the message says why and what can.
    """
    task = run.task
    if not isinstance(task, ExportedTask):
        raise RunError(
            "this run cannot be exported: what it predicts takes more than a model's output and a rule told as data",
            got=f"the task {type(task).__name__}, which predicts {task.kind.name}",
            available=_TASKS,
            fix=_INSTEAD,
        )
    decision, model = task.decision(), run.model
    preprocessing = _with_group(_preprocessing(run), decision)
    schema = task.model_schema(run.schema)
    return Parts(
        run=run,
        schema=schema,
        preprocessing=preprocessing,
        decision=decision,
        model=model,
        arrays=as_arrays(model, schema),
    )


def _with_group(spec: Mapping[str, Any], decision: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how rows become inputs, with the group that predictions depend on as the only one that is read.

    Raises:
        RunError: Rows do not tell the group.
    """
    by = decision.get("by")
    if not by:
        return {**spec, "groups": []} if spec["kind"] == "table" else spec
    found = [
        {**each, "names": each["names"] or list(by["offsets"])}
        for each in spec.get("groups", ())
        if each["name"] == by["feature"]
    ]
    if not found:
        raise RunError(
            "predictions that are corrected by group cannot be exported: the rows do not tell the group",
            got=f"groups of '{by['feature']}', which is read off no column of the rows",
            available=["intervals that one offset corrects (task.conformal split)"],
            fix=_INSTEAD,
        )
    return {**spec, "groups": found}


def _preprocessing(run: Run) -> Mapping[str, Any]:
    """Return how raw rows become inputs; where no encoder tells, what the schema says of their scale."""
    schema = run.schema
    encoder = run.encoder if run.encodes else None
    if isinstance(encoder, ExportedEncoder):
        return encoder.preprocessing()
    if any(size is None for size in schema.shape):
        raise RunError("rows of varying shape cannot be exported", got=str(schema.shape), fix=_INSTEAD)
    shape = [int(size or 0) for size in schema.shape]
    mean, std = (getattr(schema.facts, name, None) for name in ("mean", "std"))
    axis = schema.layout.channels
    if encoder is None and mean is not None and std is not None and axis is not None:
        scale = {"divide": 1.0, "mean": list(mean), "std": list(std), "axis": 0 if axis == "first" else len(shape) - 1}
        return {"kind": "scaled", "dtype": "float64", "shape": shape, **scale}
    return {"kind": "encoded", "dtype": "float32", "shape": shape}

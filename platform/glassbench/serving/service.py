"""What the service answers: predictions, what in the rows the training rows did not have, and explanations."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import pandas as pd

from glassbench.contracts.exporting import ExportedEncoder, ExportedTask
from glassbench.errors import DataError, RunError
from glassbench.rows.new_rows import refuse_unusual
from glassbench.run_handle import Run
from glassbench.serving.explanations import Explanations

MOST_ROWS = 10_000
"""Rows that one request may hold."""

_SERVED = ("table", "tokens")
"""Kinds of preprocessing whose rows hold all they need; a row that names a file would have the server read it."""

_CELL: Mapping[str, Any] = {"type": ["string", "number", "boolean", "null"]}


class Service:
    """A finished run that answers requests, one at a time.

    Args:
        run: The run.

    Raises:
        RunError: Its rows cannot be sent, or it has no model yet.
    """

    def __init__(self, run: Run) -> None:
        encoder = run.encoder
        spec: Mapping[str, Any] = encoder.preprocessing() if isinstance(encoder, ExportedEncoder) else {"kind": "its own"}
        if spec["kind"] not in _SERVED:
            raise RunError(
                "the rows of this run cannot be served: they name files, or nothing tells what they hold",
                got=f"rows of the modality '{run.schema.modality}'",
                available=["runs of tables", "runs of texts"],
                fix="predict with `glassbench predict`",
            )
        self.run, self.spec, self._lock = run, spec, Lock()
        self._explanations = Explanations(run)
        _ = run.model  # read before the first request

    def answer(self, rows: Sequence[Mapping[str, Any]], *, strict: bool, explain: bool) -> dict[str, Any]:
        """Return predictions, unusual cells with their counts, and an explanation of each row where they are asked for.

        Raises:
            DataError: A column is missing, a value cannot be read, there are too many rows, or `strict` refuses them.
            RunError: Predictions of this run cannot be explained here.
        """
        if not 0 < len(rows) <= MOST_ROWS:
            raise DataError(f"a request holds 1 to {MOST_ROWS:,} rows", got=f"{len(rows):,}", fix="send them in several requests")
        frame = pd.DataFrame(list(rows))
        with self._lock:
            unusual = self.run.unusual(frame)
            if strict:
                refuse_unusual(unusual)
            decided = self.run.predict(frame)
            explained = {"explanations": self._explanations.of(frame)} if explain else {}
        found = [{"column": one.column, "kind": one.kind, "count": one.count, "note": str(one)} for one in unusual]
        return {"predictions": decided.to_dict(orient="records"), "unusual": found, **explained}

    def row_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one row."""
        if self.spec["kind"] != "table":
            return {"type": "object", "title": "Row", "additionalProperties": _CELL}
        columns = {column["name"]: _described(column) for column in self.spec["columns"]}
        required = [] if self.spec["labels"]["titles"] else list(columns)
        properties = {**self._group_columns(), **columns}
        return {"type": "object", "title": "Row", "properties": properties, "required": required, "additionalProperties": _CELL}

    def _group_columns(self) -> dict[str, Any]:
        """Return the column that tells the group which predictions are corrected by; rows may lack it."""
        task = self.run.task
        by = (task.decision() if isinstance(task, ExportedTask) else {}).get("by")
        if not by:
            return {}
        words = f"tells the group of '{by['feature']}', by which intervals are corrected; rows may lack it"
        groups = [each for each in self.spec.get("groups", ()) if each["name"] == by["feature"]]
        return {each["column"]: {**_CELL, "description": words} for each in groups}

    def facts(self) -> dict[str, Any]:
        """Return which run this is and what it predicts."""
        schema = self.run.schema
        target = schema.target
        return {"run": self.run.folder.name, "target": target.name, "kind": target.kind, "classes": list(target.classes)}


def _described(column: Mapping[str, Any]) -> dict[str, Any]:
    if column["kind"] == "number":
        words = f"a number, or text as it was written in training; training rows held {column['low']:.6g} to {column['high']:.6g}"
        return {"type": ["number", "string", "null"], "description": words}
    return {**_CELL, "description": "a category", "examples": list(column["categories"][:20])}

"""Evaluation tables that a run logged: CSV, Parquet, and JSON as MLflow writes tables."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from glassbench.errors import DataError
from glassbench.storage.data_files import read_data_file
from glassbench.toolkit.reading.tables import Format, read_table

TABLES = (".csv", ".tsv", ".parquet", ".pq", ".json", ".jsonl")
_DECISIONS = ("prediction", "predictions", "predicted", "y_pred", "outputs")
_TRUTHS = ("target", "targets", "truth", "label", "labels", "ground_truth", "y_true")


def read_logged_table(path: Path) -> pd.DataFrame | None:
    """Return the table of a file; None where it is JSON that holds something else.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read.
    """
    if path.suffix.lower() not in (".json", ".jsonl"):
        return read_table(path, Format(), "the logged table")
    text = read_data_file(path, "the logged table").decode("utf-8", errors="replace")
    try:
        content = [json.loads(line) for line in text.splitlines() if line] if path.suffix == ".jsonl" else json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError("the logged table is no JSON", got=f"{path.name}: {error}"[:300]) from error
    return _frame(content)


def _frame(content: Any) -> pd.DataFrame | None:
    """Return the rows of `{"columns": [...], "data": [[...]]}`, or of a list of objects."""
    if isinstance(content, dict) and isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        rows, names = content["data"], [str(name) for name in content["columns"]]
        if all(isinstance(row, list) and len(row) == len(names) for row in rows):
            return pd.DataFrame(rows, columns=pd.Index(names))
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return pd.DataFrame(content)
    return None


def decision_and_truth(frame: pd.DataFrame, decision: str | None, truth: str | None) -> tuple[str, str | None]:
    """Return which columns hold decision and truth: those that are named, else those that MLflow names so.

    Raises:
        DataError: A column is not there, or no decision can be told.
    """
    names = [str(name) for name in frame.columns]
    for named in (decision, truth):
        if named is not None and named not in names:
            raise DataError(f"the logged table has no column '{named}'", got=named, available=names)
    known = [name for name in names if name.lower() in _DECISIONS]
    if decision is None and len(known) != 1:
        raise DataError("which column of the logged table holds the decision?", available=names, fix="add --decision COL")
    true = [name for name in names if name.lower() in _TRUTHS]
    return decision or known[0], truth or (true[0] if len(true) == 1 else None)

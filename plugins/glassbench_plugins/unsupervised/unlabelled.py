"""The prediction rows of tasks that learn without a truth."""

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Schema
from glassbench_plugins.supervised.rows import class_truth


def frame_of(source: Split, truth: np.ndarray | None, decision: np.ndarray, *columns: pd.DataFrame) -> pd.DataFrame:
    """Return one row per decision, as `predictions.parquet` holds them.

    Args:
        source: The rows decided on.
        truth: What is known afterwards `(n,)`, or None; the column is then absent.
        decision: What was decided `(n,)`.
        columns: Scores and whatever else the metrics need, n rows each.
    """
    first: dict[str, object] = {"row": source.rows}
    if truth is not None:
        first["y_true"] = truth
    first["y_pred"] = decision
    parts = [pd.DataFrame(first), *columns]
    if source.groups is not None:
        parts.append(source.groups.reset_index(drop=True).add_prefix("group."))
    return pd.concat(parts, axis=1)


def true_names(source: Split, schema: Schema | None) -> np.ndarray | None:
    """Return the class of each row by name `(n,)`, or None where rows have no class."""
    if schema is None or schema.target.kind != "class" or source.target is None:
        return None
    return class_truth(source, schema.target.classes)

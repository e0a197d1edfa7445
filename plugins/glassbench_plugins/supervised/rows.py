"""The prediction rows of a supervised task."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split

Names = np.ndarray | pd.Categorical


def class_truth(source: Split, classes: Sequence[str]) -> np.ndarray | None:
    """Return the true classes of a split by name `(n,)`, None in rows without one; None where no row has a truth."""
    if source.target is None:
        return None
    codes = source.target.numpy()
    names = np.array([*classes, None], dtype=object)
    return np.asarray(names[np.where(codes < 0, len(classes), codes)])


def frame_of(source: Split, truth: Names | None, decision: Names, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per decision, as `predictions.parquet` holds them.

    Args:
        source: The rows decided on.
        truth: What was right `(n,)`, or None where it is not known; the column is then absent.
        decision: What was decided `(n,)`.
        scores: Columns `score.<class>` or `score`, n rows.
    """
    columns: dict[str, object] = {"row": source.rows}
    if truth is not None:
        columns["y_true"] = truth
    columns["y_pred"] = decision
    if source.frequency is not None:
        columns["frequency"] = source.frequency
    if source.weights is not None:
        columns["weight"] = source.weights
    if source.clusters is not None:
        columns["cluster"] = source.clusters
    parts = [pd.DataFrame(columns), scores]
    if source.groups is not None:
        parts.append(source.groups.reset_index(drop=True).add_prefix("group."))
    return pd.concat(parts, axis=1)

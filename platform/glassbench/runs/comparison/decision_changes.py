"""Whose decision changed between two runs, in which direction: counts by group."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.positive_class import favourable_classes
from glassbench.contracts.schema import Schema
from glassbench.rows.group_order import in_group_order
from glassbench.stats.contrast import paired_share

LEVEL = 0.95


def changes(before: pd.DataFrame, after: pd.DataFrame, schema: Schema, features: Sequence[str]) -> list[dict[str, Any]]:
    """Return how decisions on the same rows changed, for all rows and for each group of each feature.

    Args:
        before, after: Predictions of two runs, columns `row`, `y_pred`, `y_true` where known, and `group.<feature>`.
        schema: What the rows are.
        features: Sensitive features.

    Returns:
        For each group: `feature` and `group` (None for all rows), `rows`, `changed`; where truths are known `righted`
        (wrong before, right after), `wronged` and the net share of right decisions gained with its interval (`gain`, `low`,
        `high`); where the favourable classes are known `favoured` (a favourable decision after and not before) and
        `disfavoured`.
    """
    if not before["row"].is_unique or not after["row"].is_unique:
        return []
    both = before.merge(after[["row", "y_pred"]], on="row", suffixes=("", "_after"))
    first, second = both["y_pred"].astype(str).to_numpy(), both["y_pred_after"].astype(str).to_numpy()
    truth = both["y_true"].astype(str).where(both["y_true"].notna()).to_numpy(dtype=object) if "y_true" in both else None
    good = np.array(favourable_classes(schema.target), dtype=object)
    parts: list[tuple[str | None, str | None, np.ndarray]] = [(None, None, np.ones(len(both), dtype=bool))]
    for feature in features:
        column = both[f"group.{feature}"].astype(str).to_numpy()
        parts += [(feature, group, column == group) for group in in_group_order(pd.unique(column))]
    told = []
    for part, group, rows in parts:
        own = None if truth is None else truth[rows]
        told.append({"feature": part, "group": group, **_counts(first[rows], second[rows], own, good)})
    return told


def _counts(first: np.ndarray, second: np.ndarray, truth: np.ndarray | None, good: np.ndarray) -> Mapping[str, Any]:
    found: dict[str, Any] = {"rows": len(first), "changed": int((first != second).sum())}
    if truth is not None:
        known = pd.notna(truth)
        moved = (second[known] == truth[known]).astype(float) - (first[known] == truth[known])
        found |= {"righted": int((moved > 0).sum()), "wronged": int((moved < 0).sum()), **_gain(moved)}
    if len(good):
        was, now = np.isin(first, good), np.isin(second, good)
        found |= {"favoured": int((now & ~was).sum()), "disfavoured": int((was & ~now).sum())}
    return found


def _gain(moved: np.ndarray) -> dict[str, float | None]:
    if len(moved) < 2:
        return {"gain": None, "low": None, "high": None}
    found = paired_share(float(moved.mean()), float(moved.std() / np.sqrt(len(moved))), len(moved)).estimate(LEVEL)
    return {"gain": found.value, "low": found.low, "high": found.high}
